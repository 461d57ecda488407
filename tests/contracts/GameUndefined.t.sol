// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness, ClaimBatch} from "../../contracts/interfaces/IClaimChain.sol";
import {IDisputeGame, LeafRef, StepProof} from "../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {FaultKind, FaultProof, IStepJudge, Opening, Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {CLAIM_LEAF_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Listener} from "./mocks/Consumers.sol";
import {ToyTrace} from "./mocks/ToyTrace.sol";
import {World} from "./mocks/World.sol";

/// @notice Disputes about overflows, with every contract real. The request itself is ordinary: every honest sum is 8.5.
contract GameUndefinedTest is World, ToyTrace {
    uint32 private constant INFINITY = 0x7f800000;
    uint32 private constant LAST = type(uint32).max;

    // What is refused.

    function test_prove_ofWhatDoesOverflow_reverts() public {
        uint32[4] memory sums = _sumsWith(INFINITY);
        ClaimWitness memory witness = _claimed(_entry(0, 2, sums));
        FaultProof memory proof = _proof(sums);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoFaultFound.selector));
        game.proveEager(witness, proof);
        // The output that there is not, against the traced one.
        proof = linkProof(honestRun());
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoFaultFound.selector));
        game.proveEager(witness, proof);
    }

    function test_prove_ofAnotherPlaceThanTheNamedOne_reverts() public {
        uint32[4] memory sums = _sumsWith(INFINITY);
        ClaimWitness memory witness = _claimed(_entry(0, 2, sums));
        FaultProof memory proof = _proof(sums);
        proof.element = 1;
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoFaultFound.selector));
        game.proveEager(witness, proof);
    }

    function test_demand_afterTheNamedStep_reverts() public {
        ClaimWitness memory witness = _claimed(_entry(0, 2, _sumsWith(INFINITY)));
        challengeClaim(witness);
        LeafRef[] memory refs = new LeafRef[](1);
        StepProof[] memory steps = new StepProof[](1);
        (refs[0], steps[0]) = (refOf(1, 0), stepProofOf(1));
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 1, 1));
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
        // Nor is there an output to ask for.
        (refs[0], steps[0]) = (refOf(2, 0), StepProof("", new bytes32[](0)));
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 2, 1));
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
        (refs[0], steps[0]) = (refOf(0, 0), stepProofOf(0));
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
    }

    // What follows.

    function test_story_overflow_thatNobodyRefutes_isUndefined() public {
        Listener listener = new Listener();
        ClaimWitness memory witness = asked(_model(), toyInputs(), address(listener));
        _claim(witness, _entry(0, 2, _sumsWith(INFINITY)));
        challengeClaim(witness);
        concludeAt(witness, START + 100 + 40 + 80);
        vm.warp(START + 10_000);
        claims.finaliseContested(witness);
        ClaimWitness[] memory page = new ClaimWitness[](1);
        page[0] = witness;
        claims.settle(page);
        assertEq(uint256(listener.certainty()), uint256(Certainty.Undefined));
        assertEq(listener.output().length, 0);
        assertLe(100 ether + FEE, vault.balanceOf(EXECUTOR));
        assertConserved();
    }

    function test_story_overflow_thatIsFinite_isRefutedAtOnce() public {
        uint32[4] memory sums = honestRun().sums;
        ClaimWitness memory witness = _claimed(_entry(0, 2, sums));
        _refute(witness, _proof(sums), FaultKind.Undefined);
    }

    function test_story_overflow_madeUp_isRefutedAsAnyStep() public {
        uint32[4] memory sums = _sumsWith(INFINITY);
        ClaimWitness memory witness = _claimed(_entry(0, 2, sums));
        FaultProof memory proof = _proof(sums);
        (proof.kind, proof.hint) = (FaultKind.Step, TOP_EXPONENT);
        _refute(witness, proof, FaultKind.Step);
    }

    function test_story_overflow_ofAnElementThatIsNotThere_isRefuted() public {
        ClaimWitness memory witness = _claimed(_entry(0, LAST, honestRun().sums));
        FaultProof memory proof = _proof(honestRun().sums);
        (proof.element, proof.openings) = (LAST, new Opening[](0));
        _refute(witness, proof, FaultKind.Undefined);
    }

    function test_story_overflow_ofAStepThatIsNotThere_isRefuted() public {
        ClaimWitness memory witness = _claimed(_entry(LAST, 0, honestRun().sums));
        FaultProof memory proof;
        (proof.kind, proof.step) = (FaultKind.Undefined, LAST);
        _refute(witness, proof, FaultKind.Undefined);
    }

    function test_story_overflow_ofAStepThatOnlyChooses_isRefuted() public {
        ClaimWitness memory witness = _claimed(_entry(1, 2, honestRun().sums));
        FaultProof memory proof;
        (proof.kind, proof.step, proof.element) = (FaultKind.Undefined, 1, 2);
        (proof.stepRecord, proof.stepPath) = (stepProofOf(1).record, stepProofOf(1).path);
        _refute(witness, proof, FaultKind.Undefined);
    }

    /// @dev Past an overflow nothing can be judged, so an output is not to be had through one; but hardware may differ.
    function test_story_output_throughAnOverflow_isRejected() public {
        Run memory run = runWith(INFINITY);
        ClaimWitness memory witness = claimed(_model(), toyInputs(), outputOf(honestRun()), false);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(run));
        FaultProof memory proof = stepProof(run);
        (proof.kind, proof.hint) = (FaultKind.Undefined, 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooEarly.selector, START, START + 120));
        game.prove(witness, proof);
        vm.warp(START + 120);
        vm.prank(SENDER);
        game.prove(witness, proof);
        assertEq(uint256(claims.contested(claimIdOf(witness)).certainty), uint256(Certainty.Rejected));
        assertConserved();
    }

    // Parts.

    function _refute(ClaimWitness memory witness, FaultProof memory proof, FaultKind kind) private {
        vm.expectEmit(true, true, false, true, address(game));
        emit IDisputeGame.FaultProven(
            claimIdOf(witness), SENDER, Verdict.BeyondSound, kind, proof.step, proof.element
        );
        vm.prank(SENDER);
        game.proveEager(witness, proof);
        assertEq(uint256(claims.contested(claimIdOf(witness)).certainty), uint256(Certainty.Refuted));
        assertConserved();
    }

    function _claimed(bytes memory entry) private returns (ClaimWitness memory witness) {
        witness = asked(_model(), toyInputs(), address(0));
        _claim(witness, entry);
    }

    function _claim(ClaimWitness memory witness, bytes memory entry) private {
        vm.prank(EXECUTOR);
        claims.lease(witness.requests, 0);
        vm.prank(EXECUTOR);
        claims.claimUndefined(witness.requests, 0, entry, BOND);
        witness.entry = entry;
        bytes32 root = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, entry));
        Instant present = Instant.wrap(uint40(block.timestamp));
        witness.claims =
            ClaimBatch(inbox.batchIdOf(witness.requests), EXECUTOR, 0, 1, root, BOND, present, true, true);
    }

    /// @dev Of the step after the sums the trace has a zero root.
    function _roots(uint32[4] memory sums) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = smallTensor(matrix(1, 4), _bytesOf(sums));
    }

    function _entry(uint32 step, uint32 element, uint32[4] memory sums) private pure returns (bytes memory) {
        return abi.encodePacked(step, element, bundle(_roots(sums)));
    }

    /// @dev Of element 2 of the sums.
    function _proof(uint32[4] memory sums) private pure returns (FaultProof memory proof) {
        proof = stepProof(honestRun());
        (proof.kind, proof.hint) = (FaultKind.Undefined, 0);
        proof.openings[0].leaves = _bytesOf(sums);
        proof.openings[0].bundlePath = siblingsOf(_roots(sums), 0, 0);
    }

    function _sumsWith(uint32 value) private pure returns (uint32[4] memory) {
        return runWith(value).sums;
    }

    function _bytesOf(uint32[4] memory values) private pure returns (bytes memory) {
        return abi.encodePacked(bytes4(values[0]), bytes4(values[1]), bytes4(values[2]), bytes4(values[3]));
    }

    function _model() private pure returns (Model memory model) {
        model = toyModel();
        model.windows = windows();
    }
}
