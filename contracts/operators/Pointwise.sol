// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";

/// @title Add, mul, relu on one element (PROTOCOL.md, section 5)
/// @notice Hardware rounds them correctly, or flushes subnormals; nothing else is honest. Where an operand is not finite
/// there is no fault.
library Pointwise {
    /// @notice Least and greatest float an honest party may have, not NaN.
    struct Interval {
        uint32 lo;
        uint32 hi;
    }

    function isAddFault(uint32 a, uint32 b, uint32 y) internal pure returns (bool) {
        return Float.isFinite(a) && Float.isFinite(b) && isOutside(y, _overFlushes(a, b, _sum));
    }

    function isMulFault(uint32 a, uint32 b, uint32 y) internal pure returns (bool) {
        return Float.isFinite(a) && Float.isFinite(b) && isOutside(y, _overFlushes(a, b, _product));
    }

    function isReluFault(uint32 a, uint32 y) internal pure returns (bool) {
        uint32 kept = Float.isNegative(a) ? 0 : a;
        return Float.isFinite(a) && isOutside(y, Interval(kept, kept));
    }

    /// @notice Whether `y` lies outside the interval, once an end that may be flushed has widened it to contain 0. A
    /// `y` that is not finite does iff both ends are finite.
    function isOutside(uint32 y, Interval memory allowed) internal pure returns (bool) {
        (uint32 lo, uint32 hi) = (allowed.lo, allowed.hi);
        if (!Float.isFinite(y)) return Float.isFinite(lo) && Float.isFinite(hi);
        if (Float.isTiny(lo) || Float.isTiny(hi)) {
            if (Float.order(lo) > 0) lo = 0;
            if (Float.order(hi) < 0) hi = 0;
        }
        return Float.order(y) < Float.order(lo) || Float.order(y) > Float.order(hi);
    }

    /// @dev The operation over the operands with each subnormal one kept or replaced by zero. Where an end is 2^-126, zero
    /// too: a product just below it rounds up to it if subnormals are kept, but is flushed where tininess is seen before.
    function _overFlushes(uint32 a, uint32 b, function(uint32, uint32) pure returns (uint32) operation)
        private
        pure
        returns (Interval memory allowed)
    {
        uint32 kept = operation(a, b);
        allowed = Interval(kept, kept);
        if (Float.isSubnormal(a)) _include(allowed, operation(0, b));
        if (Float.isSubnormal(b)) _include(allowed, operation(a, 0));
        if (Float.isSubnormal(a) && Float.isSubnormal(b)) _include(allowed, operation(0, 0));
        if (Float.isLeastNormal(allowed.lo) || Float.isLeastNormal(allowed.hi)) _include(allowed, 0);
    }

    function _include(Interval memory allowed, uint32 value) private pure {
        if (Float.order(value) < Float.order(allowed.lo)) allowed.lo = value;
        if (Float.order(value) > Float.order(allowed.hi)) allowed.hi = value;
    }

    function _product(uint32 a, uint32 b) private pure returns (uint32) {
        (uint256 mantissaA, uint256 exponentA) = Float.split(a);
        (uint256 mantissaB, uint256 exponentB) = Float.split(b);
        return Float.round(Float.isNegative(a ^ b), mantissaA * mantissaB, int256(exponentA + exponentB) - 300);
    }

    /// @dev Beyond 64 binary places a smaller operand only tells on which side of the greater one the sum lies: the
    /// greater one is then normal, a multiple of a quarter of any unit it may be rounded to.
    function _sum(uint32 a, uint32 b) private pure returns (uint32) {
        (uint256 great, uint256 exponent) = Float.split(a);
        (uint256 small, uint256 least) = Float.split(b);
        if (least > exponent) return _sum(b, a);
        uint256 shift = exponent - least;
        if (shift > 64) (small, shift) = (small == 0 ? 0 : 1, 64);
        int256 sum = int256(great << shift) * (Float.isNegative(a) ? int256(-1) : int256(1));
        sum += int256(small) * (Float.isNegative(b) ? int256(-1) : int256(1));
        return Float.round(sum < 0, uint256(sum < 0 ? -sum : sum), int256(exponent) - 150 - int256(shift));
    }
}
