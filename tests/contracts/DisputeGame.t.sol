// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {Dispute, DisputeStatus, IDisputeGame, TraceOpening} from "../../contracts/interfaces/IDisputeGame.sol";
import {FaultKind, Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {ClaimId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {DisputeCast} from "./mocks/DisputeCast.sol";

/// @notice Who may do what and when. Windows: open 100 s, collect 40 s, supply 60 s, prove 80 s. Money stands beside.
contract DisputeGameTest is DisputeCast {
    // Challenge.

    function test_challenge_withoutBalance_reverts() public {
        (ClaimWitness memory witness,) = live(0, false);
        uint256 bond = game.challengeBond(BOND);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, THIEF, 0, bond));
        vm.prank(THIEF);
        game.challenge(witness);
    }

    function test_challenge_twice_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(
            abi.encodeWithSelector(IClaimChain.WrongCertainty.selector, Certainty.Challenged, Certainty.None)
        );
        vm.prank(CHALLENGER);
        game.challenge(witness);
    }

    function test_challenge_aroundTheWindow_isInTimeOnlyBefore() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, true);
        for (uint256 moment = START + 200; moment <= START + 201; ++moment) {
            vm.warp(moment);
            vm.expectRevert(_tooLate(moment, START + 200));
            vm.prank(CHALLENGER);
            game.challenge(witness);
        }
        vm.warp(START + 199);
        vm.prank(CHALLENGER);
        game.challenge(witness);
        assertStatus(id, DisputeStatus.Opened);
    }

    function test_challenge_locksTheBondAndRemembersTheClaim() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, false);
        uint96 bond = uint96(game.challengeBond(BOND));
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.ChallengeMade(id, CHALLENGER, EXECUTOR, bond);
        vm.prank(CHALLENGER);
        game.challenge(witness);

        Dispute memory dispute = game.disputeOf(id);
        assertStatus(id, DisputeStatus.Challenged);
        assertEq(dispute.challenger, CHALLENGER);
        assertEq(dispute.bondWei, bond);
        assertEq(Instant.unwrap(dispute.challengedAt), START);
        assertTrue(dispute.openedAt.isZero(), "nothing is open yet");
        assertEq(vault.escrowOf(address(game)), bond);
    }

    function test_challenge_withValue_isCreditedFirst() public {
        (ClaimWitness memory witness,) = live(0, false);
        vm.deal(THIEF, 5 ether);
        uint256 bond = game.challengeBond(BOND);
        vm.prank(THIEF);
        game.challenge{value: 5 ether}(witness);
        assertEq(vault.balanceOf(THIEF), 5 ether - bond);
    }

    function test_challenge_eagerClaim_opensItsTraceAtOnce() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, true);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.TraceOpened(id, BundleRoot.wrap(TRACE));
        vm.prank(CHALLENGER);
        game.challenge(witness);
        assertStatus(id, DisputeStatus.Opened);
        demandLeaves(DEMANDER, witness, 1);
        concludeAt(witness, START + 100);
        assertStatus(id, DisputeStatus.Refuted);
    }

    // Open.

    function test_open_byAnotherThanTheExecutor_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotTheExecutor.selector, THIEF, EXECUTOR));
        vm.prank(THIEF);
        game.open(witness.claims, new TraceOpening[](1));
    }

    function test_open_namesakeBatchOfAThief_reverts() public {
        (ClaimWitness memory witness, ClaimId id) = challenged();
        witness.claims.executor = THIEF;
        vm.expectRevert(_wrongStatus(DisputeStatus.None, DisputeStatus.Challenged));
        vm.prank(THIEF);
        game.open(witness.claims, new TraceOpening[](1));
        assertStatus(id, DisputeStatus.Challenged);
    }

    function test_open_nothing_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(IDisputeGame.NothingOpened.selector);
        vm.prank(EXECUTOR);
        game.open(witness.claims, new TraceOpening[](0));
    }

    function test_open_zeroTraceRoot_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(IDisputeGame.ZeroTraceRoot.selector);
        vm.prank(EXECUTOR);
        game.open(witness.claims, new TraceOpening[](1));
    }

    function test_open_unchallenged_reverts() public {
        (ClaimWitness memory witness,) = live(0, false);
        vm.expectRevert(_wrongStatus(DisputeStatus.None, DisputeStatus.Challenged));
        openTrace(witness);
    }

    function test_open_twice_reverts() public {
        (ClaimWitness memory witness,) = opened();
        vm.expectRevert(_wrongStatus(DisputeStatus.Opened, DisputeStatus.Challenged));
        openTrace(witness);
    }

    function test_open_aroundTheClock_endsWhereSilenceBegins() public {
        (ClaimWitness memory witness, ClaimId id) = challenged();
        vm.warp(START + 99);
        vm.expectRevert(_tooEarly(START + 99, START + 100));
        game.conclude(witness);
        uint256 before = vm.snapshotState();
        openTrace(witness);
        assertStatus(id, DisputeStatus.Opened);

        vm.revertToState(before);
        for (uint256 moment = START + 100; moment <= START + 101; ++moment) {
            vm.warp(moment);
            vm.expectRevert(_tooLate(moment, START + 100));
            openTrace(witness);
        }
        concludeAt(witness, START + 100);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_open_allChallengesOfABatch_inOneCall() public {
        TraceOpening[] memory openings = new TraceOpening[](4);
        ClaimWitness memory witness;
        for (uint32 i = 0; i < 4; ++i) {
            witness = claimed(7, i, false);
            vm.prank(CHALLENGER);
            game.challenge(witness);
            openings[i] = TraceOpening(i, BundleRoot.wrap(keccak256(abi.encode(i))));
        }
        vm.prank(EXECUTOR);
        game.open(witness.claims, openings);
        for (uint32 i = 0; i < 4; ++i) {
            Dispute memory dispute = game.disputeOf(claims.idOf(claimed(7, i, false)));
            assertEq(uint256(dispute.status), uint256(DisputeStatus.Opened));
            assertEq(BundleRoot.unwrap(dispute.traceRoot), keccak256(abi.encode(i)));
        }
    }

    // Prove.

    function test_prove_beforeOpening_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(_wrongStatus(DisputeStatus.Challenged, DisputeStatus.Opened));
        proveFault(witness, Verdict.BeyondSound);
    }

    function test_prove_unknownClaim_reverts() public {
        (ClaimWitness memory witness,) = live(0, false);
        vm.expectRevert(_wrongStatus(DisputeStatus.None, DisputeStatus.Opened));
        proveFault(witness, Verdict.BeyondSound);
    }

    function test_prove_noFault_reverts() public {
        (ClaimWitness memory witness,) = opened();
        vm.expectRevert(IDisputeGame.NoFaultFound.selector);
        proveFault(witness, Verdict.NoFault);
    }

    function test_prove_otherInputsOrEntry_reverts() public {
        (ClaimWitness memory witness,) = opened();
        witness.request.inputsRoot = BundleRoot.wrap(keccak256("other inputs"));
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotInClaims.selector, 0));
        proveFault(witness, Verdict.BeyondSound);
        witness = claimed(0, 0, false);
        witness.entry = "other output";
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotInClaims.selector, 0));
        proveFault(witness, Verdict.BeyondSound);
    }

    function test_prove_afterFinality_reverts() public {
        (ClaimWitness memory witness,) = opened();
        concludeAt(witness, START + 120);
        claims.finalise(witness);
        vm.expectRevert(
            abi.encodeWithSelector(IClaimChain.WrongCertainty.selector, Certainty.Final, Certainty.Challenged)
        );
        proveFault(witness, Verdict.BeyondSound);
    }

    function test_prove_beyondSound_refutes() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.FaultProven(id, SENDER, Verdict.BeyondSound, FaultKind.Step, 3, 9);
        proveFault(witness, Verdict.BeyondSound);
        assertStatus(id, DisputeStatus.Refuted);
        assertEq(uint256(claims.certainty(id)), uint256(Certainty.Refuted));
        vm.expectRevert(_wrongStatus(DisputeStatus.Refuted, DisputeStatus.Opened));
        proveFault(witness, Verdict.BeyondSound);
    }

    function test_prove_beyondCalibrated_rejects() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        vm.warp(START + 120);
        proveFault(witness, Verdict.BeyondCalibrated);
        assertStatus(id, DisputeStatus.Rejected);
        assertEq(uint256(claims.certainty(id)), uint256(Certainty.Rejected));
    }

    function test_prove_beyondCalibrated_beforeTheEndOfProof_reverts() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        vm.warp(START + 119);
        vm.expectRevert(_tooEarly(START + 119, START + 120));
        proveFault(witness, Verdict.BeyondCalibrated);
        proveFault(witness, Verdict.BeyondSound);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_prove_beyondCalibrated_whileALeafIsMissing_reverts() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 1);
        vm.warp(START + 200);
        vm.expectRevert(_tooEarly(START + 200, START + 180));
        proveFault(witness, Verdict.BeyondCalibrated);
        game.conclude(witness);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_prove_beyondCalibrated_afterAcquittal_rejects() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        concludeAt(witness, START + 120);
        proveFault(witness, Verdict.BeyondCalibrated);
        assertStatus(id, DisputeStatus.Rejected);
        assertSettled();
    }

    function test_prove_afterAcquittal_stillRefutes() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        concludeAt(witness, START + 120);
        proveFault(witness, Verdict.BeyondSound);
        assertStatus(id, DisputeStatus.Refuted);
        assertSettled();
    }

    function test_proveEager_lazyClaim_reverts() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, false);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoEagerTrace.selector, id));
        game.proveEager(witness, proofOf(Verdict.BeyondSound));
    }

    function test_proveEager_noFault_leavesTheClaimAlone() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, true);
        vm.expectRevert(IDisputeGame.NoFaultFound.selector);
        game.proveEager(witness, proofOf(Verdict.NoFault));
        assertEq(uint256(claims.certainty(id)), uint256(Certainty.None));
    }

    function test_proveEager_beyondCalibrated_reverts() public {
        (ClaimWitness memory witness,) = live(0, true);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotBeyondSound.selector, Verdict.BeyondCalibrated));
        game.proveEager(witness, proofOf(Verdict.BeyondCalibrated));
    }

    function test_proveEager_isTheWholeDispute() public {
        (ClaimWitness memory witness, ClaimId id) = live(0, true);
        vm.prank(SENDER);
        game.proveEager(witness, proofOf(Verdict.BeyondSound));
        assertStatus(id, DisputeStatus.Refuted);
        assertSettled();
    }

    // Conclude.

    function test_conclude_unknownClaim_reverts() public {
        (ClaimWitness memory witness,) = live(0, false);
        vm.expectRevert(_wrongStatus(DisputeStatus.None, DisputeStatus.Opened));
        game.conclude(witness);
    }

    function test_conclude_openedAndQuiet_acquitsFromTheEndOfProof() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        vm.warp(START + 119);
        vm.expectRevert(_tooEarly(START + 119, START + 120));
        game.conclude(witness);
        vm.warp(START + 120);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Cleared(id, instant(START + 200));
        game.conclude(witness);
        assertStatus(id, DisputeStatus.Acquitted);
        assertEq(Instant.unwrap(claims.finalAt(id)), START + 200);
    }

    function test_conclude_twice_reverts() public {
        (ClaimWitness memory witness,) = opened();
        concludeAt(witness, START + 120);
        vm.expectRevert(_wrongStatus(DisputeStatus.Acquitted, DisputeStatus.Opened));
        game.conclude(witness);
    }

    function test_conclude_unopened_saysAtWhichStage() public {
        (ClaimWitness memory witness, ClaimId id) = challenged();
        vm.warp(START + 100);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Silenced(id, DisputeStatus.Challenged);
        game.conclude(witness);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function _wrongStatus(DisputeStatus received, DisputeStatus expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputeGame.WrongStatus.selector, received, expected);
    }

    function _tooEarly(uint256 moment, uint256 from) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputeGame.TooEarly.selector, moment, from);
    }

    function _tooLate(uint256 moment, uint256 until) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputeGame.TooLate.selector, moment, until);
    }
}
