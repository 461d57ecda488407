// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ShaTrees} from "./Trees.sol";
import {Committed, FaultKind, FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader} from "../../../contracts/types/Roots.sol";

/// @title Graphs, tensors and proofs, built in the plainest way from PROTOCOL.md
/// @notice A test adds inputs, weights and steps with their results, then asks for what is committed and for openings.
abstract contract TraceWorld is ShaTrees {
    struct Tensor {
        TensorHeader header;
        bytes data;
    }

    /// @dev Inputs, weights, results.
    Tensor[][3] internal tensors;
    bytes[] internal records;
    bytes32[] internal factors;

    function shape(uint8 dtype, uint32[] memory dims) internal pure returns (TensorHeader) {
        uint256 word = (uint256(dtype) << 248) | (dims.length << 240);
        for (uint256 i = 0; i < dims.length; ++i) {
            word |= uint256(dims[i]) << (192 - 32 * i);
        }
        return TensorHeader.wrap(bytes32(word));
    }

    function shape(uint8 dtype, uint32 d0) internal pure returns (TensorHeader) {
        uint32[] memory dims = new uint32[](1);
        dims[0] = d0;
        return shape(dtype, dims);
    }

    function operand(uint8 source, uint32 index) internal view returns (bytes memory) {
        return abi.encodePacked(source, index, tensors[source][index].header);
    }

    function record(uint8 code, uint8 axes, TensorHeader result, bytes memory operands, int64[] memory attributes)
        internal
        pure
        returns (bytes memory bytes_)
    {
        bytes_ = abi.encodePacked(code, axes, uint8(operands.length / 37), uint8(attributes.length), result, operands);
        for (uint256 i = 0; i < attributes.length; ++i) {
            bytes_ = bytes.concat(bytes_, bytes8(uint64(attributes[i])));
        }
    }

    function add(uint8 source, TensorHeader header, bytes memory data) internal {
        tensors[source].push(Tensor(header, data));
    }

    function addStep(bytes memory step, TensorHeader header, bytes memory data, uint256 factor) internal {
        records.push(step);
        factors.push(bytes32(factor));
        add(2, header, data);
    }

    function leavesOf(bytes memory data) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((data.length + 1023) / 1024);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = sha256(bytes.concat(LEAF_TAG, slice(data, i * 1024, least(data.length, (i + 1) * 1024))));
        }
    }

    function rootOf(Tensor memory tensor) internal pure returns (bytes32) {
        return sha256(bytes.concat(TENSOR_TAG, TensorHeader.unwrap(tensor.header), topOf(leavesOf(tensor.data))));
    }

    function rootsOf(uint8 source) internal view returns (bytes32[] memory roots) {
        roots = new bytes32[](tensors[source].length);
        for (uint256 i = 0; i < roots.length; ++i) {
            roots[i] = rootOf(tensors[source][i]);
        }
    }

    function bundleOf(uint8 source) internal view returns (BundleRoot) {
        bytes32[] memory roots = rootsOf(source);
        return BundleRoot.wrap(sha256(bytes.concat(BUNDLE_TAG, bytes32(roots.length), topOf(roots))));
    }

    function stepLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](records.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = sha256(bytes.concat(STEP_TAG, records[i]));
        }
    }

    function committed(bytes memory claimed) internal view returns (Committed memory all) {
        all.graphHeader = bytes32(
            abi.encodePacked(uint32(tensors[0].length), uint32(tensors[1].length), uint32(records.length), bytes20(0))
        );
        all.graphRoot = GraphRoot.wrap(sha256(bytes.concat(GRAPH_TAG, all.graphHeader, topOf(stepLeaves()))));
        all.inputsRoot = bundleOf(0);
        all.weightsRoot = bundleOf(1);
        all.traceRoot = bundleOf(2);
        all.numericsHeader = bytes32(bytes1(0x01));
        all.numericsRoot = NumericsRoot.wrap(sha256(bytes.concat(NUMERICS_TAG, all.numericsHeader, topOf(factors))));
        all.outputHeader = tensors[2][records.length - 1].header;
        all.claimedOutput = claimed;
    }

    /// @notice A proof about `element` of `step` with room for openings; with a factor if the step has one.
    function proofOf(FaultKind kind, uint32 step, uint32 element, uint256 openings)
        internal
        view
        returns (FaultProof memory proof)
    {
        proof.kind = kind;
        proof.step = step;
        proof.element = element;
        proof.stepRecord = records[step];
        proof.stepPath = siblingsOf(stepLeaves(), step, step);
        proof.openings = new Opening[](openings);
        proof.factor = uint32(uint256(factors[step]));
        if (proof.factor != 0) proof.numericsPath = siblingsOf(factors, step, step);
    }

    /// @notice Elements `first .. first + count` of a tensor of 4-byte elements; of 8 bytes if i64.
    function open(uint8 source, uint256 index, uint256 first, uint256 count) internal view returns (Opening memory) {
        Tensor memory tensor = tensors[source][index];
        uint256 width = tensor.header.width();
        return leafRun(source, index, (first * width) / 1024, ((first + count) * width - 1) / 1024);
    }

    function leafRun(uint8 source, uint256 index, uint256 first, uint256 last)
        internal
        view
        returns (Opening memory opening)
    {
        bytes memory data = tensors[source][index].data;
        opening.leaves = slice(data, first * 1024, least(data.length, (last + 1) * 1024));
        opening.siblings = siblingsOf(leavesOf(data), first, last);
        opening.bundlePath = siblingsOf(rootsOf(source), index, index);
    }

    function slice(bytes memory data, uint256 from, uint256 to) internal pure returns (bytes memory part) {
        part = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(data, 0x20), from), sub(to, from))
        }
    }

    /// @dev `count` times the same float.
    function repeated(uint32 bits, uint256 count) internal pure returns (bytes memory data) {
        for (uint256 i = 0; i < count; ++i) {
            data = bytes.concat(data, bytes4(bits));
        }
    }

    function floats(uint32 a, uint32 b, uint32 c) internal pure returns (bytes memory) {
        return abi.encodePacked(a, b, c);
    }

    function least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
