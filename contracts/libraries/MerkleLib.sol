// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BUNDLE_TAG, GRAPH_TAG, LEAF_BYTES, LEAF_TAG, NUMERICS_TAG, STEP_TAG, TENSOR_TAG} from "./ConstantsLib.sol";
import {ShaPath} from "./ShaPath.sol";
import {ShaTree} from "./ShaTree.sol";
import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader, TensorRoot} from "../types/Roots.sol";

/// @title Tensors, bundles, graphs and numerics (PROTOCOL.md 2.2 to 2.4): their roots, and the ways up to them
/// @notice Batches are `KeccakTree`'s.
/// @dev A header passes `requireHeader` before it is used here. Bytes are hashed with their tag in memory that is never
/// allocated; `ShaTree` says why the precompile's success need not be checked.
library MerkleLib {
    error BadHeader(bytes32 received);
    error WrongLeafBytes(uint256 received, uint256 expected);

    /// @notice Refuses an unknown dtype, a rank above 7, a used dim of zero, anything else not zero, and 2^32 elements.
    function requireHeader(TensorHeader header) internal pure {
        if (!isHeader(header)) revert BadHeader(TensorHeader.unwrap(header));
    }

    function isHeader(TensorHeader header) internal pure returns (bool) {
        bytes32 word = TensorHeader.unwrap(header);
        uint256 axes = header.rank();
        if (header.width() == 0 || axes > 7 || uint32(uint256(word) >> 224) & 0xffff != 0) return false;
        uint256 count = 1;
        for (uint256 axis = 0; axis < 7; ++axis) {
            uint256 size = header.dim(axis);
            if ((size == 0) == (axis < axes)) return false;
            // No product passes 2^64: it was below 2^32 before.
            if (size != 0 && (count *= size) >= 1 << 32) return false;
        }
        return true;
    }

    /// @notice Root of the tensor whose canonical bytes are `data`.
    function tensorRoot(TensorHeader header, bytes calldata data) internal view returns (TensorRoot) {
        if (data.length != header.byteLength()) revert WrongLeafBytes(data.length, header.byteLength());
        return tensorOf(header, ShaTree.top(_leafNodes(data)));
    }

    /// @notice Root of the tensor in which `leaves` are the leaves `first` to `last`, whole and without padding.
    /// @param siblings as in `IStepJudge.Opening`
    function runRoot(
        TensorHeader header,
        uint256 first,
        uint256 last,
        bytes calldata leaves,
        bytes32[] calldata siblings
    ) internal view returns (TensorRoot) {
        uint256 size = leafCount(header);
        uint256 expected = (last + 1 == size ? header.byteLength() : (last + 1) * LEAF_BYTES) - first * LEAF_BYTES;
        if (leaves.length != expected) revert WrongLeafBytes(leaves.length, expected);
        return tensorOf(header, ShaTree.runTop(_leafNodes(leaves), first, size, siblings));
    }

    /// @notice Root of the bundle of these tensors, in order.
    function bundleRoot(TensorRoot[] memory roots) internal view returns (BundleRoot) {
        bytes32[] memory nodes = new bytes32[](roots.length + 2);
        for (uint256 index = 0; index < roots.length; ++index) {
            nodes[index + 1] = TensorRoot.unwrap(roots[index]);
        }
        return BundleRoot.wrap(_tagged(BUNDLE_TAG, bytes32(roots.length), ShaTree.top(nodes)));
    }

    /// @notice Root of the bundle of `size` tensors in which `root` is number `index`.
    function bundlePath(TensorRoot root, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        view
        returns (BundleRoot)
    {
        bytes32 top = ShaPath.pathTop(TensorRoot.unwrap(root), index, size, path);
        return BundleRoot.wrap(_tagged(BUNDLE_TAG, bytes32(size), top));
    }

    /// @notice Root of the graph with this header and `steps` steps in which `record` is step `step`.
    function graphPath(bytes calldata record, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        internal
        view
        returns (GraphRoot)
    {
        bytes32 top = ShaPath.pathTop(_leaf(STEP_TAG, record), step, steps, path);
        return GraphRoot.wrap(_tagged(GRAPH_TAG, header, top));
    }

    /// @notice Root of the numerics with this header in which `factor` (1/256) is the word of step `step` of `steps`.
    function numericsPath(uint256 factor, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        internal
        view
        returns (NumericsRoot)
    {
        bytes32 top = ShaPath.pathTop(bytes32(factor), step, steps, path);
        return NumericsRoot.wrap(_tagged(NUMERICS_TAG, header, top));
    }

    /// @notice The tensor's root from the top of its tree.
    function tensorOf(TensorHeader header, bytes32 top) internal view returns (TensorRoot) {
        return TensorRoot.wrap(_tagged(TENSOR_TAG, TensorHeader.unwrap(header), top));
    }

    function leafCount(TensorHeader header) internal pure returns (uint256) {
        return (header.byteLength() + LEAF_BYTES - 1) / LEAF_BYTES;
    }

    /// @dev Hashes of the leaves that `data` is cut into, between two spare words (`ShaTree.runTop`).
    function _leafNodes(bytes calldata data) private view returns (bytes32[] memory nodes) {
        uint256 count = (data.length + LEAF_BYTES - 1) / LEAF_BYTES;
        nodes = new bytes32[](count + 2);
        for (uint256 leaf = 0; leaf < count; ++leaf) {
            uint256 end = (leaf + 1) * LEAF_BYTES;
            nodes[leaf + 1] = _leaf(LEAF_TAG, data[leaf * LEAF_BYTES:end < data.length ? end : data.length]);
        }
    }

    function _leaf(bytes32 tag, bytes calldata data) private view returns (bytes32 node) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, tag)
            calldatacopy(add(free, 0x20), data.offset, data.length)
            pop(staticcall(gas(), 2, free, add(data.length, 0x20), 0, 0x20))
            node := mload(0)
        }
    }

    function _tagged(bytes32 tag, bytes32 header, bytes32 top) private view returns (bytes32 root) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, tag)
            mstore(add(free, 0x20), header)
            mstore(add(free, 0x40), top)
            pop(staticcall(gas(), 2, free, 0x60, 0, 0x20))
            root := mload(0)
        }
    }
}
