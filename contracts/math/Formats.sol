// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

import {BF16, F16} from "../types/Roots.sol";
import {Float} from "./Float.sol";

/// @title The floating dtypes: f32, f16, bf16
/// @notice What is computed with are the bits of f32. Elements of 16 bits are widened to them, exactly; results are rounded
/// to their dtype, but stay in the bits of f32.
library Formats {
    uint32 private constant SIGN = 0x80000000;

    /// @notice A floating element as f32 bits; a NaN stays one.
    function widen(uint8 dtype, uint256 bits) internal pure returns (uint32) {
        if (dtype == BF16) return uint32(bits << 16);
        if (dtype != F16) return uint32(bits);
        uint32 sign = uint32(bits >> 15) << 31;
        uint256 field = (bits >> 10) & 0x1f;
        uint256 fraction = bits & 0x3ff;
        if (field == 0x1f) return sign | Float.INFINITY | uint32(fraction << 13);
        // Normal: another bias, thirteen more places.
        if (field != 0) return sign | uint32(((field + 112) << 23) | (fraction << 13));
        if (fraction == 0) return sign;
        // Subnormal: a multiple of 2^-24, which f32 has as a normal number.
        uint256 top = LibBit.fls(fraction);
        return sign | uint32(((103 + top) << 23) | ((fraction << (23 - top)) & 0x7fffff));
    }

    /// @notice `RN(± magnitude · 2^exponent)` in the format of `dtype`, as f32 bits: to nearest, ties to even, subnormals
    /// kept, overflow to infinity.
    /// @param magnitude below 2^255
    /// @param exponent between −2^64 and 2^64
    function round(uint8 dtype, bool negative, uint256 magnitude, int256 exponent) internal pure returns (uint32) {
        if (dtype != F16 && dtype != BF16) return Float.round(negative, magnitude, exponent);
        uint32 sign = negative ? SIGN : 0;
        if (magnitude == 0) return sign;
        (int256 digits, int256 least, int256 top) =
            dtype == F16 ? (int256(11), int256(-24), int256(16)) : (int256(8), int256(-133), int256(128));
        // Exponents are small, multiples have at most 255 bits.
        unchecked {
            int256 length = int256(LibBit.fls(magnitude)) + 1;
            if (length + exponent > top) return sign | Float.INFINITY;
            int256 place = length + exponent - digits < least ? least : length + exponent - digits;
            uint256 rounded = Float.multiple(magnitude, place - exponent);
            if (rounded != 0 && int256(LibBit.fls(rounded)) + 1 + place > top) return sign | Float.INFINITY;
            return Float.round(negative, rounded, place);
        }
    }

    /// @notice A float rounded to the format of `dtype`, as f32 bits. NaNs and infinities stay what they are.
    function narrow(uint8 dtype, uint32 bits) internal pure returns (uint32) {
        if (!Float.isFinite(bits)) return bits;
        (uint256 mantissa, uint256 exponent) = Float.split(bits);
        return round(dtype, Float.isNegative(bits), mantissa, int256(exponent) - 150);
    }

    /// @notice The f32 bits of the least normal number: results below it in magnitude may be flushed.
    function leastNormal(uint8 dtype) internal pure returns (uint32) {
        return dtype == F16 ? 0x38800000 : 0x00800000;
    }
}
