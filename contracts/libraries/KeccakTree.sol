// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Positional trees over Keccak-256 (PROTOCOL.md, "Positional trees"): batches of requests and of claims
/// @notice Computes a batch's root from its leaves, and from one leaf and its siblings.
library KeccakTree {
    error WrongPathLength(uint256 received, uint256 expected);
    error IndexOutOfTree(uint256 received, uint256 size);

    /// @notice Root over `leaves`, at least one. They are left as they are.
    /// @dev Levels are written over each other in memory that is never allocated: node `i` is written after nodes `2i`
    /// and `2i + 1` below it were read. A level of odd size ends with the empty subtree of its height.
    function keccakRoot(bytes32[] memory leaves) internal pure returns (bytes32 root) {
        uint256 size = leaves.length;
        if (size == 0) revert IndexOutOfTree(0, 0);
        if (size == 1) return leaves[0];
        assembly ("memory-safe") {
            let free := mload(0x40)
            let from := add(leaves, 0x20)
            let zero := 0
            for {} gt(size, 1) {} {
                let to := free
                let end := add(from, shl(5, size))
                for { let whole := sub(end, and(shl(5, size), 0x20)) } lt(from, whole) { from := add(from, 0x40) } {
                    mstore(to, keccak256(from, 0x40))
                    to := add(to, 0x20)
                }
                if and(size, 1) {
                    mstore(0, mload(from))
                    mstore(0x20, zero)
                    mstore(to, keccak256(0, 0x40))
                }
                mstore(0, zero)
                mstore(0x20, zero)
                zero := keccak256(0, 0x40)
                size := shr(1, add(size, 1))
                from := free
            }
            root := mload(free)
        }
    }

    /// @notice Root of the tree of `size` leaves in which `leaf` is number `index`.
    /// @param path siblings, bottom up; a right neighbour beyond the last node is not among them
    function keccakPath(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= size) revert IndexOutOfTree(index, size);
        node = leaf;
        uint256 used = 0;
        bytes32 zero = 0;
        for (uint256 last = size - 1; last != 0; last >>= 1) {
            if (index & 1 == 1) node = _pair(_at(path, used++), node);
            else node = _pair(node, index == last ? zero : _at(path, used++));
            zero = _pair(zero, zero);
            index >>= 1;
        }
        if (path.length != used) revert WrongPathLength(path.length, used);
    }

    /// @dev Word `index` of `path`, unchecked: how many were read is compared with how many there are at the end.
    function _at(bytes32[] calldata path, uint256 index) private pure returns (bytes32 sibling) {
        assembly ("memory-safe") {
            sibling := calldataload(add(path.offset, shl(5, index)))
        }
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            node := keccak256(0, 0x40)
        }
    }
}
