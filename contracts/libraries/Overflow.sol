// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    OP_ADD,
    OP_CAST,
    OP_CONTRACT,
    OP_DIV,
    OP_EXP,
    OP_EXPM1,
    OP_LOG,
    OP_LOG1P,
    OP_LOG_SOFTMAX,
    OP_MUL,
    OP_NORM,
    OP_POW,
    OP_RSQRT,
    OP_SPREAD,
    OP_SQRT,
    OP_SUB,
    OP_SUM
} from "./ConstantsLib.sol";
import {BF16, F16, F32} from "../types/Roots.sol";

/// @title What overflows (PROTOCOL.md, section 5, "Undefined")
/// @notice Which operators may make something that is not finite of operands that are, and which elements are finite.
library Overflow {
    /// @dev One bit an operator. Of the others those that compute are bounded, those that choose or move have only what
    /// they are given: where a mask's −Inf comes from is never here.
    uint256 private constant POSSIBLE = (1 << OP_CONTRACT) | (1 << OP_ADD) | (1 << OP_MUL) | (1 << OP_SUB) | (1 << OP_DIV)
        | (1 << OP_POW) | (1 << OP_CAST) | (1 << OP_EXP) | (1 << OP_LOG) | (1 << OP_SQRT) | (1 << OP_RSQRT)
        | (1 << OP_EXPM1) | (1 << OP_LOG1P) | (1 << OP_SUM) | (1 << OP_SPREAD) | (1 << OP_LOG_SOFTMAX) | (1 << OP_NORM);

    function isPossible(uint8 operator) internal pure returns (bool) {
        return POSSIBLE >> operator & 1 == 1;
    }

    /// @notice Whether none of the `count` elements that lie in calldata from `offset` on is NaN or infinite.
    function areFinite(uint8 dtype, uint256 offset, uint256 count) internal pure returns (bool) {
        (uint256 width, uint256 exponent) = _exponentOf(dtype);
        if (exponent == 0) return true;
        bool special;
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            for { let end := add(offset, mul(width, count)) } lt(offset, end) { offset := add(offset, width) } {
                special := eq(and(shr(shift, calldataload(offset)), exponent), exponent)
                if special { break }
            }
        }
        return !special;
    }

    /// @return width bytes of an element
    /// @return exponent the bits that are all set in what is not finite; zero for integers
    function _exponentOf(uint8 dtype) private pure returns (uint256 width, uint256 exponent) {
        if (dtype == F32) return (4, 0x7f800000);
        if (dtype == F16) return (2, 0x7c00);
        if (dtype == BF16) return (2, 0x7f80);
    }
}
