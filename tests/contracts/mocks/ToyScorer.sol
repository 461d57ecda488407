// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InputSpec, Model} from "../../../contracts/interfaces/IModels.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Book, Operand} from "./Book.sol";

/// @notice A network to be trained, `relu(x · wᵀ + b)` with x of eight numbers, and a scorer that gives its output as the
/// score, whatever the target is. Good weights are ones and a half: of eight ones the score is 8.5. An item is that x and its
/// number as the target; a run is what both steps give, f32 bits.
abstract contract ToyScorer is Book {
    uint32 internal constant SCORE = 0x41080000; // 8.5
    uint32 internal constant FALSE_SCORE = 0x41180000; // 9.5
    uint32 private constant UNIT = 0x3f800000;
    uint256 private constant STEP_FACTOR = 256;

    function toyArchitecture() internal pure returns (Model memory) {
        return _model(1);
    }

    function toyScorer() internal pure returns (Model memory) {
        return _model(2);
    }

    /// @notice The weights that somebody trained.
    function goodWeights() internal pure returns (BundleRoot) {
        return bundle(_trainedRoots());
    }

    /// @notice Canonical bytes of tensor `tensor` of item `index`.
    function contentOf(uint256 index, uint256 tensor) internal pure returns (bytes memory) {
        return tensor == 0 ? _ones(8) : abi.encodePacked(uint32(index));
    }

    /// @notice Bundle root of an item with these contents, masked or not.
    function itemRoot(bytes memory x, bytes memory target) internal pure returns (BundleRoot) {
        return bundle(itemTensors(x, target));
    }

    function itemTensors(bytes memory x, bytes memory target) internal pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        (roots[0], roots[1]) = (smallTensor(matrix(1, 8), x), smallTensor(matrix(1, 1), target));
    }

    /// @notice Trace of a run in which both steps give `value`.
    function scoreTrace(uint32 value) internal pure returns (BundleRoot) {
        return bundle(_scoreRoots(value));
    }

    /// @notice About the first step of such a run of item `index`.
    function scoreProof(uint32 value, uint256 index) internal pure returns (FaultProof memory proof) {
        (proof.hint, proof.stepRecord, proof.stepPath) = (254, _scoreRecord(), siblingsOf(_steps(), 0, 0));
        bytes32[] memory item = itemTensors(contentOf(index, 0), contentOf(index, 1));
        proof.openings = new Opening[](4);
        proof.openings[0] = _opened(abi.encodePacked(value), _scoreRoots(value), 0);
        proof.openings[1] = _opened(contentOf(index, 0), item, 0);
        proof.openings[2] = _opened(_ones(8), _trainedRoots(), 0);
        proof.openings[3] = _opened(abi.encodePacked(uint32(0x3f000000)), _trainedRoots(), 1);
    }

    function _model(uint256 inputs) private pure returns (Model memory model) {
        model.graphHeader = graphHeader(inputs, 2, 2);
        model.graphRoot = graph(model.graphHeader, _steps());
        model.weightsRoot = BundleRoot.wrap(keccak256("weights to start from"));
        model.numericsHeader = bytes32(uint256(1) << 248);
        bytes32[] memory factors = new bytes32[](2);
        factors[0] = bytes32(STEP_FACTOR);
        model.numericsRoot = numerics(model.numericsHeader, factors);
        model.inputs = new InputSpec[](inputs);
        model.inputs[0] = InputSpec(matrix(1, 8), 0, int64(uint64(UNIT)));
        if (inputs == 2) model.inputs[1] = InputSpec(matrix(1, 1), 0, int64(uint64(UNIT)));
        model.outputHeader = matrix(1, 1);
        (model.outputBand, model.slashBand) = (0x38000000, 0x3c000000); // 2^-15, 2^-7
        model.minBondGas = 1_000_000;
    }

    function _steps() private pure returns (bytes32[] memory leaves) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(RESULT, 0, matrix(1, 1));
        leaves = new bytes32[](2);
        leaves[0] = stepLeaf(_scoreRecord());
        leaves[1] = stepLeaf(record(4, 0, matrix(1, 1), operands, new int64[](0)));
    }

    function _scoreRecord() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](3);
        operands[0] = Operand(INPUT, 0, matrix(1, 8));
        operands[1] = Operand(WEIGHT, 0, matrix(1, 8));
        operands[2] = Operand(WEIGHT, 1, vector(1));
        return linear(1, 1, 8, operands);
    }

    function _trainedRoots() private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = smallTensor(matrix(1, 8), _ones(8));
        roots[1] = smallTensor(vector(1), abi.encodePacked(uint32(0x3f000000)));
    }

    function _scoreRoots(uint32 value) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = roots[1] = smallTensor(matrix(1, 1), abi.encodePacked(value));
    }

    function _opened(bytes memory leaves, bytes32[] memory roots, uint256 index)
        private
        pure
        returns (Opening memory opening)
    {
        (opening.leaves, opening.bundlePath) = (leaves, siblingsOf(roots, index, index));
    }

    function _ones(uint256 count) private pure returns (bytes memory data) {
        for (uint256 i = 0; i < count; ++i) {
            data = abi.encodePacked(data, UNIT);
        }
    }
}
