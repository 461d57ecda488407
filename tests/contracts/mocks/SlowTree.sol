// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The positional tree as the protocol states it, padded to a power of two
/// @notice Slow and plain: the reference that the contracts' trees are compared with.
library SlowTree {
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[] memory level = _pad(leaves);
        while (level.length > 1) level = _up(level);
        return level[0];
    }

    /// @notice Siblings of leaf `index`, without those that lie wholly in the padding.
    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory level = _pad(leaves);
        bytes32[] memory found = new bytes32[](11);
        uint256 count = 0;
        uint256 real = leaves.length;
        for (; level.length > 1; level = _up(level)) {
            if (index ^ 1 < real) found[count++] = level[index ^ 1];
            index /= 2;
            real = (real + 1) / 2;
        }
        siblings = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            siblings[i] = found[i];
        }
    }

    function _pad(bytes32[] memory leaves) private pure returns (bytes32[] memory level) {
        uint256 size = 1;
        while (size < leaves.length) size *= 2;
        level = new bytes32[](size);
        for (uint256 i = 0; i < leaves.length; ++i) {
            level[i] = leaves[i];
        }
    }

    function _up(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[](level.length / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            above[i] = keccak256(abi.encodePacked(level[2 * i], level[2 * i + 1]));
        }
    }
}
