// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

/// @title IEEE 754 binary32: reading, ordering, rounding
/// @notice A float is its 32 bits. A finite one is `± m · 2^(ε − 150)` with `ε = max(E, 1)` (PROTOCOL.md, section 5).
library Float {
    uint32 internal constant INFINITY = 0x7f800000;
    uint32 internal constant NEGATIVE_INFINITY = 0xff800000;
    uint32 private constant MAGNITUDE = 0x7fffffff;
    uint32 private constant LEAST_NORMAL = 0x00800000;

    /// @notice The float whose four bytes lie in calldata at `offset`.
    function read(uint256 offset) internal pure returns (uint32 bits) {
        assembly ("memory-safe") {
            bits := shr(224, calldataload(offset))
        }
    }

    function isFinite(uint32 bits) internal pure returns (bool) {
        return bits & MAGNITUDE < INFINITY;
    }

    function isNaN(uint32 bits) internal pure returns (bool) {
        return bits & MAGNITUDE > INFINITY;
    }

    /// @notice Whether the magnitude is below 2^-126: subnormal or zero, all that hardware may flush.
    function isTiny(uint32 bits) internal pure returns (bool) {
        return bits & MAGNITUDE < LEAST_NORMAL;
    }

    function isSubnormal(uint32 bits) internal pure returns (bool) {
        return isTiny(bits) && bits & MAGNITUDE != 0;
    }

    function isNegative(uint32 bits) internal pure returns (bool) {
        return bits > MAGNITUDE;
    }

    /// @notice Integer that orders floats by value, infinities included; −0 and +0 are equal. Not for NaN.
    function order(uint32 bits) internal pure returns (int256) {
        int256 magnitude = int256(uint256(bits & MAGNITUDE));
        return isNegative(bits) ? -magnitude : magnitude;
    }

    /// @notice `m` and `ε` of a finite float.
    function split(uint32 bits) internal pure returns (uint256 mantissa, uint256 exponent) {
        uint256 field = (bits >> 23) & 0xff;
        mantissa = bits & 0x7fffff;
        return field == 0 ? (mantissa, 1) : (mantissa | LEAST_NORMAL, field);
    }

    /// @notice The value in units of 2^-149, of which every finite float is a whole number.
    /// @param bits of magnitude below 2^104: a word holds no more
    function units(uint32 bits) internal pure returns (int256 whole) {
        (uint256 mantissa, uint256 exponent) = split(bits);
        whole = int256(mantissa << (exponent - 1));
        return isNegative(bits) ? -whole : whole;
    }

    /// @notice `RN(± magnitude · 2^exponent)`: to nearest, ties to even, subnormals kept, overflow to infinity.
    /// @param magnitude below 2^255
    /// @param exponent between −2^64 and 2^64
    /// @dev The result is a multiple of `2^quantum`. Its bits are `(quantum + 149) · 2^23` plus the multiple: the implicit
    /// bit adds one to the exponent field, a multiple below it has field zero, and one that rounds up to 2^24 carries.
    function round(bool negative, uint256 magnitude, int256 exponent) internal pure returns (uint32) {
        uint32 sign = negative ? MAGNITUDE + 1 : 0;
        if (magnitude == 0) return sign;
        unchecked {
            int256 quantum = int256(LibBit.fls(magnitude)) + exponent - 23;
            if (quantum < -149) quantum = -149;
            if (quantum > 104) return sign | INFINITY;
            uint256 bits = (uint256(quantum + 149) << 23) + multiple(magnitude, quantum - exponent);
            return sign | (bits < INFINITY ? uint32(bits) : INFINITY);
        }
    }

    /// @notice Whether `|a − b| > limit`, exactly; all three finite, `limit` not negative.
    /// @dev In units of 2^-149 a float has up to 277 bits: two limbs of 128 and more, each with the sign of the whole.
    function differByMore(uint32 a, uint32 b, uint32 limit) internal pure returns (bool) {
        (int256 highA, int256 lowA) = _limbs(a);
        (int256 highB, int256 lowB) = _limbs(b);
        (int256 high, int256 low) = _limbs(limit);
        return
            _isPositive(highA - highB - high, lowA - lowB - low) || _isPositive(highB - highA - high, lowB - lowA - low);
    }

    /// @notice `magnitude / 2^shift`, to nearest, ties to even. A shift to the left must find its bits free.
    function multiple(uint256 magnitude, int256 shift) internal pure returns (uint256 times) {
        unchecked {
            if (shift <= 0) return magnitude << uint256(-shift);
            if (shift > 255) return 0;
            uint256 rest = magnitude & ((1 << uint256(shift)) - 1);
            uint256 half = 1 << uint256(shift - 1);
            times = magnitude >> uint256(shift);
            if (rest > half || (rest == half && times & 1 == 1)) ++times;
        }
    }

    function _limbs(uint32 bits) private pure returns (int256 high, int256 low) {
        (uint256 mantissa, uint256 exponent) = split(bits);
        uint256 shift = exponent - 1;
        high = int256(shift < 128 ? (mantissa << shift) >> 128 : mantissa << (shift - 128));
        low = int256(shift < 128 ? (mantissa << shift) & type(uint128).max : 0);
        return isNegative(bits) ? (-high, -low) : (high, low);
    }

    /// @dev Whether `high · 2^128 + low > 0`.
    function _isPositive(int256 high, int256 low) private pure returns (bool) {
        high += low >> 128;
        return high > 0 || (high == 0 && low & int256(uint256(type(uint128).max)) != 0);
    }
}
