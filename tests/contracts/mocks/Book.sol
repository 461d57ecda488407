// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    BUNDLE_TAG,
    GRAPH_TAG,
    LEAF_TAG,
    NUMERICS_TAG,
    STEP_TAG,
    TENSOR_TAG
} from "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot, F32, GraphRoot, NumericsRoot, TensorHeader} from "../../../contracts/types/Roots.sol";
import {ShaTrees} from "../reference/Trees.sol";

/// @notice Where a step takes an operand from.
struct Operand {
    uint8 source;
    uint32 index;
    TensorHeader header;
}

/// @notice Writes tensors, bundles, graphs and records as PROTOCOL.md has them, plainly; the libraries under test are not
/// used.
abstract contract Book is ShaTrees {
    uint8 internal constant INPUT = 0;
    uint8 internal constant WEIGHT = 1;
    uint8 internal constant RESULT = 2;

    function matrix(uint32 rows, uint32 columns) internal pure returns (TensorHeader) {
        return TensorHeader.wrap(bytes32(_head(2) | uint256(rows) << 192 | uint256(columns) << 160));
    }

    function vector(uint32 length) internal pure returns (TensorHeader) {
        return TensorHeader.wrap(bytes32(_head(1) | uint256(length) << 192));
    }

    /// @notice Root of a tensor of at most one leaf.
    function smallTensor(TensorHeader header, bytes memory data) internal pure returns (bytes32) {
        return tensorOf(header, sha256(abi.encodePacked(LEAF_TAG, data)));
    }

    function tensorOf(TensorHeader header, bytes32 top) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(TENSOR_TAG, header, top));
    }

    function bundle(bytes32[] memory roots) internal pure returns (BundleRoot) {
        return BundleRoot.wrap(sha256(abi.encodePacked(BUNDLE_TAG, roots.length, topOf(roots))));
    }

    function graph(bytes32 header, bytes32[] memory stepLeaves) internal pure returns (GraphRoot) {
        return GraphRoot.wrap(sha256(abi.encodePacked(GRAPH_TAG, header, topOf(stepLeaves))));
    }

    function numerics(bytes32 header, bytes32[] memory words) internal pure returns (NumericsRoot) {
        return NumericsRoot.wrap(sha256(abi.encodePacked(NUMERICS_TAG, header, topOf(words))));
    }

    function stepLeaf(bytes memory written) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(STEP_TAG, written));
    }

    function graphHeader(uint256 inputs, uint256 weights, uint256 steps) internal pure returns (bytes32) {
        return bytes32(inputs << 224 | weights << 192 | steps << 160);
    }

    /// @param axes of the operator's attributes
    function record(uint8 op, uint8 axes, TensorHeader result, Operand[] memory operands, int64[] memory attributes)
        internal
        pure
        returns (bytes memory bytes_)
    {
        bytes_ = abi.encodePacked(op, axes, uint8(operands.length), uint8(attributes.length), result);
        for (uint256 i = 0; i < operands.length; ++i) {
            bytes_ = abi.encodePacked(bytes_, operands[i].source, operands[i].index, operands[i].header);
        }
        for (uint256 i = 0; i < attributes.length; ++i) {
            bytes_ = abi.encodePacked(bytes_, attributes[i]);
        }
    }

    /// @notice `rows x K` times `columns x K`, plus, with three operands, a bias for each column.
    function linear(uint32 rows, uint32 columns, uint32 k, Operand[] memory operands)
        internal
        pure
        returns (bytes memory)
    {
        uint32[9] memory values = [k, rows, columns, 1, 0, 0, 1, 0, 1];
        int64[] memory attributes = new int64[](9);
        for (uint256 i = 0; i < attributes.length; ++i) {
            attributes[i] = int64(uint64(values[i]));
        }
        return record(1, 2, matrix(rows, columns), operands, attributes);
    }

    function _operands(Operand memory a, Operand memory b) internal pure returns (Operand[] memory list) {
        list = new Operand[](2);
        (list[0], list[1]) = (a, b);
    }

    function _head(uint256 rank) private pure returns (uint256) {
        return uint256(F32) << 248 | rank << 240;
    }
}
