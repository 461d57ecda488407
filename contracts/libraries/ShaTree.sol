// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Positional trees over SHA-256 (PROTOCOL.md, "Positional trees")
/// @notice From consecutive nodes of the lowest level, their place and the tree's size to the tree's top; `ShaPath` does
/// it for one node. It knows no tags and no leaves: those are `MerkleLib`'s.
/// @dev Precompile 2 fails only for want of gas. A call that fails eats all but a 64th of the gas left, which was less
/// than 86, so no instruction after it could finish: its success need not be checked.
library ShaTree {
    error WrongPathLength(uint256 received, uint256 expected);
    error IndexOutOfTree(uint256 received, uint256 size);

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
                nodes[0] = sibling(siblings, used++);
                start = 0;
                ++span;
            }
            if (end & 1 == 0) {
                if (end == last) {
                    for (; zeroLevel < level; ++zeroLevel) {
                        zero = pair(zero, zero);
                    }
                }
                nodes[start + span] = end == last ? zero : sibling(siblings, used++);
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
    function sibling(bytes32[] calldata siblings, uint256 index) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(siblings.offset, shl(5, index)))
        }
    }

    function pair(bytes32 left, bytes32 right) internal view returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            pop(staticcall(gas(), 2, 0, 0x40, 0, 0x20))
            node := mload(0)
        }
    }
}
