// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Formats} from "../math/Formats.sol";
import {F32} from "../types/Roots.sol";

/// @title Add, sub, mul, maximum, minimum on floats (PROTOCOL.md, section 5, "Add, sub, mul")
/// @notice Hardware rounds them correctly, results of 16 bits perhaps by way of f32, or flushes subnormals; nothing else is
/// honest. Where an operand is not finite there is no fault, but −Inf is a value of sums and extremes.
library Pointwise {
    uint32 private constant SIGN = 0x80000000;

    /// @notice Least and greatest float an honest party may have, as f32 bits, not NaN.
    struct Interval {
        uint32 lo;
        uint32 hi;
    }

    /// @param dtype of the result; `y` the committed element, as f32 bits
    function isAddFault(uint8 dtype, uint32 a, uint32 b, uint32 y) internal pure returns (bool) {
        uint32 mask = Float.NEGATIVE_INFINITY;
        if ((a == mask && _isOrdered(b)) || (b == mask && _isOrdered(a))) {
            return isOutside(dtype, y, Interval(mask, mask));
        }
        return Float.isFinite(a) && Float.isFinite(b) && isOutside(dtype, y, _overFlushes(dtype, a, b, _sum));
    }

    function isSubFault(uint8 dtype, uint32 a, uint32 b, uint32 y) internal pure returns (bool) {
        return isAddFault(dtype, a, b ^ SIGN, y);
    }

    function isMulFault(uint8 dtype, uint32 a, uint32 b, uint32 y) internal pure returns (bool) {
        return Float.isFinite(a) && Float.isFinite(b) && isOutside(dtype, y, _overFlushes(dtype, a, b, _product));
    }

    /// @param greater whether the greater of the two is wanted
    function isExtremeFault(uint8 dtype, uint32 a, uint32 b, uint32 y, bool greater) internal pure returns (bool) {
        if (!_isOrdered(a) || !_isOrdered(b)) return false;
        uint32 kept = Formats.narrow(dtype, (Float.order(a) > Float.order(b)) == greater ? a : b);
        return isOutside(dtype, y, Interval(kept, kept));
    }

    /// @notice Whether `y` lies outside the interval, once an end that may be flushed has widened it to contain 0. A
    /// `y` that is not finite does iff both ends are finite.
    function isOutside(uint8 dtype, uint32 y, Interval memory allowed) internal pure returns (bool) {
        (uint32 lo, uint32 hi) = (allowed.lo, allowed.hi);
        if (!Float.isFinite(y)) return Float.isFinite(lo) && Float.isFinite(hi);
        if (_magnitude(lo) < Formats.leastNormal(dtype) || _magnitude(hi) < Formats.leastNormal(dtype)) {
            if (Float.order(lo) > 0) lo = 0;
            if (Float.order(hi) < 0) hi = 0;
        }
        return Float.order(y) < Float.order(lo) || Float.order(y) > Float.order(hi);
    }

    /// @notice Widens the interval by what a result may be rounded to: at once, or by way of f32.
    function includeRounded(Interval memory allowed, uint8 dtype, bool negative, uint256 magnitude, int256 exponent)
        internal
        pure
    {
        uint32 single = Float.round(negative, magnitude, exponent);
        include(allowed, Formats.narrow(dtype, single));
        if (dtype != F32) include(allowed, Formats.round(dtype, negative, magnitude, exponent));
    }

    function include(Interval memory allowed, uint32 value) internal pure {
        if (Float.order(value) < Float.order(allowed.lo)) allowed.lo = value;
        if (Float.order(value) > Float.order(allowed.hi)) allowed.hi = value;
    }

    /// @notice An interval that contains nothing yet.
    function nothing() internal pure returns (Interval memory) {
        return Interval(Float.INFINITY, Float.NEGATIVE_INFINITY);
    }

    /// @dev The operation over the operands with each subnormal one kept or replaced by zero. Where an end is the least
    /// normal number, zero too: a result just below it rounds up to it if subnormals are kept, but is flushed where
    /// tininess is seen before.
    function _overFlushes(
        uint8 dtype,
        uint32 a,
        uint32 b,
        function(uint32, uint32) pure returns (bool, uint256, int256) operation
    ) private pure returns (Interval memory allowed) {
        allowed = nothing();
        for (uint256 flushed = 0; flushed < 4; ++flushed) {
            if (flushed & 1 != 0 && !Float.isSubnormal(a)) continue;
            if (flushed & 2 != 0 && !Float.isSubnormal(b)) continue;
            (bool negative, uint256 magnitude, int256 exponent) =
                operation(flushed & 1 != 0 ? 0 : a, flushed & 2 != 0 ? 0 : b);
            includeRounded(allowed, dtype, negative, magnitude, exponent);
        }
        uint32 least = Formats.leastNormal(dtype);
        if (_magnitude(allowed.lo) == least || _magnitude(allowed.hi) == least) include(allowed, 0);
    }

    function _product(uint32 a, uint32 b) private pure returns (bool, uint256, int256) {
        (uint256 mantissaA, uint256 exponentA) = Float.split(a);
        (uint256 mantissaB, uint256 exponentB) = Float.split(b);
        return (Float.isNegative(a ^ b), mantissaA * mantissaB, int256(exponentA + exponentB) - 300);
    }

    /// @dev Beyond 64 binary places a smaller operand only tells on which side of the greater one the sum lies: the
    /// greater one is then normal, a multiple of a quarter of any unit it may be rounded to.
    function _sum(uint32 a, uint32 b) private pure returns (bool, uint256, int256) {
        (uint256 great, uint256 exponent) = Float.split(a);
        (uint256 small, uint256 least) = Float.split(b);
        if (least > exponent) return _sum(b, a);
        uint256 shift = exponent - least;
        if (shift > 64) (small, shift) = (small == 0 ? 0 : 1, 64);
        int256 sum = int256(great << shift) * (Float.isNegative(a) ? int256(-1) : int256(1));
        sum += int256(small) * (Float.isNegative(b) ? int256(-1) : int256(1));
        return (sum < 0, uint256(sum < 0 ? -sum : sum), int256(exponent) - 150 - int256(shift));
    }

    function _isOrdered(uint32 bits) private pure returns (bool) {
        return Float.isFinite(bits) || bits == Float.NEGATIVE_INFINITY;
    }

    function _magnitude(uint32 bits) private pure returns (uint32) {
        return bits & ~SIGN;
    }
}
