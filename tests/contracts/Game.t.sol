// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {DisputeStatus, IDisputeGame, LeafRef, StepProof} from "../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {FaultProof, IStepJudge, Opening} from "../../contracts/interfaces/IStepJudge.sol";
import {EncodedSize} from "../../contracts/libraries/EncodedSize.sol";
import {MeterLib} from "../../contracts/libraries/MeterLib.sol";
import {ToyTrace} from "./mocks/ToyTrace.sol";
import {World} from "./mocks/World.sol";

/// @notice Whole disputes with every contract real, each from a request to the last wei. The executor is honest, or lies in
/// its output, in its trace, or by silence. Windows: challenge 200 s, open 100, collect 40, supply 60, prove 80.
contract GameTest is World, ToyTrace {
    uint256 private constant HELD = 100 ether;

    // The honest executor.

    function test_game_honestRun_isAcquittedFinalAndPaid() public {
        Run memory run = honestRun();
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        _expectNoFault(witness, stepProof(run));
        _expectNoFault(witness, calibratedProof(run));
        _expectNoFault(witness, linkProof(run));

        concludeAt(witness, START + 120);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.WindowOpen.selector, START + 200));
        claims.finaliseContested(witness);
        vm.warp(START + 200);
        claims.finaliseContested(witness);
        assertEq(vault.balanceOf(EXECUTOR), HELD + FEE + 0.5 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether);
        _assertOver(witness, Certainty.Final);
    }

    function test_game_honestRun_noFaultAtAnyElement() public {
        Run memory run = honestRun();
        ClaimWitness memory witness = _claimed(run, true);
        FaultProof memory proof = calibratedProof(run);
        for (proof.element = 0; proof.element < 4; ++proof.element) {
            vm.expectRevert(IDisputeGame.NoFaultFound.selector);
            game.proveEager(witness, proof);
        }
    }

    function test_game_honestExecutor_suppliesWhatIsDemanded() public {
        Run memory run = honestRun();
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        _demandAll(witness);
        vm.warp(START + 99);
        _supplyAll(witness, run);
        uint256 depositWei = game.demandDeposit(5);
        concludeAt(witness, START + 180);
        assertEq(vault.balanceOf(DEMANDER), HELD - depositWei);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND + 0.5 ether + depositWei);
        vm.warp(START + 260);
        claims.finaliseContested(witness);
        _assertOver(witness, Certainty.Final);
    }

    // The liar.

    function test_game_liarWhoOpensWithASmallFaultOfItsOwn_isStillSlashed() public {
        Run memory run = runWith(ROUGH);
        run.sums[3] = WRONG;
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        FaultProof memory proof = calibratedProof(run);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooEarly.selector, START, START + 120));
        vm.prank(EXECUTOR);
        game.prove(witness, proof);
        proof = stepProof(run);
        proof.element = 3;
        _prove(witness, proof);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_wrongStep_isRefutedByProof() public {
        Run memory run = runWith(WRONG);
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        vm.warp(START + 80);
        _prove(witness, stepProof(run));
        assertEq(vault.burned(), 4 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
        _assertOver(witness, Certainty.Refuted);
        (uint32 refutations,) = claims.attemptsOf(witness.claims.requests, 0);
        assertEq(refutations, 1);
    }

    function test_game_wrongOutputOverAnHonestTrace_isRefutedByItsLink() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(honestRun()));
        _expectNoFault(witness, stepProof(honestRun()));
        _prove(witness, linkProof(honestRun()));
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_wrongStep_isRefutedAfterAcquittalToo() public {
        Run memory run = runWith(WRONG);
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        concludeAt(witness, START + 120);
        vm.warp(START + 199);
        _prove(witness, stepProof(run));
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether + 2 ether);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_finalClaim_isBeyondProof() public {
        Run memory run = runWith(WRONG);
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        concludeAt(witness, START + 200);
        claims.finaliseContested(witness);
        FaultProof memory proof = stepProof(run);
        vm.expectRevert(
            abi.encodeWithSelector(IClaimChain.WrongCertainty.selector, Certainty.Final, Certainty.Challenged)
        );
        game.prove(witness, proof);
    }

    function test_game_silence_isRefutedByWhoeverConcludes() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        concludeAt(witness, START + 100);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_traceThatNobodyServes_isRefutedForItsMissingLeaf() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(runWith(WRONG)));
        _demandAll(witness);
        concludeAt(witness, START + 100);
        assertTrue(vault.balanceOf(DEMANDER) > HELD, "the deposit comes back, with a part");
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_suppliedLeaves_convictTheLiar() public {
        Run memory run = runWith(WRONG);
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        _demandAll(witness);
        _supplyAll(witness, run);
        vm.warp(START + 150);
        _prove(witness, stepProof(run));
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_leafOfAnotherTrace_isNotSupply() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(runWith(WRONG)));
        _demandAll(witness);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        this.supplyAll(witness, honestRun());
    }

    function test_game_leafThatIsNotInTheGraph_cannotBeDemanded() public {
        ClaimWitness memory witness = _claimed(honestRun(), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(honestRun()));
        LeafRef[] memory refs = new LeafRef[](1);
        StepProof[] memory steps = new StepProof[](1);
        (refs[0], steps[0]) = (LeafRef(0, 0, 1), stepProofOf(0));
        vm.expectRevert();
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
    }

    // The executor whose hardware is rougher than its model was measured to be.

    function test_game_beyondCalibratedBound_isRejectedAtCost() public {
        Run memory run = runWith(ROUGH);
        ClaimWitness memory witness = _claimed(run, false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        _expectNoFault(witness, stepProof(run));
        vm.warp(START + 120);
        _prove(witness, calibratedProof(run));
        uint256 costWei = HELD - vault.balanceOf(EXECUTOR);
        assertTrue(costWei > 300_000 gwei && costWei < 2_000_000 gwei, "the gas of a challenge and a proof");
        assertEq(vault.balanceOf(CHALLENGER) + vault.balanceOf(SENDER), 2 * HELD + costWei);
        assertEq(vault.burned(), 0);
        _assertOver(witness, Certainty.Rejected);
    }

    // Eager traces.

    function test_game_eagerTrace_isRefutedInOneTransaction() public {
        Run memory run = runWith(WRONG);
        ClaimWitness memory witness = _claimed(run, true);
        FaultProof memory proof = stepProof(run);
        vm.prank(SENDER);
        game.proveEager(witness, proof);
        assertEq(vault.burned(), 6 ether);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_eagerTraceThatNobodyServes_isRefutedByChallengeAndDemand() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), true);
        challengeClaim(witness);
        _demandAll(witness);
        concludeAt(witness, START + 100);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_eagerTraceRootOfZero_isNoShelter() public {
        Model memory model = toyModel();
        model.windows = windows();
        bytes memory entry = bytes.concat(outputOf(runWith(WRONG)), bytes32(0));
        ClaimWitness memory witness = claimed(model, toyInputs(), entry, true);
        challengeClaim(witness);
        _demandAll(witness);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        this.supplyAll(witness, runWith(WRONG));
        concludeAt(witness, START + 100);
        _assertOver(witness, Certainty.Refuted);
    }

    // The sender's gas: metered while the transaction runs, and never more than it cost.

    function test_game_meteredGas_isNearlyWhatWasPaid() public {
        ClaimWitness memory witness = _claimed(runWith(ROUGH), false);
        bytes memory call_ = abi.encodeCall(game.challenge, (witness));
        challengeClaim(witness);
        uint256 gasUsed = spentGas();
        _assertMetered(game.disputeOf(claimIdOf(witness)).costWei, gasUsed, call_);
        openTrace(witness, traceRootOf(runWith(ROUGH)));
        vm.warp(START + 120);
        _assertProofMetered(witness, calibratedProof(runWith(ROUGH)));
    }

    function test_game_meteredGasOfARefutation_isNearlyWhatWasPaid() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(runWith(WRONG)));
        _assertProofMetered(witness, stepProof(runWith(WRONG)));
    }

    function test_game_paddedCalldata_isNotMetered() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), false);
        _sendPadded(abi.encodeCall(game.challenge, (witness)), CHALLENGER);
        uint256 paddedWei = game.disputeOf(claimIdOf(witness)).costWei;
        witness = _claimed(runWith(WRONG), false);
        challengeClaim(witness);
        uint256 plainWei = game.disputeOf(claimIdOf(witness)).costWei;
        assertTrue(paddedWei < plainWei + 60_000 gwei, "the first challenge writes fresh words, nothing else is dearer");

        openTrace(witness, traceRootOf(runWith(WRONG)));
        FaultProof memory proof = stepProof(runWith(WRONG));
        bytes memory call_ = abi.encodeCall(game.prove, (witness, proof));
        uint256 gasBefore = gasleft();
        _sendPadded(call_, SENDER);
        uint256 most = MeterLib.transactionGas(0, call_.length, gasBefore - gasleft());
        assertLe(vault.balanceOf(SENDER) - HELD, most * 1 gwei);
    }

    /// @dev 64 KiB more of nonzero bytes than the arguments need: 2.6 million gas at calldata's floor.
    function _sendPadded(bytes memory call_, address from) private {
        bytes memory padding = new bytes(65_536);
        for (uint256 i = 0; i < padding.length; i += 32) {
            assembly {
                mstore(add(add(padding, 32), i), not(0))
            }
        }
        vm.prank(from);
        (bool sent,) = address(game).call(bytes.concat(call_, padding));
        assertTrue(sent, "a padded call is a call");
    }

    /// @dev Early, so that the sender is paid its gas and nothing else.
    function _assertProofMetered(ClaimWitness memory witness, FaultProof memory proof) private {
        _prove(witness, proof);
        uint256 gasUsed = spentGas();
        _assertMetered(vault.balanceOf(SENDER) - HELD, gasUsed, abi.encodeCall(game.prove, (witness, proof)));
    }

    function test_game_encodedSize_isTheLengthOfTheCall() public {
        ClaimWitness memory witness = _claimed(runWith(WRONG), true);
        FaultProof memory proof = calibratedProof(runWith(WRONG));
        witness.entryPath = new bytes32[](3);
        witness.requestPath = new bytes32[](5);
        assertEq(this.sizeOf(witness), abi.encodeCall(game.conclude, (witness)).length);
        assertEq(this.sizeOf(witness, proof), abi.encodeCall(game.prove, (witness, proof)).length);
    }

    function sizeOf(ClaimWitness calldata witness) external pure returns (uint256) {
        return EncodedSize.ofCall(witness);
    }

    function sizeOf(ClaimWitness calldata witness, FaultProof calldata proof) external pure returns (uint256) {
        return EncodedSize.ofCall(witness, proof);
    }

    /// @param costWei at a price of one gwei
    /// @param gasUsed by the call without the transaction around it
    function _assertMetered(uint256 costWei, uint256 gasUsed, bytes memory call_) private pure {
        uint256 zeros = 0;
        for (uint256 i = 0; i < call_.length; ++i) {
            if (call_[i] == 0) ++zeros;
        }
        uint256 paid = MeterLib.transactionGas(zeros, call_.length - zeros, gasUsed);
        assertLe(costWei / 1 gwei, paid);
        assertLe(paid * 3 / 4, costWei / 1 gwei);
    }

    // Moves.

    function supplyAll(ClaimWitness calldata witness, Run calldata run) external {
        _supplyAll(witness, run);
    }

    function _claimed(Run memory run, bool eager) private returns (ClaimWitness memory) {
        Model memory model = toyModel();
        model.windows = windows();
        bytes memory entry = outputOf(run);
        if (eager) entry = bytes.concat(entry, abi.encode(traceRootOf(run)));
        return claimed(model, toyInputs(), entry, eager);
    }

    function _prove(ClaimWitness memory witness, FaultProof memory proof) private {
        vm.prank(SENDER);
        game.prove(witness, proof);
    }

    function _expectNoFault(ClaimWitness memory witness, FaultProof memory proof) private {
        vm.expectRevert(IDisputeGame.NoFaultFound.selector);
        game.prove(witness, proof);
    }

    /// @dev Result, inputs, weights and bias of the first step, and the result of the second.
    function _refs() private pure returns (LeafRef[] memory refs, StepProof[] memory steps) {
        (refs, steps) = (new LeafRef[](5), new StepProof[](5));
        for (uint8 i = 0; i < 4; ++i) {
            (refs[i], steps[i]) = (refOf(0, i), stepProofOf(0));
        }
        (refs[4], steps[4]) = (refOf(1, 0), stepProofOf(1));
    }

    function _demandAll(ClaimWitness memory witness) private {
        (LeafRef[] memory refs, StepProof[] memory steps) = _refs();
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
    }

    function _supplyAll(ClaimWitness memory witness, Run memory run) private {
        (LeafRef[] memory refs, StepProof[] memory steps) = _refs();
        Opening[] memory openings = new Opening[](5);
        uint256[] memory positions = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            (positions[i], openings[i]) = (i, leafOf(run, refs[i].step, refs[i].slot));
        }
        vm.prank(EXECUTOR);
        game.supply(witness, 0, refs, positions, steps, openings);
    }

    function _assertOver(ClaimWitness memory witness, Certainty expected) private view {
        (Certainty certainty,) = claims.certaintyOf(witness.claims, witness.index);
        assertEq(uint256(certainty), uint256(expected));
        assertEq(vault.escrowOf(address(game)), 0);
        assertConserved();
    }
}
