// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {
    Generation, GenerationState, GenerationStatus, GenerationTerms, IGenerations
} from "../../contracts/interfaces/IGenerations.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IPropertyJudge} from "../../contracts/interfaces/IPropertyJudge.sol";
import {IScoreClaims, Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {LEAF_TAG, TENSOR_TAG, TEXT_SUBJECT_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {GenerationStage} from "./mocks/GenerationStage.sol";
import {Models} from "./mocks/Models.sol";

/// @notice Texts are claimed, fall, and are asked for again; requests that nobody answers are refunded.
contract GenerationsClaimsTest is GenerationStage {
    uint32 private constant SIGN = 0x80000000;

    function _taken() private returns (Generation memory generation) {
        generation = requested(false);
        take(generation, alice);
    }

    function _refused(Generation memory generation, bytes memory tokens, bytes memory scores, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        vm.prank(alice);
        generations.claim(generation, tokens, scores, BOND);
    }

    function _refusedBy(Generation memory generation, address who, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(who);
        generations.claim(generation, text(), scoresWith(0), BOND);
    }

    // Refusals.

    function test_claim_byAnotherThanTheLessee_reverts() external {
        Generation memory generation = requested(false);
        _refusedBy(
            generation, alice, abi.encodeWithSelector(IGenerations.NotTheLessee.selector, alice, address(0))
        );
        take(generation, alice);
        _refusedBy(generation, bob, abi.encodeWithSelector(IGenerations.NotTheLessee.selector, bob, alice));
    }

    function test_claim_atOrAfterTheLeasesEnd_reverts() external {
        Generation memory generation = _taken();
        for (uint256 moment = START + TERM; moment <= START + TERM + 1; ++moment) {
            vm.warp(moment);
            _refusedBy(
                generation, alice, abi.encodeWithSelector(IGenerations.LeaseExpired.selector, START + TERM)
            );
        }
        vm.warp(START + TERM - 1);
        claim(generation, alice, BOND);
    }

    function test_claim_atOrAfterTheDeadline_reverts() external {
        Generation memory generation = requested(false);
        vm.warp(DEADLINE - 1);
        take(generation, alice);
        for (uint256 moment = DEADLINE; moment <= DEADLINE + 1; ++moment) {
            vm.warp(moment);
            _refusedBy(generation, alice, abi.encodeWithSelector(IGenerations.DeadlinePassed.selector, DEADLINE));
        }
        vm.warp(DEADLINE - 1);
        claim(generation, alice, BOND);
    }

    function test_claim_twice_reverts() external {
        Generation memory generation = _taken();
        claim(generation, alice, BOND);
        _refusedBy(generation, alice, wrongStatus(GenerationStatus.Claimed, GenerationStatus.Open));
    }

    function test_claim_tokensOfAnotherLength_revert() external {
        Generation memory generation = _taken();
        bytes memory scores = scoresWith(0);
        _refused(
            generation,
            tokensOf(NEW - 1, 50),
            scores,
            abi.encodeWithSelector(IGenerations.WrongTokensLength.selector, 24, 32)
        );
        _refused(
            generation,
            tokensOf(NEW + 1, 50),
            scores,
            abi.encodeWithSelector(IGenerations.WrongTokensLength.selector, 40, 32)
        );
    }

    function test_claim_scoresOfAnotherLength_revert() external {
        bytes memory reason = abi.encodeWithSelector(IPropertyJudge.WrongScoresLength.selector, 12, 16);
        _refused(_taken(), text(), new bytes(12), reason);
    }

    function test_claim_tokensOutOfTheVocabulary_revert() external {
        bytes memory reason = abi.encodeWithSelector(IModelRegistry.InputOutOfRange.selector, 8, 100, 0, 99);
        _refused(_taken(), tokensOf(NEW, 98), scoresWith(0), reason);
    }

    /// @dev Scores are margins: the least may be -delta, and not the next float below.
    function test_claim_marginBelowMinusDelta_reverts() external {
        Generation memory generation = _taken();
        int256 least = -(int256(0x800001) << 124);
        _refused(
            generation,
            text(),
            scoresWith((DELTA + 1) | SIGN),
            abi.encodeWithSelector(IGenerations.MarginMissed.selector, least)
        );
        vm.prank(alice);
        generations.claim(generation, text(), scoresWith(DELTA | SIGN), BOND);
    }

    function test_claim_withoutAnyDelta_takesScoresOfZero() external {
        GenerationTerms memory terms = termsOf(false);
        terms.delta = 0;
        Generation memory generation = requestedWith(terms);
        take(generation, alice);
        bytes memory reason = abi.encodeWithSelector(IGenerations.MarginMissed.selector, int256(-1));
        _refused(generation, text(), scoresWith(SIGN | 1), reason);
        vm.prank(alice);
        generations.claim(generation, text(), scoresWith(SIGN), BOND);
    }

    function test_claim_bondBelowTheLeast_reverts() external {
        Generation memory generation = _taken();
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, BOND - 1, BOND));
        vm.prank(alice);
        generations.claim(generation, text(), scoresWith(0), BOND - 1);
        scoreClaims.setMinimum(BOND + 1);
        _refusedBy(generation, alice, abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, BOND, BOND + 1));
    }

    function test_claim_withoutMoneyForTheBond_reverts() external {
        Generation memory generation = _taken();
        vm.prank(alice);
        vault.withdraw(alice, HELD - DEPOSIT);
        // The lease's deposit comes back first.
        _refusedBy(
            generation, alice, abi.encodeWithSelector(IVault.InsufficientBalance.selector, alice, DEPOSIT, BOND)
        );
        vm.deal(alice, BOND);
        vm.prank(alice);
        generations.claim{value: BOND - DEPOSIT}(generation, text(), scoresWith(0), BOND);
        assertEq(vault.balanceOf(alice), 0);
    }

    // Claims.

    function _subject(Generation memory generation, uint32 attempts, address who) private view returns (bytes32) {
        return keccak256(abi.encode(TEXT_SUBJECT_TAG, idOf(generation), attempts, who, keccak256(text())));
    }

    function test_claim_greedy_isOneItem_ofPromptAndTokens() external {
        Generation memory generation = _taken();
        ClaimBatchId made = claim(generation, alice, BOND + 7);
        (, Scoring memory scoring) = scoreClaims.last();
        assertEq(scoring.subject, _subject(generation, 0, alice));
        assertEq(scoring.executor, alice);
        assertEq(ModelId.unwrap(scoring.scorer), ModelId.unwrap(greedy));
        assertEq(
            BundleRoot.unwrap(scoring.weightsRoot), BundleRoot.unwrap(registry.model(greedy).weightsRoot)
        );
        assertEq(scoring.items.length, 1);
        bytes memory whole = bytes.concat(tokensOf(6, 1), text());
        assertEq(BundleRoot.unwrap(scoring.items[0]), BundleRoot.unwrap(registry.commitInputs(greedy, whole)));
        assertEq(scoring.scores, scoresWith(0));
        assertEq(scoring.bondWei, BOND + 7);

        GenerationState memory state = stateOf(generation);
        assertEq(uint256(state.status), uint256(GenerationStatus.Claimed));
        assertEq(ClaimBatchId.unwrap(state.claim), ClaimBatchId.unwrap(made));
        assertEq(state.output, keccak256(text()));
        assertEq(state.lessee, address(0));
        assertEq(state.executor, alice);
        assertMoney(0, HELD - BOND - 7, HELD, 0);
    }

    function test_claim_sampled_hasItsUniformsBesides() external {
        Generation memory generation = requested(true);
        vm.roll(BLOCK + 2);
        generations.draw(generation);
        take(generation, alice);
        claim(generation, alice, BOND);
        bytes memory uniforms = generations.uniformsOf(stateOf(generation).seed, NEW);
        bytes memory whole = bytes.concat(tokensOf(6, 1), text(), uniforms);
        (, Scoring memory scoring) = scoreClaims.last();
        assertEq(BundleRoot.unwrap(scoring.items[0]), BundleRoot.unwrap(registry.commitInputs(sampled, whole)));
    }

    /// @dev 16 scores stand in the claim whole, 17 by their root.
    function test_claim_longOutput_isClaimedByRoot() external {
        for (uint32 fresh = 16; fresh <= 17; ++fresh) {
            GenerationTerms memory terms = termsOf(false);
            (terms.scorer, terms.newTokens) = (registry.register(scorerModel(20, fresh, false)), fresh);
            terms.prompt = tokensOf(20 - fresh, 1);
            Generation memory generation = requestedWith(terms);
            take(generation, alice);
            bytes memory scores = new bytes(4 * fresh);
            vm.prank(alice);
            generations.claim(generation, tokensOf(fresh, 40), scores, BOND);
            (, Scoring memory scoring) = scoreClaims.last();
            bytes32 leaf = sha256(bytes.concat(LEAF_TAG, scores));
            bytes memory root = abi.encode(sha256(abi.encode(TENSOR_TAG, Models.header(F32, 1, fresh), leaf)));
            assertEq(scoring.scores, fresh == 16 ? scores : root);
        }
    }

    /// @dev All that a text is checked with stands in the log, also where the claim holds only the scores' root.
    function test_claim_showsTokensAndScores() external {
        for (uint32 fresh = 16; fresh <= 17; ++fresh) {
            GenerationTerms memory terms = termsOf(false);
            (terms.scorer, terms.newTokens) = (registry.register(scorerModel(20, fresh, false)), fresh);
            terms.prompt = tokensOf(20 - fresh, 1);
            Generation memory generation = requestedWith(terms);
            take(generation, alice);
            (bytes memory tokens, bytes memory scores) = (tokensOf(fresh, 40), new bytes(4 * fresh));
            scores[4 * fresh - 1] = 0x07;
            uint256 before = vm.snapshotState();
            vm.prank(alice);
            ClaimBatchId made = generations.claim(generation, tokens, scores, BOND);
            vm.revertToState(before);
            vm.expectEmit(true, true, true, true, address(generations));
            emit IGenerations.Generated(idOf(generation), alice, made, tokens, scores);
            vm.prank(alice);
            generations.claim(generation, tokens, scores, BOND);
        }
    }

    // Fallen claims.

    function test_reopen_withoutAFallenClaim_reverts() external {
        Generation memory generation = _taken();
        vm.expectRevert(wrongStatus(GenerationStatus.Open, GenerationStatus.Claimed));
        generations.reopen(generation);
        ClaimBatchId made = claim(generation, alice, BOND);
        Certainty[2] memory standing = [Certainty.Provisional, Certainty.Final];
        for (uint256 i = 0; i < 2; ++i) {
            scoreClaims.set(made, standing[i]);
            vm.expectRevert(
                abi.encodeWithSelector(IScoreClaims.WrongCertainty.selector, standing[i], Certainty.Refuted)
            );
            generations.reopen(generation);
        }
    }

    function test_reopen_leavesTimeForALeaseAndAWindow() external {
        Generation memory generation = _taken();
        ClaimBatchId made = claim(generation, alice, BOND);
        scoreClaims.set(made, Certainty.Refuted);
        vm.warp(DEADLINE + 10);
        Instant deadline = Instant.wrap(DEADLINE + 10 + WINDOW + TERM);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.GenerationReopened(idOf(generation), made, Certainty.Refuted, deadline);
        generations.reopen(generation);
        GenerationState memory state = stateOf(generation);
        assertEq(uint256(state.status), uint256(GenerationStatus.Open));
        assertEq(Instant.unwrap(state.deadline), Instant.unwrap(deadline));
        assertEq(state.attempts, 1);
        assertEq(ClaimBatchId.unwrap(state.claim), 0);
        assertEq(state.executor, address(0));
        assertEq(state.output, 0);
    }

    function test_take_afterOnesOwnRejection_reverts() external {
        Generation memory generation = requested(false);
        fall(generation, Certainty.Rejected);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.ExcludedExecutor.selector, alice, idOf(generation)));
        take(generation, alice);
        take(generation, bob);
        scoreClaims.set(claim(generation, bob, BOND), Certainty.Refuted);
        generations.reopen(generation);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.ExcludedExecutor.selector, alice, idOf(generation)));
        take(generation, alice);
        take(requested(false), alice);
        take(generation, bob);
    }

    function test_reopen_neverShortensTheDeadline() external {
        Generation memory generation = requested(false);
        fall(generation, Certainty.Refuted);
        assertEq(Instant.unwrap(stateOf(generation).deadline), DEADLINE);
    }

    function test_claim_afterRefutations_needsTwiceTheBondEach_upTo64Times() external {
        Generation memory generation = requested(false);
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: 300 ether}(alice);
        for (uint256 fallen = 0; fallen < 8; ++fallen) {
            uint256 leastWei = uint256(BOND) << (fallen < 6 ? fallen : 6);
            take(generation, alice);
            vm.expectRevert(abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, leastWei - 1, leastWei));
            claim(generation, alice, uint96(leastWei - 1));
            scoreClaims.set(claim(generation, alice, uint96(leastWei)), Certainty.Refuted);
            generations.reopen(generation);
        }
    }

    function test_claim_afterARejection_needsNoMore_andIsAnotherClaim() external {
        Generation memory generation = requested(false);
        fall(generation, Certainty.Rejected);
        take(generation, bob);
        claim(generation, bob, BOND);
        (, Scoring memory scoring) = scoreClaims.last();
        assertEq(scoring.subject, _subject(generation, 1, bob));
    }

    function test_reopen_afterThreeRejections_isRefundable() external {
        Generation memory generation = requested(false);
        address[3] memory others = [keeper, alice, bob];
        vm.deal(keeper, HELD);
        vault.deposit{value: BOND + DEPOSIT}(keeper);
        for (uint256 i = 0; i < 3; ++i) {
            take(generation, others[i]);
            scoreClaims.set(claim(generation, others[i], BOND), Certainty.Rejected);
            generations.reopen(generation);
        }
        vm.prank(keeper);
        vault.withdraw(keeper, DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.DeadlinePassed.selector, START));
        vm.prank(bob);
        generations.take(generation);
        generations.refund(generation);
        assertMoney(FEE, HELD - BOND, HELD - BOND, 0);
    }

    // Refunds.

    function test_refund_beforeTheDeadline_reverts() external {
        Generation memory generation = requested(false);
        vm.warp(DEADLINE - 1);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.NotYetRefundable.selector, DEADLINE));
        generations.refund(generation);
        vm.warp(DEADLINE);
        generations.refund(generation);
    }

    function test_refund_claimed_reverts() external {
        Generation memory generation = _taken();
        claim(generation, alice, BOND);
        vm.warp(DEADLINE);
        vm.expectRevert(wrongStatus(GenerationStatus.Claimed, GenerationStatus.Open));
        generations.refund(generation);
    }

    function test_refund_twice_reverts() external {
        Generation memory generation = requested(false);
        vm.warp(DEADLINE + 1);
        generations.refund(generation);
        vm.expectRevert(wrongStatus(GenerationStatus.Refunded, GenerationStatus.Open));
        generations.refund(generation);
    }

    function test_refund_paysTheRequester_andBurnsALeaseThatWasNotUsed() external {
        Generation memory generation = _taken();
        vm.warp(DEADLINE);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.GenerationRefunded(idOf(generation), FEE);
        vm.prank(keeper);
        generations.refund(generation);
        assertStatus(generation, GenerationStatus.Refunded);
        assertMoney(FEE, HELD - DEPOSIT, HELD, DEPOSIT);
    }
}
