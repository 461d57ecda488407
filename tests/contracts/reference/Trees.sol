// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Positional trees in the plainest way: every level in full, padded to a power of two with empty subtrees
/// @notice What the libraries' trees are compared with. Each level is a fresh array, so a proof can be read off it.
abstract contract Trees {
    function hashPair(bytes32 left, bytes32 right) internal pure virtual returns (bytes32);

    function levelsOf(bytes32[] memory leaves) internal pure returns (bytes32[][] memory levels) {
        uint256 depth = 0;
        while (1 << depth < leaves.length) ++depth;
        levels = new bytes32[][](depth + 1);
        levels[0] = new bytes32[](1 << depth);
        for (uint256 i = 0; i < leaves.length; ++i) {
            levels[0][i] = leaves[i];
        }
        for (uint256 level = 1; level <= depth; ++level) {
            levels[level] = new bytes32[](1 << (depth - level));
            for (uint256 i = 0; i < levels[level].length; ++i) {
                levels[level][i] = hashPair(levels[level - 1][2 * i], levels[level - 1][2 * i + 1]);
            }
        }
    }

    function topOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[][] memory levels = levelsOf(leaves);
        return levels[levels.length - 1][0];
    }

    /// @notice Siblings of the run `first .. last`, in the order of PROTOCOL.md 2.1.
    function siblingsOf(bytes32[] memory leaves, uint256 first, uint256 last)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        bytes32[][] memory levels = levelsOf(leaves);
        bytes32[] memory found = new bytes32[](2 * levels.length);
        uint256 count = 0;
        uint256 real = leaves.length;
        for (uint256 level = 0; level + 1 < levels.length; ++level) {
            if (first % 2 == 1) found[count++] = levels[level][first - 1];
            if (last % 2 == 0 && last + 1 < real) found[count++] = levels[level][last + 1];
            first /= 2;
            last /= 2;
            real = (real + 1) / 2;
        }
        siblings = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            siblings[i] = found[i];
        }
    }

    /// @notice `count` different leaves, none zero.
    function leavesFrom(uint256 seed, uint256 count) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }
}

abstract contract ShaTrees is Trees {
    function hashPair(bytes32 left, bytes32 right) internal pure override returns (bytes32) {
        return sha256(bytes.concat(left, right));
    }
}

abstract contract KeccakTrees is Trees {
    function hashPair(bytes32 left, bytes32 right) internal pure override returns (bytes32) {
        return keccak256(bytes.concat(left, right));
    }
}
