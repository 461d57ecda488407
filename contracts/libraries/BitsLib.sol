// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

/// @title Masks of 512 bits: which requests of a batch, which claims of a batch
/// @notice Bit i of word i / 256 is item i. Knows nothing of what the items are.
library BitsLib {
    /// @notice Bits `first ..` of `bits`, moved down to 0.
    function slice(uint256[2] memory bits, uint256 first) internal pure returns (uint256[2] memory part) {
        if (first < 256) {
            // A shift by 256 gives zero, so `first == 0` needs no case of its own.
            part[0] = (bits[0] >> first) | (bits[1] << (256 - first));
            part[1] = bits[1] >> first;
        } else {
            part[0] = bits[1] >> (first - 256);
        }
    }

    /// @notice The inverse of `slice`: bits moved up to start at `first`; what leaves the 512 is lost.
    function place(uint256[2] memory bits, uint256 first) internal pure returns (uint256[2] memory whole) {
        if (first < 256) {
            whole[0] = bits[0] << first;
            whole[1] = (bits[1] << first) | (bits[0] >> (256 - first));
        } else {
            whole[1] = bits[0] << (first - 256);
        }
    }

    function without(uint256[2] memory bits, uint256[2] memory removed) internal pure returns (uint256[2] memory) {
        return [bits[0] & ~removed[0], bits[1] & ~removed[1]];
    }

    function both(uint256[2] memory a, uint256[2] memory b) internal pure returns (uint256[2] memory) {
        return [a[0] & b[0], a[1] & b[1]];
    }

    function isEmpty(uint256[2] memory bits) internal pure returns (bool) {
        return bits[0] | bits[1] == 0;
    }

    function size(uint256[2] memory bits) internal pure returns (uint256) {
        return LibBit.popCount(bits[0]) + LibBit.popCount(bits[1]);
    }

    /// @notice One more than the highest set bit; zero if none is set.
    function span(uint256[2] memory bits) internal pure returns (uint256) {
        if (bits[1] != 0) return 257 + LibBit.fls(bits[1]);
        return bits[0] == 0 ? 0 : 1 + LibBit.fls(bits[0]);
    }

    /// @notice Lowest set bit; 512 if none is set.
    function lowest(uint256[2] memory bits) internal pure returns (uint256) {
        return bits[0] == 0 ? 256 + LibBit.ffs(bits[1]) : LibBit.ffs(bits[0]);
    }

    function has(uint256[2] memory bits, uint256 index) internal pure returns (bool) {
        return (bits[index >> 8] >> (index & 255)) & 1 == 1;
    }
}
