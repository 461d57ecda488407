// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InputSpec, Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {FaultKind, FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {LeafRef, StepProof} from "../../../contracts/interfaces/IDisputeGame.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Book, Operand} from "./Book.sol";

/// @notice A network of two steps, `relu(x · Wᵀ + b)`, with x of eight ones, W of four rows of ones and b of halves: every
/// output is 8.5. A run is the four results of the first step and the four of the second, f32 bits.
abstract contract ToyTrace is Book {
    struct Run {
        uint32[4] sums;
        uint32[4] outputs;
    }

    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant HALF = 0x3f000000;
    uint32 internal constant HONEST = 0x41080000; // 8.5
    uint32 internal constant ROUGH = 0x41080003; // 8.5 + 3 ulp: inside the sound bound of 4.8, outside the calibrated one of 0.5
    uint32 internal constant WRONG = 0x41180000; // 9.5
    uint32 internal constant FACTOR = 256;
    int32 internal constant TOP_EXPONENT = 254;

    function honestRun() internal pure returns (Run memory) {
        uint32[4] memory all = [HONEST, HONEST, HONEST, HONEST];
        return Run(all, all);
    }

    /// @notice `value` at element 2 of the first step, and what follows from it.
    function runWith(uint32 value) internal pure returns (Run memory run) {
        run = honestRun();
        run.sums[2] = run.outputs[2] = value;
    }

    function toyModel() internal pure returns (Model memory model) {
        model.graphHeader = graphHeader(1, 2, 2);
        model.graphRoot = graph(model.graphHeader, _stepLeaves());
        model.weightsRoot = bundle(_weightRoots());
        model.numericsHeader = bytes32(uint256(1) << 248);
        model.numericsRoot = numerics(model.numericsHeader, _factors());
        model.inputs = new InputSpec[](1);
        model.inputs[0] = InputSpec(matrix(1, 8), 0, int64(uint64(ONE)));
        model.outputHeader = matrix(1, 4);
        (model.outputBand, model.slashBand) = (0x38000000, 0x3c000000); // 2^-15, 2^-7
        model.minBondGas = 1_000_000;
    }

    function toyInputs() internal pure returns (BundleRoot) {
        return bundle(_one(smallTensor(matrix(1, 8), _inputBytes())));
    }

    function traceRootOf(Run memory run) internal pure returns (BundleRoot) {
        return bundle(_traceRoots(run));
    }

    function outputOf(Run memory run) internal pure returns (bytes memory) {
        return _words(run.outputs);
    }

    // Proofs.

    /// @notice Element 2 of the first step, from input, weights and bias.
    function stepProof(Run memory run) internal pure returns (FaultProof memory proof) {
        (proof.element, proof.hint) = (2, TOP_EXPONENT);
        (proof.stepRecord, proof.stepPath) = (_linearRecord(), siblingsOf(_stepLeaves(), 0, 0));
        proof.openings = new Opening[](4);
        proof.openings[0] = leafOf(run, 0, 0);
        proof.openings[1] = leafOf(run, 0, 1);
        proof.openings[2] = leafOf(run, 0, 2);
        proof.openings[3] = leafOf(run, 0, 3);
    }

    /// @notice The same, with the step's calibrated factor.
    function calibratedProof(Run memory run) internal pure returns (FaultProof memory proof) {
        proof = stepProof(run);
        (proof.factor, proof.numericsPath) = (FACTOR, siblingsOf(_factors(), 0, 0));
    }

    /// @notice Element 2 of the output as traced, against the claimed one.
    function linkProof(Run memory run) internal pure returns (FaultProof memory proof) {
        (proof.kind, proof.step, proof.element) = (FaultKind.Link, 1, 2);
        (proof.stepRecord, proof.stepPath) = (_reluRecord(), siblingsOf(_stepLeaves(), 1, 1));
        proof.openings = new Opening[](1);
        proof.openings[0] = leafOf(run, 1, 0);
    }

    /// @notice The only leaf of slot `slot` of a step.
    function leafOf(Run memory run, uint32 step, uint8 slot) internal pure returns (Opening memory opening) {
        if (slot == 0 || step == 1) {
            uint256 tensor = slot == 0 ? step : 0;
            opening.leaves = _words(tensor == 0 ? run.sums : run.outputs);
            opening.bundlePath = siblingsOf(_traceRoots(run), tensor, tensor);
        } else if (slot == 1) {
            opening.leaves = _inputBytes();
        } else {
            opening.leaves = slot == 2 ? _weightBytes() : _biasBytes();
            opening.bundlePath = siblingsOf(_weightRoots(), slot - 2, slot - 2);
        }
    }

    function refOf(uint32 step, uint8 slot) internal pure returns (LeafRef memory) {
        return LeafRef(step, slot, 0);
    }

    function stepProofOf(uint32 step) internal pure returns (StepProof memory) {
        return StepProof(step == 0 ? _linearRecord() : _reluRecord(), siblingsOf(_stepLeaves(), step, step));
    }

    // Parts.

    function _linearRecord() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](3);
        operands[0] = Operand(INPUT, 0, matrix(1, 8));
        operands[1] = Operand(WEIGHT, 0, matrix(4, 8));
        operands[2] = Operand(WEIGHT, 1, vector(4));
        return linear(1, 4, 8, operands);
    }

    function _reluRecord() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(RESULT, 0, matrix(1, 4));
        return record(4, 0, matrix(1, 4), operands, new int64[](0));
    }

    function _stepLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (stepLeaf(_linearRecord()), stepLeaf(_reluRecord()));
    }

    function _factors() private pure returns (bytes32[] memory words) {
        words = new bytes32[](2);
        words[0] = bytes32(uint256(FACTOR));
    }

    function _weightRoots() private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = smallTensor(matrix(4, 8), _weightBytes());
        roots[1] = smallTensor(vector(4), _biasBytes());
    }

    function _traceRoots(Run memory run) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = smallTensor(matrix(1, 4), _words(run.sums));
        roots[1] = smallTensor(matrix(1, 4), _words(run.outputs));
    }

    function _inputBytes() private pure returns (bytes memory) {
        return _repeated(ONE, 8);
    }

    function _weightBytes() private pure returns (bytes memory) {
        return _repeated(ONE, 32);
    }

    function _biasBytes() private pure returns (bytes memory) {
        return _repeated(HALF, 4);
    }

    function _repeated(uint32 value, uint256 count) private pure returns (bytes memory data) {
        for (uint256 i = 0; i < count; ++i) {
            data = abi.encodePacked(data, value);
        }
    }

    function _words(uint32[4] memory values) private pure returns (bytes memory) {
        return abi.encodePacked(bytes4(values[0]), bytes4(values[1]), bytes4(values[2]), bytes4(values[3]));
    }

    function _one(bytes32 word) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = word;
    }
}
