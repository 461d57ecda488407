// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Randomness after ordering: the hash of the block after a given one
/// @notice Nobody knows it when the given block is made. The chain remembers it for 256 blocks.
library Beacon {
    /// @notice Whether the block after block `anchor` lies in the past.
    function isReady(uint64 anchor) internal view returns (bool) {
        return block.number > uint256(anchor) + 1;
    }

    /// @notice Its hash; zero once the chain has forgotten it.
    function valueAfter(uint64 anchor) internal view returns (bytes32) {
        return blockhash(uint256(anchor) + 1);
    }
}
