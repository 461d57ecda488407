// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "../libraries/ConstantsLib.sol";
import {Float} from "../math/Float.sol";
import {Formats} from "../math/Formats.sol";
import {Pointwise} from "./Pointwise.sol";

/// @title Exact functions of one float: relu, neg, abs, clamp, sign, whole numbers (PROTOCOL.md, section 5, "Relu, neg")
library Unary {
    uint32 private constant SIGN = 0x80000000;
    uint32 private constant ONE = 0x3f800000;

    /// @param dtype of the result; `y` the committed element, as f32 bits
    /// @param ends of a clamp, as f32 bits
    function isFault(uint8 code, uint8 dtype, uint32 a, uint32 y, Pointwise.Interval memory ends)
        internal
        pure
        returns (bool)
    {
        if (!Float.isFinite(a)) return false;
        uint32 kept = Formats.narrow(dtype, _exact(code, a, ends));
        Pointwise.Interval memory allowed = Pointwise.Interval(kept, kept);
        if (Float.isSubnormal(a)) Pointwise.include(allowed, Formats.narrow(dtype, _exact(code, 0, ends)));
        return Pointwise.isOutside(dtype, y, allowed);
    }

    /// @notice The whole part of a finite float's magnitude, and what is cut off, in units of 2^-149.
    function truncated(uint32 bits) internal pure returns (uint256 whole, uint256 rest) {
        (uint256 mantissa, uint256 exponent) = Float.split(bits);
        if (exponent >= 150) return (mantissa << (exponent - 150), 0);
        whole = mantissa >> (150 - exponent);
        rest = (mantissa - (whole << (150 - exponent))) << (exponent - 1);
    }

    function _exact(uint8 code, uint32 a, Pointwise.Interval memory ends) private pure returns (uint32) {
        if (code == OP_RELU) return Float.isNegative(a) ? 0 : a;
        if (code == OP_NEG) return a ^ SIGN;
        if (code == OP_ABS) return a & ~SIGN;
        if (code == OP_SIGN) return a & ~SIGN == 0 ? 0 : a & SIGN | ONE;
        if (code == OP_CLAMP) {
            uint32 raised = Float.order(a) < Float.order(ends.lo) ? ends.lo : a;
            return Float.order(raised) > Float.order(ends.hi) ? ends.hi : raised;
        }
        return _whole(code, a);
    }

    function _whole(uint8 code, uint32 a) private pure returns (uint32) {
        (uint256 whole, uint256 rest) = truncated(a);
        uint256 half = 1 << 148;
        bool away;
        if (code == OP_FLOOR) away = Float.isNegative(a) && rest != 0;
        if (code == OP_CEIL) away = !Float.isNegative(a) && rest != 0;
        if (code == OP_ROUND) away = rest > half || (rest == half && whole & 1 == 1);
        return Float.round(Float.isNegative(a), away ? whole + 1 : whole, 0);
    }
}
