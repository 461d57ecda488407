// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, InputSpec, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {IPropertyJudge} from "../../contracts/interfaces/IPropertyJudge.sol";
import {
    ITrainings, OpenedItem, Training, TrainingId, TrainingState, TrainingStatus, TrainingTerms
} from "../../contracts/interfaces/ITrainings.sol";
import {TRAINING_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F16, F32} from "../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Models} from "./mocks/Models.sol";
import {Pool, Pools} from "./mocks/Pool.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice Requests, pools opened and revealed, commitments: everything before the first score.
contract TrainingsTest is TrainingStage {
    using Pools for Pool;

    // Requests: refusals.

    function _refused(TrainingTerms memory terms, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(asker);
        trainings.request{value: uint256(terms.feeWei) + terms.bonusWei}(terms);
    }

    function test_request_wrongPayment_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        for (uint256 wei_ = PRIZE - 1; wei_ <= PRIZE + 1; wei_ += 2) {
            vm.expectRevert(abi.encodeWithSelector(ITrainings.WrongPayment.selector, wei_, PRIZE));
            vm.prank(asker);
            trainings.request{value: wei_}(terms);
        }
    }

    function test_request_feeBelowTheLeast_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.feeWei = MIN_FEE - 1;
        _refused(terms, abi.encodeWithSelector(ITrainings.FeeTooLow.selector, MIN_FEE - 1, MIN_FEE));
        terms.feeWei = MIN_FEE;
        requestedWith(terms);
    }

    function test_request_commitFeeBelowTheLeast_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        uint96[2] memory fees = [uint96(0), MIN_COMMIT_FEE - 1];
        for (uint256 i = 0; i < fees.length; ++i) {
            terms.commitFeeWei = fees[i];
            _refused(terms, abi.encodeWithSelector(ITrainings.CommitFeeTooLow.selector, fees[i], MIN_COMMIT_FEE));
        }
        terms.commitFeeWei = MIN_COMMIT_FEE;
        requestedWith(terms);
    }

    function test_request_shareAboveTheWhole_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.unscoredShare = 10_001;
        _refused(terms, abi.encodeWithSelector(ITrainings.ShareOutOfRange.selector, 10_001, 10_000));
        terms.unscoredShare = 10_000;
        requestedWith(terms);
    }

    function test_request_poolOutOfRange_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        uint32[2][6] memory pools = [
            [uint32(12), 0], [uint32(130), 65], [uint32(13), 4], [uint32(12), 12], [uint32(0), 4], [uint32(2_112), 63]
        ];
        for (uint256 i = 0; i < pools.length; ++i) {
            (terms.poolCount, terms.openCount) = (pools[i][0], pools[i][1]);
            _refused(
                terms, abi.encodeWithSelector(ITrainings.PoolOutOfRange.selector, pools[i][0], pools[i][1])
            );
        }
    }

    function test_request_tooManySealedItems_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        (terms.poolCount, terms.openCount) = (2_050, 1);
        _refused(terms, abi.encodeWithSelector(ITrainings.PoolOutOfRange.selector, 2_050, 1));
        (terms.poolCount, terms.openCount) = (2_049, 1);
        requestedWith(terms);
        (terms.poolCount, terms.openCount) = (2_112, 64);
        requestedWith(terms);
    }

    function test_request_periodsOutOfRange_revert() external {
        for (uint256 period = 0; period < 4; ++period) {
            _refused(_withPeriod(period, WINDOW - 1), _outOfRange(period, WINDOW - 1));
            _refused(_withPeriod(period, 30 days + 1), _outOfRange(period, 30 days + 1));
            requestedWith(_withPeriod(period, WINDOW));
            requestedWith(_withPeriod(period, 30 days));
        }
    }

    function _withPeriod(uint256 period, uint256 length) private view returns (TrainingTerms memory terms) {
        terms = termsOf(poolOf());
        Duration duration = Duration.wrap(uint32(length));
        if (period == 0) terms.open = duration;
        else if (period == 1) terms.commit = duration;
        else if (period == 2) terms.reveal = duration;
        else terms.claim = duration;
    }

    function _outOfRange(uint256 period, uint256 length) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainings.PeriodOutOfRange.selector, period, length, WINDOW, 30 days);
    }

    function test_request_unknownModels_revert() external {
        ModelId nothing = ModelId.wrap(keccak256("nothing"));
        TrainingTerms memory terms = termsOf(poolOf());
        terms.scorer = nothing;
        _refused(terms, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, nothing));
        (terms.architecture, terms.scorer) = (nothing, scorer);
        _refused(terms, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, nothing));
    }

    function test_request_closedModels_revert() external {
        registry.retire(architecture);
        _refused(termsOf(poolOf()), abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, architecture));
    }

    function test_request_closedScorer_reverts() external {
        registry.retire(scorer);
        _refused(termsOf(poolOf()), abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, scorer));
    }

    function test_request_scorersThatAreNone_revert() external {
        Model memory model = scorerModel();
        model.weightsRoot = BundleRoot.wrap(keccak256("other weights"));
        _refusesScorer(model);
        model = scorerModel();
        model.inputs[0].header = Models.header(F32, 1, 299);
        _refusesScorer(model);
        model = scorerModel();
        model.outputHeader = Models.header(F32, 1, 2);
        _refusesScorer(model);
        model = scorerModel();
        model.outputHeader = Models.header(F16, 1, 1);
        _refusesScorer(model);
        // No target, and two of them.
        InputSpec[] memory inputs = new InputSpec[](3);
        (inputs[0], inputs[1], inputs[2]) = (model.inputs[0], model.inputs[1], model.inputs[1]);
        model = Models.taking(inputs);
        model.outputHeader = Models.header(F32, 1, 1);
        _refusesScorer(model);
        model = architectureModel();
        model.outputHeader = Models.header(F32, 1, 1);
        _refusesScorer(model);
    }

    /// @dev What the architecture takes is what an item may hold, not less and not more.
    function test_request_scorerOfOtherRanges_reverts() external {
        for (uint256 i = 0; i < 4; ++i) {
            Model memory model = scorerModel();
            if (i < 2) model.inputs[0].lo = i == 0 ? int64(1) : int64(uint64(Models.ONE | 0x80000000));
            else model.inputs[0].hi += i == 2 ? int64(1) : int64(-1);
            _refusesScorer(model);
        }
    }

    function _refusesScorer(Model memory model) private {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.scorer = registry.register(model);
        _refused(terms, abi.encodeWithSelector(ITrainings.NotAScorer.selector, terms.scorer, architecture));
    }

    function test_request_propertyOutOfRange_reverts() external {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.property.threshold = 0x7f800000;
        _refused(terms, abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, 0x7f800000));
        terms.property.threshold = HALF;
        terms.property.predicateGas = 1;
        _refused(terms, abi.encodeWithSelector(IPropertyJudge.PredicateGasOutOfRange.selector, 1, 0));
        terms.property.predicateGas = 0;
        // Infinity, NaN, and 2^64, by which nothing could be measured at the end.
        uint32[3] memory fulls = [uint32(0xff800000), 0x7fc00000, 0x5f800000];
        for (uint256 i = 0; i < fulls.length; ++i) {
            terms.fullScore = fulls[i];
            _refused(terms, abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, fulls[i]));
        }
    }

    // Requests.

    function test_request_isKeptUnderItsHash_withItsMoney() external {
        Training memory training = Training(asker, 0, Instant.wrap(START), uint64(BLOCK), termsOf(poolOf()));
        TrainingId id =
            TrainingId.wrap(keccak256(abi.encode(TRAINING_TAG, block.chainid, address(trainings), training)));
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.TrainingRequested(id, asker, training);
        requested();
        assertStatus(training, TrainingStatus.Requested);
        assertEq(vault.escrowOf(address(trainings)), PRIZE);
        assertEq(trainings.nonceOf(asker), 1);
    }

    function test_request_twiceInABlock_areTwoRequests() external {
        TrainingId first = idOf(requested());
        vm.roll(BLOCK);
        TrainingId second = idOf(requested());
        assertTrue(TrainingId.unwrap(first) != TrainingId.unwrap(second), "the nonce tells them apart");
    }

    // The pool is opened.

    function _opening(Training memory training) private view returns (OpenedItem[] memory) {
        return poolOf().opened(Pools.seedOf(TrainingId.unwrap(idOf(training)), training.requestedBlock));
    }

    function _refusesOpening(Training memory training, OpenedItem[] memory items, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(asker);
        trainings.open(training, items);
    }

    function test_open_unknownTraining_reverts() external {
        Training memory training = requested();
        OpenedItem[] memory items = _opening(training);
        ++training.terms.commitFeeWei;
        _refusesOpening(
            training, items, abi.encodeWithSelector(ITrainings.UnknownTraining.selector, idOf(training))
        );
    }

    /// @dev A requester that is a contract has no key: whoever keeps it opens.
    function test_open_byAnotherWithTheKeys_isOpen_andOnlyOnce() external {
        Training memory training = requested();
        OpenedItem[] memory items = _opening(training);
        vm.prank(alice);
        trainings.open(training, items);
        assertStatus(training, TrainingStatus.Committing);
        _refusesOpening(
            training,
            items,
            abi.encodeWithSelector(
                ITrainings.WrongTrainingStatus.selector, TrainingStatus.Committing, TrainingStatus.Requested
            )
        );
    }

    function test_open_beforeTheBeacon_reverts() external {
        Training memory training = requested();
        for (uint256 number = BLOCK; number <= BLOCK + 1; ++number) {
            vm.roll(number);
            _refusesOpening(
                training, new OpenedItem[](4), abi.encodeWithSelector(ITrainings.BeaconNotReady.selector, BLOCK)
            );
        }
    }

    function test_open_whenTheBeaconIsForgotten_reverts() external {
        Training memory training = requested();
        OpenedItem[] memory items = _opening(training);
        vm.roll(BLOCK + 258);
        _refusesOpening(training, items, abi.encodeWithSelector(ITrainings.BeaconLost.selector, BLOCK));
        vm.roll(BLOCK + 257);
        vm.prank(asker);
        trainings.open(training, items);
    }

    function test_open_atAndAfterItsDeadline_reverts() external {
        Training memory training = requested();
        OpenedItem[] memory items = _opening(training);
        for (uint256 moment = START + OPEN; moment <= START + OPEN + 1; ++moment) {
            vm.warp(moment);
            _refusesOpening(training, items, tooLate(moment, START + OPEN));
        }
        vm.warp(START + OPEN - 1);
        vm.prank(asker);
        trainings.open(training, items);
        assertStatus(training, TrainingStatus.Committing);
    }

    function test_open_anotherNumberOfItems_reverts() external {
        Training memory training = requested();
        OpenedItem[] memory items = new OpenedItem[](3);
        _refusesOpening(training, items, abi.encodeWithSelector(ITrainings.WrongCount.selector, 3, 4));
    }

    function test_open_itemsThatWereNotDrawn_revert() external {
        Training memory training = requested();
        Pool memory pool = poolOf();
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(idOf(training)), training.requestedBlock);
        OpenedItem[] memory items = pool.opened(seed);
        uint256[] memory drawn = pool.drawn(seed);
        OpenedItem memory second = items[1];
        items[1] = items[2];
        _refusesOpening(training, items, abi.encodeWithSelector(ITrainings.NotInPool.selector, drawn[1]));
        items[1] = second;
        items[3].key = keccak256("another key");
        _refusesOpening(training, items, abi.encodeWithSelector(ITrainings.NotInPool.selector, drawn[3]));
    }

    function test_open_withAPathTooLong_reverts() external {
        Training memory training = requested();
        OpenedItem[] memory items = _opening(training);
        items[0].path = new bytes32[](5);
        _refusesOpening(training, items, abi.encodeWithSelector(KeccakTree.WrongPathLength.selector, 5, 4));
    }

    function test_open_twice_reverts() external {
        Training memory training = opened();
        OpenedItem[] memory items = _opening(training);
        _refusesOpening(training, items, wrongStatus(TrainingStatus.Committing, TrainingStatus.Requested));
    }

    function test_open_showsTheDrawnItems_andKeepsTheSeed() external {
        Training memory training = requested();
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(idOf(training)), training.requestedBlock);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.PoolOpened(idOf(training), seed, _opening(training));
        openPool(training, poolOf());
        TrainingState memory state = stateOf(training);
        assertEq(state.seed, seed);
        assertEq(Instant.unwrap(state.openedAt), START);
    }
}
