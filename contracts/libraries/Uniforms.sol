// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

import {UNIFORM_TAG} from "./ConstantsLib.sol";

/// @title Uniforms of a seed (PROTOCOL.md 7.2)
/// @notice Uniform `i` is `k / 2^24`, `k` the top 24 bits of `SHA256(UNIFORM_TAG | seed | i)`: an f32, exactly.
library Uniforms {
    /// @notice The first `count`, as canonical bytes.
    function bytesOf(bytes32 seed, uint256 count) internal pure returns (bytes memory data) {
        data = new bytes(4 * count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 bits = bitsOf(uint256(sha256(abi.encodePacked(UNIFORM_TAG, seed, i))) >> 232);
            assembly ("memory-safe") {
                // The word's other bytes are the next uniforms', or beyond the end and put back.
                let place := add(add(data, 0x20), shl(2, i))
                mstore(place, or(shl(224, bits), shr(32, shl(32, mload(place)))))
            }
        }
    }

    /// @notice f32 bits of `k / 2^24`.
    /// @param k below 2^24
    function bitsOf(uint256 k) internal pure returns (uint256) {
        if (k == 0) return 0;
        uint256 top = LibBit.fls(k);
        return ((top + 103) << 23) | ((k << (23 - top)) & 0x7fffff);
    }
}
