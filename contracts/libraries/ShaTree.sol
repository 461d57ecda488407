// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Positional trees over SHA-256 (PROTOCOL.md, "Positional trees")
/// @notice From nodes of the lowest level, their place and the tree's size to the tree's top. It knows no tags and no
/// leaves: those are `MerkleLib`'s.
/// @dev Precompile 2 fails only for want of gas. A call that fails eats all but a 64th of the gas left, which was less
/// than 86, so no instruction after it could finish: its success need not be checked.
library ShaTree {
    error WrongPathLength(uint256 received, uint256 expected);
    error IndexOutOfTree(uint256 received, uint256 size);

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
        if (index >= size) revert IndexOutOfTree(index, size);
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
        if (path.length != used) revert WrongPathLength(path.length, used);
        return node;
    }

    /// @notice Top of the tree of `size` nodes in which `nodes` are the numbers `first` and up.
    /// @param nodes one spare word, the nodes, one spare word; overwritten
    /// @param siblings as in `IStepJudge.Opening`
    function runTop(bytes32[] memory nodes, uint256 first, uint256 size, bytes32[] calldata siblings)
        internal
        view
        returns (bytes32)
    {
        uint256 end = first + nodes.length - 3;
        if (end >= size) revert IndexOutOfTree(end, size);
        uint256 used = 0;
        bytes32 zero = 0;
        uint256 zeroLevel = 0;
        uint256 level = 0;
        for (uint256 last = size - 1; last != 0; last >>= 1) {
            uint256 span = end - first + 1;
            uint256 start = 1;
            if (first & 1 == 1) {
                nodes[0] = _at(siblings, used++);
                start = 0;
                ++span;
            }
            if (end & 1 == 0) {
                if (end == last) {
                    for (; zeroLevel < level; ++zeroLevel) {
                        zero = _pair(zero, zero);
                    }
                }
                nodes[start + span] = end == last ? zero : _at(siblings, used++);
                ++span;
            }
            _hashPairs(nodes, start, span);
            first >>= 1;
            end >>= 1;
            ++level;
        }
        if (siblings.length != used) revert WrongPathLength(siblings.length, used);
        return nodes[1];
    }

    /// @notice Top of the tree whose nodes are all given.
    /// @param nodes one spare word, the nodes, one spare word; overwritten
    function top(bytes32[] memory nodes) internal view returns (bytes32) {
        bytes32[] calldata none;
        assembly ("memory-safe") {
            none.offset := 0
            none.length := 0
        }
        return runTop(nodes, 0, nodes.length - 2, none);
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
            zero = _pair(zero, zero);
        }
        for (; last != 0; last >>= 1) {
            node = last & 1 == 1 ? _pair(_at(path, used++), node) : _pair(node, zero);
            if (last > 1) zero = _pair(zero, zero);
        }
        return (node, used);
    }

    /// @dev Words `start .. start + span` of `nodes`, two by two, into words 1 and up. Pair `i` is read before word
    /// `1 + i` is written, and `start + 2i + 2 > 1 + i`, so nothing is overwritten unread.
    function _hashPairs(bytes32[] memory nodes, uint256 start, uint256 span) private view {
        assembly ("memory-safe") {
            let to := add(nodes, 0x40)
            let from := add(add(nodes, 0x20), shl(5, start))
            for { let end := add(from, shl(5, span)) } lt(from, end) { from := add(from, 0x40) } {
                pop(staticcall(gas(), 2, from, 0x40, to, 0x20))
                to := add(to, 0x20)
            }
        }
    }

    /// @dev Word `index` of `siblings`, unchecked: how many were read is compared with how many there are at the end.
    function _at(bytes32[] calldata siblings, uint256 index) private pure returns (bytes32 sibling) {
        assembly ("memory-safe") {
            sibling := calldataload(add(siblings.offset, shl(5, index)))
        }
    }

    function _pair(bytes32 left, bytes32 right) private view returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            pop(staticcall(gas(), 2, 0, 0x40, 0, 0x20))
            node := mload(0)
        }
    }
}
