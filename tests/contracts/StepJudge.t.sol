// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Judges} from "./mocks/Judges.sol";
import {TraceWorld} from "./reference/TraceWorld.sol";
import {
    Committed,
    FaultKind,
    FaultProof,
    IStepJudge,
    Opening,
    Verdict
} from "../../contracts/interfaces/IStepJudge.sol";
import {StepJudge} from "../../contracts/StepJudge.sol";
import "../../contracts/libraries/ConstantsLib.sol";
import {MerkleLib} from "../../contracts/libraries/MerkleLib.sol";
import {F32, I64} from "../../contracts/types/Roots.sol";

/// @notice A linear layer of three rows of 600, relu, argmax: 600, −599 and 302; 600, 0 and 302; label 0.
contract StepJudgeTest is Harness, TraceWorld {
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant HALF = 0x3f000000;
    uint32 internal constant F600 = 0x44160000;
    uint32 internal constant F302 = 0x43970000;
    uint32 internal constant MINUS_599 = 0xc415c000;
    /// @dev 1.0 · 1.0 has 254, the bias of the last row, 2.0 · 1.0, one more.
    int32 internal constant TOP = 255;

    StepJudge internal judge = new Judges().JUDGE();
    Committed internal honest;

    function setUp() public {
        add(0, shape(F32, 600), repeated(ONE, 600));
        add(1, shape(F32, 1800), bytes.concat(repeated(ONE, 600), repeated(0xbf800000, 600), repeated(HALF, 600)));
        add(1, shape(F32, 3), floats(0, ONE, 0x40000000));
        bytes memory operands = bytes.concat(operand(0, 0), operand(1, 0), operand(1, 1));
        int64[] memory attributes = new int64[](5);
        (attributes[0], attributes[1], attributes[3], attributes[4]) = (600, 3, 1, 1);
        addStep(
            record(OP_CONTRACT, 1, shape(F32, 3), operands, attributes),
            shape(F32, 3),
            floats(F600, MINUS_599, F302),
            256
        );
        addStep(
            record(OP_RELU, 0, shape(F32, 3), operand(2, 0), new int64[](0)), shape(F32, 3), floats(F600, 0, F302), 0
        );
        int64[] memory length = new int64[](1);
        length[0] = 3;
        addStep(
            record(OP_ARGMAX, 0, shape(I64, 1), operand(2, 1), length), shape(I64, 1), abi.encodePacked(int64(0)), 0
        );
        honest = committed(abi.encodePacked(int64(0)));
        (honest.outputBand, honest.slashBand) = (ONE, 0x42c80000);
    }

    /// @dev Rewrites the traced result of `step`; everything else stays honest.
    function lie(uint256 step, bytes memory result) internal returns (Committed memory lying) {
        tensors[2][step].data = result;
        lying = committed(honest.claimedOutput);
        (lying.outputBand, lying.slashBand) = (honest.outputBand, honest.slashBand);
    }

    function contraction(uint32 element) internal view returns (FaultProof memory proof) {
        proof = proofOf(FaultKind.Step, 0, element, 4);
        proof.openings[0] = open(2, 0, element, 1);
        proof.openings[1] = open(0, 0, 0, 600);
        proof.openings[2] = open(1, 0, 600 * uint256(element), 600);
        proof.openings[3] = open(1, 1, element, 1);
        proof.hint = TOP;
    }

    function label(int32 larger) internal view returns (FaultProof memory proof) {
        proof = proofOf(FaultKind.Link, 2, 0, 2);
        // Both logits lie in one leaf.
        (proof.openings[0], proof.openings[1]) = (open(2, 1, 0, 1), open(2, 1, 0, 1));
        proof.hint = larger;
    }

    function assertVerdict(Committed memory all, FaultProof memory proof, Verdict expected) internal view {
        assertEq(uint256(judge.judge(all, proof)), uint256(expected));
    }

    function refuse(Committed memory all, FaultProof memory proof, bytes memory error_) internal {
        vm.expectRevert(error_);
        judge.judge(all, proof);
    }

    function test_judge_wrongStep_reverts() public {
        FaultProof memory proof = contraction(0);
        proof.step = 3;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 3, 3));
        proof.step = 1;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.StepNotInGraph.selector, 1));
        proof = contraction(0);
        proof.element = 3;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 3, 3));
        proof = contraction(0);
        proof.stepPath = new bytes32[](1);
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 1, 2));
    }

    function test_judge_malformedRecord_reverts() public {
        bytes memory step = records[2];
        records[2] = slice(step, 0, step.length - 1);
        refuse(
            committed(""),
            proofOf(FaultKind.Step, 2, 0, 2),
            abi.encodeWithSelector(IStepJudge.BadStepRecord.selector, 80, 81)
        );
        records[2] = slice(step, 0, 35);
        refuse(
            committed(""),
            proofOf(FaultKind.Step, 2, 0, 2),
            abi.encodeWithSelector(IStepJudge.BadStepRecord.selector, 35, 36)
        );
        step[0] = 0x14;
        records[2] = step;
        refuse(
            committed(""),
            proofOf(FaultKind.Step, 2, 0, 2),
            abi.encodeWithSelector(IStepJudge.UnknownOperator.selector, 20)
        );
    }

    function test_judge_wrongFactor_reverts() public {
        FaultProof memory proof = contraction(0);
        proof.factor = 257;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.NotInNumerics.selector, 0));
        proof.factor = 0;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 2, 0));
    }

    function test_judge_wrongOpenings_reverts() public {
        FaultProof memory proof = contraction(0);
        proof.openings[1].leaves[7] ^= 0x01;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 1));
        proof = contraction(0);
        proof.openings[2].bundlePath[0] ^= bytes32(uint256(1));
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 2));
        proof = contraction(0);
        proof.openings[2] = open(1, 0, 0, 500);
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.WrongLeafBytes.selector, 2048, 3072));
        proof.openings[2] = open(1, 0, 600, 600);
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 3, 2));
    }

    function test_judge_honestSteps_haveNoFault() public view {
        for (uint32 element = 0; element < 3; ++element) {
            assertVerdict(honest, contraction(element), Verdict.NoFault);
            FaultProof memory proof = proofOf(FaultKind.Step, 1, element, 2);
            proof.openings[0] = open(2, 1, element, 1);
            proof.openings[1] = open(2, 0, element, 1);
            assertVerdict(honest, proof, Verdict.NoFault);
        }
        FaultProof memory last = picked(0, 3);
        assertVerdict(honest, last, Verdict.NoFault);
    }

    function test_judge_wrongCount_reverts() public {
        FaultProof memory proof = contraction(0);
        Opening[] memory fewer = new Opening[](3);
        proof.openings = fewer;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.WrongOpenings.selector, 3, 4));
    }

    function test_judge_contraction_beyondBounds() public {
        Committed memory lying = lie(0, floats(F600 + 2, MINUS_599 + 2, F302 ^ 0x80000000));
        // Two ulps are 3.4 u of 600: above the registered 1 u, rounded outwards to one ulp; far below the sound 601 u.
        assertVerdict(lying, contraction(0), Verdict.BeyondCalibrated);
        assertVerdict(lying, contraction(1), Verdict.BeyondCalibrated);
        assertVerdict(lying, contraction(2), Verdict.BeyondSound);
        FaultProof memory sound = contraction(0);
        (sound.factor, sound.numericsPath) = (0, new bytes32[](0));
        assertVerdict(lying, sound, Verdict.NoFault);
    }

    function test_judge_contraction_wrongHint_acquits() public {
        Committed memory lying = lie(0, floats(0, 0, 0));
        assertVerdict(lying, contraction(0), Verdict.BeyondSound);
        FaultProof memory proof = contraction(0);
        proof.hint = TOP - 2;
        assertVerdict(lying, proof, Verdict.NoFault);
        proof.hint = TOP + 200;
        assertVerdict(lying, proof, Verdict.NoFault);
        proof.hint = type(int32).min;
        assertVerdict(lying, proof, Verdict.NoFault);
    }

    function test_judge_contraction_nonFinite_isFault() public {
        Committed memory lying = lie(0, floats(0x7f800000, 0x7fc00001, F302));
        assertVerdict(lying, contraction(0), Verdict.BeyondSound);
        assertVerdict(lying, contraction(1), Verdict.BeyondSound);
    }

    function test_judge_readsBeyondOperand_acquits() public {
        int64[] memory attributes = new int64[](5);
        (attributes[0], attributes[1], attributes[3], attributes[4]) = (600, 3, 2, 1);
        bytes memory operands = bytes.concat(operand(0, 0), operand(1, 0), operand(1, 1));
        records[0] = record(OP_CONTRACT, 1, shape(F32, 3), operands, attributes);
        assertVerdict(lie(0, floats(0, 0, 0)), contraction(2), Verdict.NoFault);
    }

    function test_judge_relu_wrong_isFault() public {
        Committed memory lying = lie(1, floats(F600, MINUS_599, F302));
        FaultProof memory proof = proofOf(FaultKind.Step, 1, 1, 2);
        proof.openings[0] = open(2, 1, 1, 1);
        proof.openings[1] = open(2, 0, 1, 1);
        assertVerdict(lying, proof, Verdict.BeyondSound);
    }

    function picked(int32 hint, uint256 openings) internal view returns (FaultProof memory proof) {
        proof = proofOf(FaultKind.Step, 2, 0, openings);
        proof.openings[0] = open(2, 2, 0, 1);
        for (uint256 i = 1; i < openings; ++i) {
            proof.openings[i] = open(2, 1, 0, 1);
        }
        proof.hint = hint;
    }

    function test_judge_argmax_wrongOpenings_reverts() public {
        refuse(honest, picked(1, 2), abi.encodeWithSelector(IStepJudge.WrongOpenings.selector, 2, 3));
        Committed memory lying = lie(2, abi.encodePacked(int64(3)));
        refuse(lying, picked(0, 3), abi.encodeWithSelector(IStepJudge.WrongOpenings.selector, 3, 1));
    }

    function test_judge_argmax_smallerThanTheHinted_isFault() public {
        assertVerdict(honest, picked(2, 3), Verdict.NoFault);
        Committed memory lying = lie(2, abi.encodePacked(int64(2)));
        assertVerdict(lying, picked(0, 3), Verdict.BeyondSound);
        assertVerdict(lying, picked(1, 3), Verdict.NoFault);
        assertVerdict(lying, picked(3, 3), Verdict.NoFault);
        assertVerdict(lying, picked(-1, 3), Verdict.NoFault);
    }

    function test_judge_argmax_outsideTheRow_isFault() public {
        assertVerdict(lie(2, abi.encodePacked(int64(3))), picked(0, 1), Verdict.BeyondSound);
        assertVerdict(lie(2, abi.encodePacked(int64(-1))), picked(0, 1), Verdict.BeyondSound);
    }

    function test_link_notTheLastStep_reverts() public {
        FaultProof memory proof = contraction(0);
        proof.kind = FaultKind.Link;
        refuse(honest, proof, abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 0, 3));
    }

    function test_link_label() public {
        assertVerdict(honest, label(2), Verdict.NoFault);
        honest.claimedOutput = abi.encodePacked(int64(2));
        assertVerdict(honest, label(0), Verdict.BeyondSound);
        assertVerdict(honest, label(2), Verdict.NoFault);
        assertVerdict(honest, label(-1), Verdict.NoFault);
        assertVerdict(honest, label(3), Verdict.NoFault);
        honest.slashBand = F302;
        assertVerdict(honest, label(0), Verdict.BeyondCalibrated);
        honest.outputBand = F302;
        assertVerdict(honest, label(0), Verdict.NoFault);
    }

    function test_link_labelOutsideItsRow_isFaultThatOpensNothing() public {
        int64[2] memory outside = [int64(3), -1];
        for (uint256 i = 0; i < 2; ++i) {
            honest.claimedOutput = abi.encodePacked(outside[i]);
            refuse(honest, label(0), abi.encodeWithSelector(IStepJudge.WrongOpenings.selector, 2, 0));
            assertVerdict(honest, proofOf(FaultKind.Link, 2, 0, 0), Verdict.BeyondSound);
        }
    }

    function test_link_maskedLabel_isBeyondEverything() public {
        Committed memory masked = lie(1, floats(F600, 0xff800000, 0x7fc00000));
        masked.claimedOutput = abi.encodePacked(int64(1));
        assertVerdict(masked, label(0), Verdict.BeyondSound);
        assertVerdict(masked, label(2), Verdict.NoFault);
        masked.claimedOutput = abi.encodePacked(int64(2));
        assertVerdict(masked, label(0), Verdict.NoFault);
    }

    /// @dev The graph cut after relu: its output is three floats.
    function cut() internal {
        records.pop();
        factors.pop();
        tensors[2].pop();
    }

    function value(uint32 element, uint32 claimed) internal view returns (Verdict) {
        Committed memory all = committed(floats(claimed, claimed, claimed));
        (all.outputBand, all.slashBand) = (honest.outputBand, honest.slashBand);
        FaultProof memory proof = proofOf(FaultKind.Link, 1, element, 1);
        proof.openings[0] = open(2, 1, element, 1);
        return judge.judge(all, proof);
    }

    function test_link_value() public {
        cut();
        assertTrue(value(0, F600) == Verdict.NoFault, "equal");
        assertTrue(value(0, 0x44164000) == Verdict.NoFault, "one apart");
        assertTrue(value(0, 0x44164001) == Verdict.BeyondCalibrated, "a little more");
        assertTrue(value(0, 0x442f0000) == Verdict.BeyondCalibrated, "a hundred apart");
        assertTrue(value(0, 0x442f0001) == Verdict.BeyondSound, "a little more than that");
        assertTrue(
            value(0, 0x7fc00000) == Verdict.BeyondSound && value(0, 0x7f800000) == Verdict.BeyondSound, "non-finite"
        );
        tensors[2][1].data = floats(0x7f800000, 0, 0);
        assertTrue(value(0, F600) == Verdict.NoFault, "the trace is not finite");
    }

    function test_link_byRoot() public {
        cut();
        uint256 count = 20;
        bytes memory traced = repeated(ONE, count);
        add(0, shape(F32, 20), traced);
        records[1] = record(OP_RELU, 0, shape(F32, 20), operand(0, 1), new int64[](0));
        tensors[2][1] = Tensor(shape(F32, 20), traced);
        Tensor memory claimed = Tensor(shape(F32, 20), bytes.concat(repeated(ONE, 19), repeated(F600, 1)));
        Committed memory all = committed(bytes.concat(rootOf(claimed)));
        (all.outputBand, all.slashBand) = (honest.outputBand, honest.slashBand);
        FaultProof memory proof = proofOf(FaultKind.Link, 1, 19, 2);
        proof.openings[0] = open(2, 1, 19, 1);
        proof.openings[1].leaves = claimed.data;
        assertVerdict(all, proof, Verdict.BeyondSound);
        proof.element = 18;
        assertVerdict(all, proof, Verdict.NoFault);
        proof.openings[1].leaves = traced;
        refuse(all, proof, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 1));
        proof.openings[1].bundlePath = new bytes32[](1);
        refuse(all, proof, abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 1, 0));
    }

    function test_leaf_wrong_reverts() public {
        bytes32[] memory path = siblingsOf(stepLeaves(), 0, 0);
        Opening memory leaf = leafRun(1, 0, 3, 3);
        judge.requireLeaf(honest, 0, records[0], path, 2, 3, leaf);
        judge.requireSlot(honest, 0, records[0], path, 2, 7);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        judge.requireLeaf(honest, 0, records[0], path, 2, 4, leaf);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 8, 8));
        judge.requireSlot(honest, 0, records[0], path, 2, 8);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 4, 4));
        judge.requireSlot(honest, 0, records[0], path, 4, 0);
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1024, 32));
        judge.requireLeaf(honest, 0, records[0], path, 2, 7, leaf);
    }

    /// @dev The graph cut after a relu over 300 ones: its output is claimed by the root of two leaves.
    function claimedByRoot() internal returns (Committed memory all, Opening memory last) {
        cut();
        bytes memory ones = repeated(ONE, 300);
        add(0, shape(F32, 300), ones);
        records[1] = record(OP_RELU, 0, shape(F32, 300), operand(0, 1), new int64[](0));
        tensors[2][1] = Tensor(shape(F32, 300), ones);
        Tensor memory claimed = Tensor(shape(F32, 300), bytes.concat(repeated(ONE, 299), repeated(HALF, 1)));
        all = committed(bytes.concat(rootOf(claimed)));
        last.leaves = slice(claimed.data, 1024, 1200);
        last.siblings = siblingsOf(leavesOf(claimed.data), 1, 1);
    }

    function test_outputLeaf_ofAnInlineOutput_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.InlineOutput.selector, 8, 64));
        judge.requireSlot(honest, 3, "", new bytes32[](0), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 4, 3));
        judge.requireSlot(honest, 4, "", new bytes32[](0), 0, 0);
    }

    function test_outputLeaf_namedWrongly_reverts() public {
        (Committed memory all,) = claimedByRoot();
        bytes32[] memory none;
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.BadStepRecord.selector, records[1].length, 0));
        judge.requireSlot(all, 2, records[1], none, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 1, 0));
        judge.requireSlot(all, 2, "", new bytes32[](1), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 1, 1));
        judge.requireSlot(all, 2, "", none, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 2, 2));
        judge.requireSlot(all, 2, "", none, 0, 2);
        judge.requireSlot(all, 2, "", none, 0, 1);
    }

    function test_outputLeaf_isTakenOnlyForItself() public {
        (Committed memory all, Opening memory last) = claimedByRoot();
        bytes32[] memory none;
        judge.requireLeaf(all, 2, "", none, 0, 1, last);
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 176, 1024));
        judge.requireLeaf(all, 2, "", none, 0, 0, last);
        last.leaves[3] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        judge.requireLeaf(all, 2, "", none, 0, 1, last);
        last.bundlePath = new bytes32[](1);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.WrongPathLength.selector, 1, 0));
        judge.requireLeaf(all, 2, "", none, 0, 1, last);
        all.claimedOutput = bytes.concat(all.claimedOutput, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.WrongLeafBytes.selector, 33, 32));
        judge.requireLeaf(all, 2, "", none, 0, 1, last);
    }

    function test_contract_fitsTheCodeLimit() public view {
        assertLe(address(judge).code.length, 24_576);
    }
}
