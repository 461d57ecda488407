// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    Generation, GenerationState, GenerationStatus, GenerationTerms, IGenerations
} from "../../contracts/interfaces/IGenerations.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {IPropertyJudge} from "../../contracts/interfaces/IPropertyJudge.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {GENERATION_TAG, SEED_TAG, UNIFORM_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {F16, F32, I32, I64, TensorHeader} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {GenerationStage} from "./mocks/GenerationStage.sol";
import {Models} from "./mocks/Models.sol";

/// @notice Requests for texts, their seeds and leases, and refunds: everything but claims.
contract GenerationsTest is GenerationStage {
    function _refused(GenerationTerms memory terms, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(asker);
        generations.request{value: terms.feeWei}(terms);
    }

    // Requests: refusals.

    function test_request_wrongPayment_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.WrongPayment.selector, FEE - 1, FEE));
        vm.prank(asker);
        generations.request{value: FEE - 1}(terms);
    }

    function test_request_feeBelowTheLeast_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.feeWei = MIN_FEE - 1;
        _refused(terms, abi.encodeWithSelector(IGenerations.FeeTooLow.selector, MIN_FEE - 1, MIN_FEE));
        terms.feeWei = MIN_FEE;
        requestedWith(terms);
    }

    function test_request_unknownOrClosedScorer_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.scorer = ModelId.wrap(keccak256("nothing"));
        _refused(terms, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, terms.scorer));
        registry.retire(greedy);
        _refused(termsOf(false), abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, greedy));
    }

    function test_request_deadlineOutOfRange_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        uint40[2] memory ends = [START + WINDOW, START + 30 days];
        for (uint256 i = 0; i < 2; ++i) {
            terms.deadline = Instant.wrap(i == 0 ? ends[0] - 1 : ends[1] + 1);
            _refused(
                terms,
                abi.encodeWithSelector(IGenerations.DeadlineOutOfRange.selector, terms.deadline, ends[0], ends[1])
            );
            terms.deadline = Instant.wrap(ends[i]);
            requestedWith(terms);
        }
    }

    function test_request_callbackGasOutOfRange_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.callbackGas = 1;
        _refused(terms, abi.encodeWithSelector(IGenerations.CallbackGasOutOfRange.selector, 1, 0));
        (terms.callback, terms.callbackGas) = (address(1), 0);
        _refused(terms, abi.encodeWithSelector(IGenerations.CallbackGasOutOfRange.selector, 0, 1_000_000));
        terms.callbackGas = 1_000_001;
        _refused(terms, abi.encodeWithSelector(IGenerations.CallbackGasOutOfRange.selector, 1_000_001, 1_000_000));
    }

    function test_request_scorersOfNoText_revert() external {
        // A scorer with uniforms for a greedy request, and one without for a sampled one.
        _refusesScorer(scorerModel(10, NEW + 1, true), false);
        _refusesScorer(scorerModel(11, NEW, false), true);
        // Another number of scores; of uniforms; no prompt; texts of two rows, of one axis, and of floats; scores of f16.
        _refusesScorer(scorerModel(10, NEW - 1, false), false);
        Model memory model = scorerModel(10, NEW, true);
        model.inputs[1].header = Models.header(F32, 1, NEW + 1);
        _refusesScorer(model, true);
        _refusesScorer(scorerModel(NEW, NEW, false), false);
        TensorHeader[3] memory texts =
            [Models.header(I64, 2, 10), _vector(I64, 10), Models.header(F32, 1, 10)];
        for (uint256 i = 0; i < texts.length; ++i) {
            model = scorerModel(10, NEW, false);
            model.inputs[0].header = texts[i];
            _refusesScorer(model, false);
        }
        model = scorerModel(10, NEW, false);
        model.outputHeader = Models.header(F16, 1, NEW);
        _refusesScorer(model, false);
    }

    function _refusesScorer(Model memory model, bool isSampled) private {
        GenerationTerms memory terms = termsOf(isSampled);
        terms.scorer = registry.register(model);
        _refused(terms, abi.encodeWithSelector(IGenerations.NotATextScorer.selector, terms.scorer));
    }

    function _vector(uint8 dtype, uint32 length) private pure returns (TensorHeader) {
        return TensorHeader.wrap(bytes32((uint256(dtype) << 248) | (uint256(1) << 240) | (uint256(length) << 192)));
    }

    function test_request_promptOfAnotherLength_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.prompt = tokensOf(5, 1);
        _refused(terms, abi.encodeWithSelector(IGenerations.WrongPromptLength.selector, 40, 48));
        terms.prompt = tokensOf(7, 1);
        _refused(terms, abi.encodeWithSelector(IGenerations.WrongPromptLength.selector, 56, 48));
    }

    function test_request_promptOutOfTheVocabulary_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.prompt = tokensOf(6, 95);
        _refused(terms, abi.encodeWithSelector(IModelRegistry.InputOutOfRange.selector, 5, 100, 0, 99));
    }

    function test_request_textTooLong_reverts() external {
        GenerationTerms memory terms = termsOf(false);
        terms.scorer = registry.register(scorerModel(513, NEW, false));
        terms.prompt = tokensOf(509, 0);
        _refused(terms, abi.encodeWithSelector(IGenerations.TextTooLong.selector, 4_104, 4_096));
    }

    function test_request_longestText_ofEitherDtype_isTaken() external {
        GenerationTerms memory terms = termsOf(false);
        terms.scorer = registry.register(scorerModel(512, NEW, false));
        terms.prompt = new bytes(508 * 8);
        requestedWith(terms);
        Model memory model = scorerModel(1_024, NEW, false);
        model.inputs[0].header = Models.header(I32, 1, 1_024);
        terms.scorer = registry.register(model);
        terms.prompt = new bytes(1_020 * 4);
        requestedWith(terms);
    }

    /// @dev Half of the band, exactly, in normal and in subnormal numbers; a negative delta and NaN are above it too.
    function test_request_deltaAboveHalfTheBand_reverts() external {
        uint32[2][6] memory bands = [
            [BAND, DELTA],
            [uint32(0x3f000001), 0x3e800001],
            [uint32(0x01000000), 0x00800000],
            [uint32(0x00800001), 0x00400000],
            [uint32(0x00000003), 0x00000001],
            [uint32(0), 0]
        ];
        for (uint256 i = 0; i < bands.length; ++i) {
            Model memory model = scorerModel(10, NEW, false);
            (model.outputBand, model.slashBand) = (bands[i][0], 0x40800000);
            GenerationTerms memory terms = termsOf(false);
            if (i != 0) terms.scorer = registry.register(model);
            uint32[3] memory beyond = [bands[i][1] + 1, 0x80000000, 0x7fc00000];
            for (uint256 j = 0; j < beyond.length; ++j) {
                terms.delta = beyond[j];
                _refused(
                    terms, abi.encodeWithSelector(IGenerations.DeltaOutOfRange.selector, beyond[j], bands[i][1])
                );
            }
            terms.delta = bands[i][1];
            requestedWith(terms);
        }
    }

    function test_request_deltaThatCannotBeJudged_reverts() external {
        Model memory model = scorerModel(10, NEW, false);
        (model.outputBand, model.slashBand) = (0x60800000, 0x61800000); // 2^66
        GenerationTerms memory terms = termsOf(false);
        (terms.scorer, terms.delta) = (registry.register(model), 0x5f800000);
        _refused(terms, abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, 0xdf800000));
    }

    // Requests.

    function test_request_isKeptUnderItsHash_withItsFee() external {
        Generation memory generation = Generation(asker, 0, Instant.wrap(START), termsOf(false));
        RequestId id =
            RequestId.wrap(keccak256(abi.encode(GENERATION_TAG, block.chainid, address(generations), generation)));
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.GenerationRequested(id, asker, generation);
        requested(false);
        GenerationState memory state = stateOf(generation);
        assertEq(uint256(state.status), uint256(GenerationStatus.Open));
        assertEq(state.anchor, BLOCK);
        assertEq(Instant.unwrap(state.deadline), DEADLINE);
        assertEq(vault.escrowOf(address(generations)), FEE);
    }

    // Seeds.

    function _refusesDraw(Generation memory generation, bytes memory reason) private {
        vm.expectRevert(reason);
        generations.draw(generation);
    }

    function test_draw_greedy_reverts() external {
        Generation memory generation = requested(false);
        vm.roll(BLOCK + 2);
        _refusesDraw(generation, abi.encodeWithSelector(IGenerations.NothingToDraw.selector));
    }

    function test_draw_unknownGeneration_reverts() external {
        Generation memory generation = requested(true);
        ++generation.nonce;
        _refusesDraw(
            generation, abi.encodeWithSelector(IGenerations.UnknownGeneration.selector, idOf(generation))
        );
    }

    function test_draw_beforeTheBeacon_reverts() external {
        Generation memory generation = requested(true);
        for (uint256 number = BLOCK; number <= BLOCK + 1; ++number) {
            vm.roll(number);
            _refusesDraw(generation, abi.encodeWithSelector(IGenerations.BeaconNotReady.selector, BLOCK));
        }
    }

    function test_draw_fixesTheSeed_once() external {
        Generation memory generation = requested(true);
        vm.roll(BLOCK + 257);
        bytes32 seed = keccak256(abi.encode(SEED_TAG, idOf(generation), blockhash(BLOCK + 1)));
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.Drawn(idOf(generation), seed, uint64(BLOCK));
        generations.draw(generation);
        assertEq(stateOf(generation).seed, seed);
        _refusesDraw(generation, abi.encodeWithSelector(IGenerations.AlreadyDrawn.selector));
    }

    function test_draw_whenTheBeaconIsForgotten_movesTheAnchor() external {
        Generation memory generation = requested(true);
        vm.roll(BLOCK + 258);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.Drawn(idOf(generation), 0, uint64(BLOCK + 258));
        generations.draw(generation);
        _refusesDraw(generation, abi.encodeWithSelector(IGenerations.BeaconNotReady.selector, BLOCK + 258));
        vm.roll(BLOCK + 260);
        generations.draw(generation);
        bytes32 expected = keccak256(abi.encode(SEED_TAG, idOf(generation), blockhash(BLOCK + 259)));
        assertEq(stateOf(generation).seed, expected);
    }

    function testFuzz_uniformsOf_areTopBitsOfHashes(bytes32 seed, uint256 count) external view {
        count = bound(count, 0, 33);
        bytes memory uniforms = generations.uniformsOf(seed, uint32(count));
        assertEq(uniforms.length, 4 * count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 k = uint256(sha256(abi.encodePacked(UNIFORM_TAG, seed, i))) >> 232;
            assertEq(_units(uniforms, 4 * i), k);
        }
    }

    /// @dev The f32 at `place` as a multiple of 2^-24, exactly.
    function _units(bytes memory data, uint256 place) private pure returns (uint256) {
        uint256 bits = 0;
        for (uint256 i = 0; i < 4; ++i) {
            bits = (bits << 8) | uint8(data[place + i]);
        }
        if (bits == 0) return 0;
        (uint256 mantissa, uint256 exponent) = ((bits & 0x7fffff) | 0x800000, bits >> 23);
        assertEq(mantissa % (1 << (126 - exponent)), 0);
        return mantissa >> (126 - exponent);
    }

    // Leases.

    function _refusesTake(Generation memory generation, address who, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(who);
        generations.take(generation);
    }

    function test_take_notDrawn_reverts() external {
        Generation memory generation = requested(true);
        _refusesTake(generation, alice, abi.encodeWithSelector(IGenerations.NotDrawn.selector));
        vm.roll(BLOCK + 2);
        generations.draw(generation);
        take(generation, alice);
    }

    function test_take_heldByAnother_revertsUntilItLapses() external {
        Generation memory generation = requested(false);
        take(generation, alice);
        bytes memory held = abi.encodeWithSelector(IGenerations.LeaseHeld.selector, alice, START + TERM);
        _refusesTake(generation, bob, held);
        vm.warp(START + TERM - 1);
        _refusesTake(generation, bob, held);
        vm.warp(START + TERM);
        take(generation, bob);
        assertMoney(0, HELD - DEPOSIT, HELD - DEPOSIT, DEPOSIT);
        assertEq(stateOf(generation).lessee, bob);
    }

    function test_take_atOrAfterTheDeadline_reverts() external {
        Generation memory generation = requested(false);
        for (uint256 moment = DEADLINE; moment <= DEADLINE + 1; ++moment) {
            vm.warp(moment);
            _refusesTake(generation, alice, abi.encodeWithSelector(IGenerations.DeadlinePassed.selector, DEADLINE));
        }
        vm.warp(DEADLINE - 1);
        take(generation, alice);
    }

    function test_take_withoutMoney_reverts() external {
        Generation memory generation = requested(false);
        _refusesTake(
            generation, keeper, abi.encodeWithSelector(IVault.InsufficientBalance.selector, keeper, 0, DEPOSIT)
        );
    }

    function test_take_claimed_reverts() external {
        Generation memory generation = requested(false);
        claimed(generation);
        _refusesTake(generation, bob, wrongStatus(GenerationStatus.Claimed, GenerationStatus.Open));
    }

    function test_take_locksTheDeposit_fromValueSentAlong() external {
        Generation memory generation = requested(false);
        vm.deal(keeper, 1 ether);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.Taken(idOf(generation), keeper, Instant.wrap(START + TERM), DEPOSIT);
        vm.prank(keeper);
        generations.take{value: DEPOSIT + 5}(generation);
        assertEq(vault.balanceOf(keeper), 5);
        assertEq(vault.escrowOf(address(generations)), FEE + DEPOSIT);
    }
}
