// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "../libraries/ConstantsLib.sol";
import {BOOL, I32, I64} from "../types/Roots.sol";

/// @title Elements that are no floats (PROTOCOL.md, section 5, "Dtypes")
/// @notice Arithmetic on i64 and i32 is exact; what would wrap cannot be judged.
library Integers {
    /// @notice Value of an element that is no float; whatever is not zero is a true bool.
    function numberOf(uint8 dtype, uint256 bits) internal pure returns (int256) {
        if (dtype == I64) return int64(uint64(bits));
        if (dtype == I32) return int32(uint32(bits));
        if (dtype == BOOL) return bits == 0 ? int256(0) : int256(1);
        return int256(bits);
    }

    /// @notice Whether bits of an integer dtype (i64, i32, u8) are not those of the number that they should be; false where
    /// that number does not fit.
    function isFault(uint8 dtype, uint256 bits, int256 exact) internal pure returns (bool) {
        (int256 low, int256 high) = (int256(0), int256(1 << 8));
        if (dtype == I64) (low, high) = (-(1 << 63), 1 << 63);
        if (dtype == I32) (low, high) = (-(1 << 31), 1 << 31);
        return exact >= low && exact < high && numberOf(dtype, bits) != exact;
    }

    /// @notice Exact result of an operator on numbers of 64 bits.
    /// @param b the second operand, or the lower end of a clamp; `c` its upper end
    function exactOf(uint8 code, int256 a, int256 b, int256 c) internal pure returns (int256) {
        if (code == OP_ADD) return a + b;
        if (code == OP_SUB) return a - b;
        if (code == OP_MUL) return a * b;
        if (code == OP_MAXIMUM) return a > b ? a : b;
        if (code == OP_MINIMUM) return a < b ? a : b;
        if (code == OP_NEG) return -a;
        if (code == OP_ABS) return a < 0 ? -a : a;
        if (code == OP_SIGN) return a > 0 ? int256(1) : a < 0 ? int256(-1) : int256(0);
        int256 raised = a < b ? b : a;
        return raised > c ? c : raised;
    }
}
