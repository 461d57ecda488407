// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ShaTree} from "./ShaTree.sol";

/// @title From one node to the top of a positional tree over SHA-256 (PROTOCOL.md, "Positional trees")
/// @notice What every proof does most often, and so unrolled. `ShaTree` says why the precompile's success is not checked.
library ShaPath {
    /// @notice Top of the tree of `size` nodes (below 2^32) in which `node` is number `index`.
    /// @param path siblings, bottom up; a right neighbour beyond the last node is not among them
    /// @dev Up to the level where the path joins the tree's right edge every sibling is in the proof. These levels are
    /// hashed ten a turn. The node lies at 0x20 and its sibling on both sides of it, so that the parity of the node's
    /// index only moves the start of what is hashed. `ways` holds from bit 128 on where index and last index differ,
    /// which bounds the loop, and from bit 5 on the inverted index, whose parity is that start. Both move down together;
    /// the upper part cannot reach bit 15 within 32 levels.
    function pathTop(bytes32 node, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        view
        returns (bytes32)
    {
        if (index >= size) revert ShaTree.IndexOutOfTree(index, size);
        uint256 used;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let sibling := path.offset
            let ways := or(shl(128, xor(index, sub(size, 1))), shl(5, xor(index, 0xffffffff)))
            mstore(0x20, node)
            // While ten levels or more are left: a difference of 2^9 or more.
            for {} shr(137, ways) {} {
                mstore(0, calldataload(sibling))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(ways, 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x20)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(1, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x40)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(2, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x60)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(3, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x80)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(4, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0xa0)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(5, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0xc0)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(6, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0xe0)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(7, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x100)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(8, ways), 0x20), 0x40, 0x20, 0x20))
                mstore(0, calldataload(add(sibling, 0x120)))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(shr(9, ways), 0x20), 0x40, 0x20, 0x20))
                sibling := add(sibling, 0x140)
                ways := shr(10, ways)
            }
            for {} shr(128, ways) {} {
                mstore(0, calldataload(sibling))
                mstore(0x40, mload(0))
                pop(staticcall(gas(), 2, and(ways, 0x20), 0x40, 0x20, 0x20))
                sibling := add(sibling, 0x20)
                ways := shr(1, ways)
            }
            node := mload(0x20)
            used := shr(5, sub(sibling, path.offset))
            mstore(0x40, free)
        }
        // No overflow: the tree has a node, and a level is no more than a shift.
        unchecked {
            if ((size - 1) >> used != 0) (node, used) = _climbEdge(node, (size - 1) >> used, used, path);
        }
        if (path.length != used) revert ShaTree.WrongPathLength(path.length, used);
        return node;
    }

    /// @dev The levels at which the node is the last one, of index `last`: an odd one has its left sibling in the proof,
    /// an even one an empty subtree on its right. `used` siblings were read so far, one a level.
    function _climbEdge(bytes32 node, uint256 last, uint256 used, bytes32[] calldata path)
        private
        view
        returns (bytes32, uint256)
    {
        bytes32 zero = 0;
        for (uint256 level = used; level != 0; --level) {
            zero = ShaTree.pair(zero, zero);
        }
        for (; last != 0; last >>= 1) {
            node = last & 1 == 1 ? ShaTree.pair(ShaTree.sibling(path, used++), node) : ShaTree.pair(node, zero);
            if (last > 1) zero = ShaTree.pair(zero, zero);
        }
        return (node, used);
    }
}
