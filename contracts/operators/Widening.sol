// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Profiles} from "../libraries/Profiles.sol";
import {Float} from "../math/Float.sol";
import {BF16, F16, F32} from "../types/Roots.sol";
import {Lanes} from "./Lanes.sol";

/// @title Rows of floats as the f32 that are multiplied (PROTOCOL.md, section 5, "Contract")
/// @notice Elements of 16 bits are widened, f32 keep 10 bits of fraction under TF32: eight lanes at once.
library Widening {
    uint256 private constant TOP_BITS = Lanes.EVERY << 31;
    uint256 private constant HALF_TOP_BITS = Lanes.EVERY << 15;
    uint32 private constant CUT = 0x1fff;
    uint32 private constant HALF = 0x1000;

    /// @param row canonical bytes of floats of `dtype`
    /// @param header the numerics header: it says whether, and how, f32 are cut
    function wide(bytes calldata row, uint8 dtype, bytes32 header) internal pure returns (bytes memory floats) {
        bool halves = dtype != F32;
        uint256 words = (row.length * (halves ? 2 : 1) + 31) / 32;
        floats = new bytes(32 * words);
        for (uint256 i = 0; i < words; ++i) {
            uint256 word;
            assembly ("memory-safe") {
                // Of a row of 16 bits half a word; what lies behind its end is cut off with the length below.
                word := shr(shl(7, halves), calldataload(add(row.offset, shl(sub(5, halves), i))))
            }
            if (dtype == F16) word = _fromF16(_spread(word));
            else if (dtype == BF16) word = _spread(word) << 16;
            else word = _cutLanes(word, Profiles.roundingOf(header));
            assembly ("memory-safe") {
                mstore(add(add(floats, 0x20), shl(5, i)), word)
            }
        }
        uint256 length = row.length * (halves ? 2 : 1);
        assembly ("memory-safe") {
            mstore(floats, length)
        }
    }

    /// @notice A float with 10 bits of fraction. Subnormals stay: all of them is allowed for as flushed.
    function cut(uint32 bits, uint8 rounding) internal pure returns (uint32) {
        if (Float.isTiny(bits) || !Float.isFinite(bits)) return bits;
        (uint32 kept, uint32 rest) = (bits & ~CUT, bits & CUT);
        if (rounding == Profiles.TOWARD_ZERO || rest < HALF) return kept;
        if (rounding == Profiles.NEAREST_EVEN && rest == HALF && kept & (CUT + 1) == 0) return kept;
        // At most infinity: the magnitude was below it.
        return kept + CUT + 1;
    }

    /// @dev Eight lanes of 16 bits, in the low half of a word, to the low halves of eight lanes of 32.
    function _spread(uint256 word) private pure returns (uint256) {
        word = (word | (word << 64)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        word = (word | (word << 32)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        return (word | (word << 16)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    }

    /// @dev Another bias, thirteen more places; infinities and NaN twice that bias. Bit 15 of a lane shows whether a magnitude
    /// is at least 2^15 less what is added to it; no sum reaches bit 16.
    function _fromF16(uint256 lanes) private pure returns (uint256 floats) {
        unchecked {
            uint256 magnitude = lanes & ~HALF_TOP_BITS;
            uint256 normal = (magnitude + Lanes.EVERY * 0x7c00) & HALF_TOP_BITS;
            uint256 subnormal = (magnitude + Lanes.EVERY * 0x7fff) & HALF_TOP_BITS & ~normal;
            uint256 special = (magnitude + Lanes.EVERY * 0x0400) & HALF_TOP_BITS;
            floats = (magnitude << 13) + ((normal >> 15) + (special >> 15)) * 0x38000000;
            if (subnormal != 0) floats = _normalised(floats, magnitude, subnormal >> 15);
            floats |= (lanes & HALF_TOP_BITS) << 16;
        }
    }

    /// @dev Lanes that are subnormal in f16 are shifted until bit 10 is set: their exponent is less by as much.
    /// @param floats what the other lanes are
    /// @param flags one in each lane that is subnormal
    function _normalised(uint256 floats, uint256 magnitude, uint256 flags) private pure returns (uint256) {
        unchecked {
            uint256 mantissa = magnitude & (flags * 0x3ff);
            uint256 shifts = 0;
            for (uint256 by = 8; by != 0; by >>= 1) {
                // Bit 15 shows what is too great to be shifted by so much.
                uint256 low =
                    Lanes.EVERY - (((mantissa + Lanes.EVERY * (0x8000 - (1 << (11 - by)))) >> 15) & Lanes.EVERY);
                uint256 moved = mantissa & (low * 0x7ff);
                mantissa = (mantissa ^ moved) | (moved << by);
                shifts += low * by;
            }
            uint256 normal = (mantissa << 13) + ((Lanes.EVERY * 112 - shifts) << 23);
            uint256 mask = flags * 0x7fffffff;
            return (floats & ~mask) | (normal & mask);
        }
    }

    /// @dev Bit 31 of a lane shows what stays: a field of 255, or a fraction where the field is zero. Of all others rounding
    /// up never reaches the next lane.
    function _cutLanes(uint256 lanes, uint8 rounding) private pure returns (uint256) {
        unchecked {
            uint256 fields = lanes & (Lanes.EVERY * 0x7f800000);
            uint256 fractions = (lanes & (Lanes.EVERY * 0x007fffff)) + Lanes.EVERY * 0x007fffff;
            uint256 stays =
                (fields + Lanes.EVERY * 0x00800000) | ((fractions << 8) & ~(fields + Lanes.EVERY * 0x7f800000));
            stays = lanes & (((stays & TOP_BITS) >> 31) * 0xffffffff);
            lanes ^= stays;
            if (rounding == Profiles.NEAREST_EVEN) lanes += Lanes.EVERY * 0x0fff + ((lanes >> 13) & Lanes.EVERY);
            else if (rounding == Profiles.NEAREST_AWAY) lanes += Lanes.EVERY * HALF;
            return (lanes & ~(Lanes.EVERY * CUT)) | stays;
        }
    }
}
