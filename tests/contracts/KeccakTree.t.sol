// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {KeccakTrees} from "./reference/Trees.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";

contract KeccakCalls {
    function root(bytes32[] memory leaves) external view returns (bytes32 top, uint256 gasUsed, bytes32 untouched) {
        uint256 before = gasleft();
        top = KeccakTree.keccakRoot(leaves);
        gasUsed = before - gasleft();
        untouched = keccak256(abi.encodePacked(leaves));
    }

    function path(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata siblings)
        external
        pure
        returns (bytes32)
    {
        return KeccakTree.keccakPath(leaf, index, size, siblings);
    }
}

contract KeccakTreeTest is Harness, KeccakTrees {
    KeccakCalls internal calls = new KeccakCalls();

    function test_root_ofNothing_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.IndexOutOfTree.selector, 0, 0));
        calls.root(new bytes32[](0));
    }

    function test_path_wrongIndexOrLength_reverts() public {
        bytes32[] memory leaves = leavesFrom(1, 5);
        bytes32[] memory path = siblingsOf(leaves, 4, 4);
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.IndexOutOfTree.selector, 5, 5));
        calls.path(leaves[4], 5, 5, path);
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.WrongPathLength.selector, 1, 3));
        calls.path(leaves[3], 3, 5, path);
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.WrongPathLength.selector, 3, 1));
        calls.path(leaves[4], 4, 5, siblingsOf(leaves, 3, 3));
    }

    function test_root_of512_costsAtMost200PerLeaf() public view {
        (, uint256 gasUsed,) = calls.root(leavesFrom(7, 512));
        assertLe(gasUsed, 512 * 200);
    }

    function testFuzz_rootAndPath_matchReference(uint256 seed, uint256 size, uint256 index) public view {
        size = bound(size, 1, 130);
        index = bound(index, 0, size - 1);
        bytes32[] memory leaves = leavesFrom(seed, size);
        (bytes32 top,, bytes32 untouched) = calls.root(leaves);
        assertEq(top, topOf(leaves));
        assertEq(untouched, keccak256(abi.encodePacked(leaves)));
        assertEq(calls.path(leaves[index], index, size, siblingsOf(leaves, index, index)), top);
    }
}
