// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InputSpec, Model} from "../../../contracts/interfaces/IModels.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot, TensorHeader} from "../../../contracts/types/Roots.sol";
import {Harness} from "../Harness.sol";
import {Book, Operand} from "../mocks/Book.sol";

/// @notice A model as deep and wide as a transformer with one wrong element of a linear layer: 100 steps, 64 weight tensors,
/// 8 rows of activations, 4,096 columns. Only what the proof shows is made; what lies beside its paths is random.
abstract contract DeepLayer is Harness, Book {
    uint32 internal constant STEPS = 100;
    uint32 internal constant WEIGHTS = 64;
    uint32 internal constant ROWS = 8;
    uint32 internal constant COLUMNS = 4096;
    uint32 internal constant STEP = 57;
    uint32 internal constant WEIGHT_INDEX = 20;
    uint32 internal constant ROW = 1;
    uint32 internal constant COLUMN = 1234;
    /// @dev All values have exponent field 124 or 125, so no product's exponent is above this one.
    int32 internal constant LAYER_EXPONENT = 250;


    /// @notice The model, a proof of its wrong element in step 57, and the root of the trace that has it.
    /// @dev The model's bond gas and windows are the caller's to choose.
    function faultyLayer(uint32 k)
        internal
        pure
        returns (Model memory model, FaultProof memory proof, BundleRoot traceRoot)
    {
        (proof.step, proof.element, proof.hint) = (STEP, ROW * COLUMNS + COLUMN, LAYER_EXPONENT);
        proof.openings = new Opening[](3);
        bytes32[] memory trace = leavesFrom(1, STEPS);
        bytes32[] memory weights = leavesFrom(2, WEIGHTS);
        trace[STEP] = _result(proof.openings[0]);
        trace[STEP - 1] = _row(proof.openings[1], ROWS, k, ROW);
        weights[WEIGHT_INDEX] = _row(proof.openings[2], COLUMNS, k, COLUMN);
        proof.openings[0].bundlePath = siblingsOf(trace, STEP, STEP);
        proof.openings[1].bundlePath = siblingsOf(trace, STEP - 1, STEP - 1);
        proof.openings[2].bundlePath = siblingsOf(weights, WEIGHT_INDEX, WEIGHT_INDEX);
        model = _model(k, proof);
        model.weightsRoot = bundle(weights);
        return (model, proof, bundle(trace));
    }

    function _model(uint32 k, FaultProof memory proof) private pure returns (Model memory model) {
        proof.stepRecord = linear(
            ROWS,
            COLUMNS,
            k,
            _operands(Operand(RESULT, STEP - 1, matrix(ROWS, k)), Operand(WEIGHT, WEIGHT_INDEX, matrix(COLUMNS, k)))
        );
        bytes32[] memory steps = leavesFrom(4, STEPS);
        steps[STEP] = stepLeaf(proof.stepRecord);
        proof.stepPath = siblingsOf(steps, STEP, STEP);
        model.graphHeader = graphHeader(1, WEIGHTS, STEPS);
        model.graphRoot = graph(model.graphHeader, steps);
        model.numericsHeader = bytes32(uint256(1) << 248);
        model.numericsRoot = numerics(model.numericsHeader, leavesFrom(5, STEPS));
        model.inputs = new InputSpec[](1);
        model.inputs[0] = InputSpec(matrix(ROWS, 64), 0, 0x3f800000);
        model.outputHeader = matrix(1, 10);
        (model.outputBand, model.slashBand) = (0x3a83126f, 0x3b83126f);
    }

    // Tensors.

    /// @dev The result's leaf, in which the judged element is 2^30: far from any sum of 4,096 products below 1/4.
    function _result(Opening memory opening) private pure returns (bytes32) {
        uint256 element = uint256(ROW) * COLUMNS + COLUMN;
        opening.leaves = floats(6, 256);
        bytes memory leaves = opening.leaves;
        uint256 place = 32 + 4 * (element % 256);
        assembly ("memory-safe") {
            let word := mload(add(leaves, place))
            mstore(add(leaves, place), or(shl(224, 0x4e801234), and(word, shr(32, not(0)))))
        }
        return _sparse(opening, matrix(ROWS, COLUMNS), element / 256);
    }

    /// @dev Row `row` of a matrix of `rows` rows of whole leaves.
    function _row(Opening memory opening, uint32 rows, uint32 k, uint256 row) private pure returns (bytes32) {
        opening.leaves = floats(7 + rows, k);
        return _sparse(opening, matrix(rows, k), row * k / 256);
    }

    /// @dev f32 values of random sign and fraction, exponent field 124 or 125.
    function floats(uint256 seed, uint256 count) internal pure returns (bytes memory data) {
        data = new bytes(count * 4);
        uint256 keep = type(uint256).max / 0xffffffff * 0x80ffffff;
        uint256 exponent = type(uint256).max / 0xffffffff * 0x3e000000;
        for (uint256 i = 0; i < data.length; i += 32) {
            uint256 word = uint256(keccak256(abi.encode(seed, i))) & keep | exponent;
            if (data.length - i < 32) word &= type(uint256).max << 8 * (32 - (data.length - i));
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), i), word)
            }
        }
    }

    /// @dev Root of the tensor in which the opening's leaves, all of 1,024 bytes, begin at leaf `first` and everything
    /// else is random.
    function _sparse(Opening memory opening, TensorHeader header, uint256 first) private pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](opening.leaves.length / 1024);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = sha256(bytes.concat(LEAF_TAG, _cut(opening.leaves, i)));
        }
        uint256 size = header.byteLength() / 1024;
        uint256 last = first + nodes.length - 1;
        bytes32[] memory found = new bytes32[](64);
        uint256 count = 0;
        for (; size > 1; (first, last, size) = (first / 2, last / 2, (size + 1) / 2)) {
            assertTrue(last % 2 == 1 || last + 1 < size, "no run here touches a right edge that is missing");
            bytes32 left = keccak256(abi.encode(header, size, "left"));
            bytes32 right = keccak256(abi.encode(header, size, "right"));
            if (first % 2 == 1) found[count++] = left;
            if (last % 2 == 0) found[count++] = right;
            nodes = _parents(nodes, first, left, right);
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
        opening.siblings = found;
        return tensorOf(header, nodes[0]);
    }

    function _parents(bytes32[] memory nodes, uint256 first, bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32[] memory parents)
    {
        uint256 last = first + nodes.length - 1;
        parents = new bytes32[](last / 2 - first / 2 + 1);
        for (uint256 i = 0; i < parents.length; ++i) {
            uint256 at_ = 2 * (first / 2 + i);
            parents[i] =
                hashPair(at_ < first ? left : nodes[at_ - first], at_ + 1 > last ? right : nodes[at_ + 1 - first]);
        }
    }

    function _cut(bytes memory data, uint256 leaf) private pure returns (bytes memory out) {
        out = new bytes(1024);
        assembly ("memory-safe") {
            mcopy(add(out, 0x20), add(add(data, 0x20), mul(leaf, 1024)), 1024)
        }
    }
}
