// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {ShaTrees} from "./reference/Trees.sol";
import "../../contracts/libraries/ConstantsLib.sol";
import {MerkleLib} from "../../contracts/libraries/MerkleLib.sol";
import {ShaPath} from "../../contracts/libraries/ShaPath.sol";
import {ShaTree} from "../../contracts/libraries/ShaTree.sol";
import {BundleRoot, F32, GraphRoot, NumericsRoot, TensorHeader, TensorRoot} from "../../contracts/types/Roots.sol";

/// @dev The libraries behind calldata, as their callers have them.
contract MerkleCalls {
    function requireHeader(TensorHeader header) external pure {
        MerkleLib.requireHeader(header);
    }

    function tensorRoot(TensorHeader header, bytes calldata data) external view returns (TensorRoot) {
        return MerkleLib.tensorRoot(header, data);
    }

    function runRoot(TensorHeader header, uint256 first, uint256 last, bytes calldata leaves, bytes32[] calldata path)
        external
        view
        returns (TensorRoot)
    {
        return MerkleLib.runRoot(header, first, last, leaves, path);
    }

    function bundleRoot(TensorRoot[] memory roots) external view returns (BundleRoot) {
        return MerkleLib.bundleRoot(roots);
    }

    function bundlePath(TensorRoot root, uint256 index, uint256 size, bytes32[] calldata path)
        external
        view
        returns (BundleRoot)
    {
        return MerkleLib.bundlePath(root, index, size, path);
    }

    function graphPath(bytes calldata record, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        external
        view
        returns (GraphRoot)
    {
        return MerkleLib.graphPath(record, step, steps, header, path);
    }

    function numericsPath(uint256 factor, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        external
        view
        returns (NumericsRoot)
    {
        return MerkleLib.numericsPath(factor, step, steps, header, path);
    }

    function pathTop(bytes32 node, uint256 index, uint256 size, bytes32[] calldata path)
        external
        view
        returns (bytes32 top, uint256 gasUsed)
    {
        uint256 before = gasleft();
        top = ShaPath.pathTop(node, index, size, path);
        gasUsed = before - gasleft();
    }
}

contract MerkleLibTest is Harness, ShaTrees {
    MerkleCalls internal calls = new MerkleCalls();

    /// @dev dtype, rank, then up to three dims.
    function header(uint8 dtype, uint8 rank, uint32 d0, uint32 d1, uint32 d2) internal pure returns (TensorHeader) {
        return TensorHeader.wrap(bytes32(abi.encodePacked(dtype, rank, uint16(0), d0, d1, d2, uint128(0))));
    }

    function refuseHeader(TensorHeader bad) internal {
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.BadHeader.selector, TensorHeader.unwrap(bad)));
        calls.requireHeader(bad);
    }

    function tensorOf(TensorHeader head, bytes memory data) internal pure returns (bytes32) {
        return sha256(bytes.concat(TENSOR_TAG, TensorHeader.unwrap(head), topOf(leavesOf(data))));
    }

    function leavesOf(bytes memory data) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((data.length + 1023) / 1024);
        for (uint256 i = 0; i < leaves.length; ++i) {
            uint256 end = (i + 1) * 1024 < data.length ? (i + 1) * 1024 : data.length;
            leaves[i] = sha256(bytes.concat(LEAF_TAG, slice(data, i * 1024, end)));
        }
    }

    function slice(bytes memory data, uint256 from, uint256 to) internal pure returns (bytes memory part) {
        part = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(data, 0x20), from), sub(to, from))
        }
    }

    function noise(uint256 seed, uint256 length) internal pure returns (bytes memory data) {
        data = new bytes(length + 32);
        for (uint256 i = 0; i < length; i += 32) {
            bytes32 word = keccak256(abi.encode(seed, i));
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), i), word)
            }
        }
        return slice(data, 0, length);
    }

    function test_header_malformed_reverts() public {
        refuseHeader(header(0, 1, 4, 0, 0));
        refuseHeader(header(8, 1, 4, 0, 0));
        refuseHeader(header(F32, 8, 4, 4, 4));
        refuseHeader(header(F32, 2, 4, 0, 0));
        refuseHeader(header(F32, 1, 4, 4, 0));
        refuseHeader(header(F32, 2, 1 << 16, 1 << 16, 0));
        refuseHeader(header(F32, 3, type(uint32).max, type(uint32).max, type(uint32).max));
        refuseHeader(TensorHeader.wrap(bytes32(abi.encodePacked(F32, uint8(0), uint16(1), uint224(0)))));
    }

    function test_header_wellFormed_passes() public view {
        calls.requireHeader(header(F32, 0, 0, 0, 0));
        calls.requireHeader(header(7, 1, type(uint32).max, 0, 0));
        calls.requireHeader(header(4, 3, 1 << 16, 1 << 15, 1));
        uint224 ones = 0x00000001000000010000000100000001000000010000000100000001;
        calls.requireHeader(TensorHeader.wrap(bytes32(abi.encodePacked(F32, uint8(7), uint16(0), ones))));
    }

    function test_tensor_wrongLength_reverts() public {
        TensorHeader head = header(F32, 1, 300, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1199, 1200));
        calls.tensorRoot(head, new bytes(1199));
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1201, 1200));
        calls.tensorRoot(head, new bytes(1201));
    }

    function test_path_wrongIndexOrLength_reverts() public {
        bytes32[] memory leaves = leavesFrom(1, 5);
        bytes32[] memory path = siblingsOf(leaves, 4, 4);
        bytes32[] memory longer = siblingsOf(leaves, 3, 3);
        vm.expectRevert(abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 5, 5));
        calls.pathTop(leaves[4], 5, 5, path);
        vm.expectRevert(abi.encodeWithSelector(ShaTree.WrongPathLength.selector, 1, 3));
        calls.pathTop(leaves[3], 3, 5, path);
        vm.expectRevert(abi.encodeWithSelector(ShaTree.WrongPathLength.selector, 3, 1));
        calls.pathTop(leaves[4], 4, 5, longer);
    }

    function test_run_wrongBytesOrSiblings_reverts() public {
        TensorHeader head = header(F32, 1, 600, 0, 0);
        bytes memory data = noise(1, 2400);
        bytes32[] memory siblings = siblingsOf(leavesOf(data), 1, 2);
        bytes memory run = slice(data, 1024, 2400);
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1376, 1024));
        calls.runRoot(head, 1, 1, run, siblings);
        vm.expectRevert(abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1375, 1376));
        calls.runRoot(head, 1, 2, slice(data, 1024, 2399), siblings);
        vm.expectRevert(abi.encodeWithSelector(ShaTree.WrongPathLength.selector, 0, 1));
        calls.runRoot(head, 1, 2, run, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(ShaTree.WrongPathLength.selector, 2, 1));
        calls.runRoot(head, 1, 2, run, new bytes32[](2));
        vm.expectRevert(abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 3, 3));
        calls.runRoot(head, 3, 3, slice(data, 0, 1024), siblings);
    }

    function test_path_everyIndexOfSmallTrees_matchesReference() public view {
        for (uint256 size = 1; size <= 17; ++size) {
            bytes32[] memory leaves = leavesFrom(size, size);
            for (uint256 index = 0; index < size; ++index) {
                (bytes32 top,) = calls.pathTop(leaves[index], index, size, siblingsOf(leaves, index, index));
                assertEq(top, topOf(leaves));
            }
        }
    }

    function test_path_twentyLevels_costsAtMost5300() public view {
        bytes32[] memory path = leavesFrom(3, 20);
        bytes32 expected = bytes32(uint256(1));
        for (uint256 level = 0; level < 20; ++level) {
            bool odd = (0x5a5a5 >> level) & 1 == 1;
            expected = odd ? hashPair(path[level], expected) : hashPair(expected, path[level]);
        }
        (bytes32 top, uint256 gasUsed) = calls.pathTop(bytes32(uint256(1)), 0x5a5a5, 1 << 20, path);
        assertEq(top, expected);
        assertLe(gasUsed, 5300);
    }

    function testFuzz_run_matchesReference(uint256 seed, uint256 elements, uint256 first, uint256 last) public view {
        elements = bound(elements, 1, 4000);
        TensorHeader head = header(F32, 1, uint32(elements), 0, 0);
        bytes memory data = noise(seed, 4 * elements);
        last = bound(last, 0, (data.length - 1) / 1024);
        first = bound(first, 0, last);
        bytes32[] memory siblings = siblingsOf(leavesOf(data), first, last);
        bytes memory run = slice(data, first * 1024, last == (data.length - 1) / 1024 ? data.length : (last + 1) * 1024);
        assertEq(TensorRoot.unwrap(calls.runRoot(head, first, last, run, siblings)), tensorOf(head, data));
    }

    function testFuzz_run_changedByteOrSibling_movesRoot(uint256 seed, uint256 place) public view {
        TensorHeader head = header(F32, 1, 1500, 0, 0);
        bytes memory data = noise(seed, 6000);
        bytes32[] memory siblings = siblingsOf(leavesOf(data), 3, 5);
        bytes memory run = slice(data, 3072, 6000);
        siblings[place % siblings.length] ^= bytes32(uint256(1));
        assertTrue(root(head, run, siblings) != tensorOf(head, data), "a sibling binds");
        siblings[place % siblings.length] ^= bytes32(uint256(1));
        run[place % run.length] ^= 0x01;
        assertTrue(root(head, run, siblings) != tensorOf(head, data), "a byte binds");
    }

    function root(TensorHeader head, bytes memory run, bytes32[] memory siblings) internal view returns (bytes32) {
        return TensorRoot.unwrap(calls.runRoot(head, 3, 5, run, siblings));
    }

    function testFuzz_tensor_root_matchesReference(uint256 seed, uint256 length) public view {
        length = bound(length, 1, 6000);
        TensorHeader head = header(6, 2, uint32(length), 1, 0);
        bytes memory data = noise(seed, length);
        bytes32 expected = tensorOf(head, data);
        assertEq(TensorRoot.unwrap(calls.tensorRoot(head, data)), expected);
    }

    function testFuzz_bundle_rootAndPath_matchReference(uint256 seed, uint256 size, uint256 index) public view {
        size = bound(size, 1, 40);
        index = bound(index, 0, size - 1);
        bytes32[] memory leaves = leavesFrom(seed, size);
        TensorRoot[] memory roots = new TensorRoot[](size);
        for (uint256 i = 0; i < size; ++i) {
            roots[i] = TensorRoot.wrap(leaves[i]);
        }
        bytes32 expected = sha256(bytes.concat(BUNDLE_TAG, bytes32(size), topOf(leaves)));
        assertEq(BundleRoot.unwrap(calls.bundleRoot(roots)), expected);
        bytes32[] memory path = siblingsOf(leaves, index, index);
        assertEq(BundleRoot.unwrap(calls.bundlePath(roots[index], index, size, path)), expected);
    }

    function testFuzz_graphAndNumerics_matchReference(uint256 seed, uint256 size, uint256 index, bytes calldata record)
        public
        view
    {
        size = bound(size, 1, 40);
        index = bound(index, 0, size - 1);
        bytes32[] memory leaves = leavesFrom(seed, size);
        bytes32 head = keccak256(abi.encode(seed));
        bytes32[] memory path = siblingsOf(leaves, index, index);
        bytes32 numerics = NumericsRoot.unwrap(calls.numericsPath(uint256(leaves[index]), index, size, head, path));
        assertEq(numerics, sha256(bytes.concat(NUMERICS_TAG, head, topOf(leaves))));
        leaves[index] = sha256(bytes.concat(STEP_TAG, record));
        bytes32 graph = GraphRoot.unwrap(calls.graphPath(record, index, size, head, path));
        assertEq(graph, sha256(bytes.concat(GRAPH_TAG, head, topOf(leaves))));
    }
}
