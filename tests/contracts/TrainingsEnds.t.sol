// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {Aggregate, Comparison} from "../../contracts/interfaces/IPropertyJudge.sol";
import {ITrainings, Training, TrainingStatus, TrainingTerms} from "../../contracts/interfaces/ITrainings.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice Every way in which a training request ends, and where each wei goes. Alice and Bob have 100 ether each to begin
/// with; they pay commit fees besides, and what is bonded stays with the claims.
contract TrainingsEndsTest is TrainingStage {
    uint256 private constant HELD = 100 ether;
    uint256 private constant REVEALED_AT = START + COMMIT;

    function _settle(Training memory training, uint256 moment) private {
        vm.warp(moment);
        vm.prank(keeper);
        trainings.settle(training);
    }

    function _refusedUntil(Training memory training, uint256 end) private {
        vm.warp(end - 1);
        vm.expectRevert(tooEarly(end - 1, end));
        trainings.settle(training);
    }

    function _expectEnd(
        Training memory training,
        TrainingStatus status,
        uint32 winner,
        ModelId model,
        uint256[3] memory paidRefundedBurned
    ) private {
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.TrainingEnded(
            idOf(training),
            status,
            winner,
            model,
            paidRefundedBurned[0],
            paidRefundedBurned[1],
            paidRefundedBurned[2]
        );
    }

    // Cancelled.

    function test_settle_unknownTraining_reverts() external {
        Training memory training = requested();
        ++training.nonce;
        vm.expectRevert(abi.encodeWithSelector(ITrainings.UnknownTraining.selector, idOf(training)));
        trainings.settle(training);
    }

    function test_settle_unopened_burnsTheShare() external {
        Training memory training = requested();
        _refusedUntil(training, START + OPEN);
        _expectEnd(
            training, TrainingStatus.Cancelled, 0, ModelId.wrap(0), [0, PRIZE - SHARE_WEI, SHARE_WEI]
        );
        _settle(training, START + OPEN);
        assertStatus(training, TrainingStatus.Cancelled);
        assertMoney(PRIZE - SHARE_WEI, HELD, HELD, SHARE_WEI);
    }

    function test_settle_withoutCommitments_paysAllBack() external {
        Training memory training = opened();
        _refusedUntil(training, START + COMMIT);
        _expectEnd(training, TrainingStatus.Cancelled, 0, ModelId.wrap(0), [uint256(0), PRIZE, 0]);
        _settle(training, START + COMMIT);
        assertMoney(PRIZE, HELD, HELD, 0);
    }

    // Unscored.

    function test_settle_unrevealed_paysTheFirstCommitterHalfOfTheShare_andBurnsTheOther() external {
        Training memory training = opened();
        commit(training, bob, 0);
        commit(training, alice, 0);
        commit(training, bob, 1);
        _refusedUntil(training, START + COMMIT + REVEAL);
        _expectEnd(
            training,
            TrainingStatus.Unscored,
            0,
            ModelId.wrap(0),
            [SHARE_WEI / 2, PRIZE - SHARE_WEI, SHARE_WEI / 2]
        );
        _settle(training, START + COMMIT + REVEAL);
        assertStatus(training, TrainingStatus.Unscored);
        assertMoney(PRIZE - SHARE_WEI, HELD + COMMIT_FEE, HELD + SHARE_WEI / 2 + 2 * COMMIT_FEE, SHARE_WEI / 2);
    }

    /// @dev A requester that only wants to look is its own first committer: it loses half of the share all the same.
    function test_settle_unrevealed_requesterThatCommitsFirst_losesHalfOfTheShare() external {
        Training memory training = opened();
        commit(training, asker, 0);
        commit(training, alice, 0);
        _settle(training, START + COMMIT + REVEAL);
        assertMoney(PRIZE - SHARE_WEI / 2 + COMMIT_FEE, HELD + COMMIT_FEE, HELD, SHARE_WEI / 2);
    }

    /// @dev Of an odd share the odd wei is burned.
    function testFuzz_settle_unrevealed_losesNoWei(uint96 feeWei, uint16 unscoredShare) external {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.feeWei = uint96(bound(feeWei, MIN_FEE, FEE));
        terms.unscoredShare = uint16(bound(unscoredShare, 0, 10_000));
        uint256 shareWei = uint256(terms.feeWei) * terms.unscoredShare / 10_000;
        Training memory training = requestedWith(terms);
        openPool(training, poolOf());
        commit(training, bob, 0);
        _settle(training, START + COMMIT + REVEAL);
        uint256 restWei = uint256(terms.feeWei) + BONUS - shareWei;
        assertMoney(restWei, HELD, HELD + shareWei / 2 + COMMIT_FEE, shareWei - shareWei / 2);
    }

    // Missed.

    function test_settle_whenNobodyScored_burnsTheCommitFees() external {
        Training memory training = revealed();
        _refusedUntil(training, REVEALED_AT + CLAIM);
        _expectEnd(training, TrainingStatus.Missed, 0, ModelId.wrap(0), [0, PRIZE, 2 * uint256(COMMIT_FEE)]);
        _settle(training, REVEALED_AT + CLAIM);
        assertStatus(training, TrainingStatus.Missed);
        assertMoney(PRIZE, HELD, HELD, 2 * COMMIT_FEE);
    }

    function test_settle_whenNoClaimStands_returnsTheFeesOfRejectedOnes() external {
        Training memory training = revealed();
        decide(score(training, 0, alice, 6), Certainty.Refuted);
        decide(score(training, 1, bob, 7), Certainty.Rejected);
        _settle(training, REVEALED_AT + CLAIM);
        assertStatus(training, TrainingStatus.Missed);
        assertMoney(PRIZE, HELD - BOND, HELD - BOND + COMMIT_FEE, COMMIT_FEE);
    }

    function test_settle_whileAClaimIsOpen_reverts() external {
        Training memory training = revealed();
        score(training, 0, alice, 6);
        decide(score(training, 1, bob, 7), Certainty.Final);
        vm.warp(REVEALED_AT + CLAIM);
        vm.expectRevert(abi.encodeWithSelector(ITrainings.StillOpen.selector, 0, Certainty.Provisional));
        trainings.settle(training);
    }

    // Trained.

    /// @dev Both claims stand.
    function _scored(Training memory training, uint256 alices, uint256 bobs) private {
        decide(score(training, 0, alice, alices), Certainty.Final);
        decide(score(training, 1, bob, bobs), Certainty.Final);
    }

    function test_settle_beforeTheClaimsAreClosed_reverts() external {
        Training memory training = revealed();
        _scored(training, 6, 7);
        _refusedUntil(training, REVEALED_AT + CLAIM);
    }

    function test_settle_bestTotalWins_withItsPartOfTheBonus() external {
        Training memory training = opened();
        commit(training, alice, 0);
        commit(training, bob, 0);
        commit(training, alice, 1);
        reveal(training);
        _scored(training, 6, 7);
        // Seven of eight lie three quarters of the way from a half to one.
        uint256 paidWei = FEE + 1.5 ether;
        ModelId model = registry.idOf(_trainedModel(bob));
        _expectEnd(training, TrainingStatus.Trained, 1, model, [paidWei, PRIZE - paidWei, COMMIT_FEE]);
        _settle(training, REVEALED_AT + CLAIM);
        assertStatus(training, TrainingStatus.Trained);
        assertMoney(
            PRIZE - paidWei, HELD - BOND + COMMIT_FEE, HELD - BOND + paidWei + COMMIT_FEE, COMMIT_FEE
        );
    }

    function test_settle_fallenClaimsDoNotWin() external {
        Training memory training = revealed();
        decide(score(training, 0, alice, 5), Certainty.Final);
        decide(score(training, 1, bob, 8), Certainty.Refuted);
        _settle(training, REVEALED_AT + CLAIM);
        assertEq(stateOf(training).winner, 0);
        uint256 paidWei = FEE + 0.5 ether;
        assertMoney(PRIZE - paidWei, HELD - BOND + paidWei + COMMIT_FEE, HELD - BOND, COMMIT_FEE);
    }

    function test_settle_ofEqualTotals_theEarliestWins() external {
        Training memory training = revealed();
        decide(score(training, 1, bob, 6), Certainty.Final);
        decide(score(training, 0, alice, 6), Certainty.Final);
        _settle(training, REVEALED_AT + CLAIM);
        uint256 paidWei = FEE + 1 ether;
        assertMoney(PRIZE - paidWei, HELD - BOND + COMMIT_FEE + paidWei, HELD - BOND + COMMIT_FEE, 0);
    }

    function test_settle_atTheThreshold_paysNoBonus() external {
        Training memory training = revealed();
        decide(score(training, 0, alice, 4), Certainty.Final);
        _settle(training, REVEALED_AT + CLAIM);
        assertMoney(BONUS, HELD - BOND + FEE + COMMIT_FEE, HELD, COMMIT_FEE);
    }

    function test_settle_whereLessIsBetter_theLeastTotalWins() external {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = vm.snapshotState();
            TrainingTerms memory terms = termsOf(poolOf());
            terms.property.aggregate = Aggregate.Sum;
            terms.property.comparison = i == 0 ? Comparison.AtMost : Comparison.Below;
            (terms.property.threshold, terms.fullScore) = (0x40a00000, 0x3f800000); // 5 and 1
            Training memory training = requestedWith(terms);
            openPool(training, poolOf());
            commit(training, alice, 0);
            commit(training, bob, 0);
            reveal(training);
            _scored(training, 4, 3);
            _settle(training, REVEALED_AT + CLAIM);
            uint256 paidWei = FEE + 1 ether;
            assertMoney(PRIZE - paidWei, HELD - BOND + COMMIT_FEE, HELD - BOND + COMMIT_FEE + paidWei, 0);
            vm.revertToState(before);
        }
    }

    function test_settle_whereAllMustMeet_theEarliestWins_withTheWholeBonus() external {
        TrainingTerms memory terms = termsOf(poolOf());
        (terms.property.aggregate, terms.property.comparison) = (Aggregate.All, Comparison.AtMost);
        Training memory training = requestedWith(terms);
        openPool(training, poolOf());
        commit(training, alice, 0);
        commit(training, bob, 0);
        reveal(training);
        _scored(training, 0, 0);
        _settle(training, REVEALED_AT + CLAIM);
        assertMoney(0, HELD - BOND + COMMIT_FEE + PRIZE, HELD - BOND + COMMIT_FEE, 0);
    }

    function test_settle_registersTheWinnersNetwork_andNoOther() external {
        Training memory training = revealed();
        _scored(training, 6, 7);
        ModelId id = registry.idOf(_trainedModel(bob));
        assertTrue(!registry.exists(id), "not before it is final");
        _settle(training, REVEALED_AT + CLAIM);
        assertTrue(registry.isOpen(id), "anyone may ask it");
        assertEq(abi.encode(registry.model(id)), abi.encode(_trainedModel(bob)));
        assertTrue(!registry.exists(registry.idOf(_trainedModel(alice))), "who lost is not registered");
        (ModelId model, Certainty certainty) = trainings.trained(idOf(training));
        assertEq(ModelId.unwrap(model), ModelId.unwrap(id));
        assertEq(uint256(certainty), uint256(Certainty.Final));
        assertEq(ModelId.unwrap(stateOf(training).model), ModelId.unwrap(id));
    }

    /// @dev The weights' root is public from the claim on: a rival may register the record first, and retire it.
    function test_settle_whereARivalRetiredTheWinnersRecord_handsOverAnOpenModel() external {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = vm.snapshotState();
            Training memory training = revealed();
            _scored(training, 6, 7);
            vm.startPrank(keeper);
            ModelId id = registry.register(_trainedModel(bob));
            if (i == 0) registry.retire(id);
            vm.stopPrank();
            _settle(training, REVEALED_AT + CLAIM);
            assertEq(ModelId.unwrap(stateOf(training).model), ModelId.unwrap(id));
            assertTrue(registry.isOpen(id), "anyone may ask it");
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelAdopted.selector, id));
            vm.prank(keeper);
            registry.retire(id);
            vm.revertToState(before);
        }
    }

    function test_settle_withAClosedArchitecture_isNotKeptFromEnding() external {
        Training memory training = revealed();
        _scored(training, 6, 7);
        registry.retire(architecture);
        registry.retire(scorer);
        _settle(training, REVEALED_AT + CLAIM);
        assertStatus(training, TrainingStatus.Trained);
    }

    function test_settle_withAModelThatIsRegisteredAlready_isNotKeptFromEnding() external {
        Training memory training = revealed();
        _scored(training, 6, 7);
        registry.register(_trainedModel(bob));
        _settle(training, REVEALED_AT + CLAIM);
        assertStatus(training, TrainingStatus.Trained);
    }

    function test_settle_twice_reverts() external {
        Training memory training = revealed();
        _scored(training, 6, 7);
        _settle(training, REVEALED_AT + CLAIM);
        vm.expectRevert(wrongStatus(TrainingStatus.Trained, TrainingStatus.Revealed));
        trainings.settle(training);
    }

    function test_settle_with32Claims_fitsIntoATransaction() external {
        Training memory training = opened();
        for (uint256 i = 0; i < 32; ++i) {
            commit(training, _one(i), 0);
        }
        reveal(training);
        for (uint32 i = 0; i < 32; ++i) {
            vault.deposit{value: BOND}(_one(i));
            decide(score(training, i, _one(i), 4 + i % 5), Certainty.Final);
        }
        vm.warp(REVEALED_AT + CLAIM);
        uint256 before = gasleft();
        trainings.settle(training);
        assertLe(before - gasleft(), 2_000_000);
        assertEq(stateOf(training).winner, 4);
        assertEq(vault.escrowOf(address(trainings)), 0);
    }

    function _one(uint256 index) private returns (address who) {
        who = address(uint160(0xE000 + index));
        vm.deal(who, 1 ether);
    }

    function _trainedModel(address who) private pure returns (Model memory model) {
        model = architectureModel();
        model.weightsRoot = weightsOf(who, 0);
    }

    // Best of many.

    /// @dev PROTOCOL.md 7.1: with a commit fee of `bonus * sigma / (full - threshold)` the best of 20 attempts of one quality,
    /// `sigma * sqrt(2 ln 20)` better than one, earns less than it costs. Fractions are in units of 1e18.
    function test_settle_bestOf20_earnsLessThanItCosts() external {
        uint256 quality = 0.75e18;
        uint256 sigma = FixedPointMathLib.sqrt(quality * (1e18 - quality) / ITEMS);
        TrainingTerms memory terms = termsOf(poolOf());
        terms.commitFeeWei = uint96(BONUS * sigma / 0.5e18);
        uint256 best = quality + sigma * 2.4477e9 / 1e9;
        uint256 right = FixedPointMathLib.min(ITEMS, FixedPointMathLib.divUp(best * ITEMS, 1e18));

        uint256 before = vm.snapshotState();
        uint256 onceWei = _earned(terms, 1, 6);
        vm.revertToState(before);
        assertTrue(_earned(terms, 20, right) < onceWei, "one attempt pays better than twenty");
    }

    /// @dev Alice's wei, in the Vault and out of it, after `attempts` commitments of which one comes to `right`.
    function _earned(TrainingTerms memory terms, uint256 attempts, uint256 right) private returns (uint256) {
        Training memory training = requestedWith(terms);
        openPool(training, poolOf());
        for (uint256 i = 0; i < attempts; ++i) {
            commit(training, alice, i);
        }
        reveal(training);
        decide(score(training, 0, alice, right), Certainty.Final);
        _settle(training, REVEALED_AT + CLAIM);
        return vault.balanceOf(alice) + alice.balance;
    }
}
