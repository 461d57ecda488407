// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";

// The operators of `Approx`, which keep its promise: an exact result, cut towards zero to 127 bits.

error DivisionByZero();

/// @dev Mask of the lower half.
uint256 constant LOWER = 0xffffffffffffffffffffffffffffffff;

/// @dev The exact sum has at most 254 bits; an operand more than 126 places below the other is less than its last place, and
/// is taken for zero. Zero is given the exponent of the other.
function _add(Approx a, Approx b) pure returns (Approx) {
    int256 sum;
    int256 e;
    assembly ("memory-safe") {
        if iszero(a) { a := and(b, LOWER) }
        if iszero(b) { b := and(a, LOWER) }
        e := signextend(15, b)
        let apart := sub(signextend(15, a), e)
        if slt(apart, 0) {
            let less := a
            a := b
            b := less
            e := add(e, apart)
            apart := sub(0, apart)
        }
        if gt(apart, 126) {
            b := 0
            e := add(e, apart)
            apart := 0
        }
        sum := add(shl(apart, sar(128, a)), sar(128, b))
    }
    return Approximate.make(sum, e);
}

function _subtract(Approx a, Approx b) pure returns (Approx) {
    assembly ("memory-safe") {
        b := or(shl(128, sub(0, sar(128, b))), and(b, LOWER))
    }
    return _add(a, b);
}

/// @dev The product of mantissas lies in 2^252 .. 2^254. Lower halves add up modulo 2^128, as exponents do.
function _multiply(Approx a, Approx b) pure returns (Approx product) {
    assembly ("memory-safe") {
        product := mul(sar(128, a), sar(128, b))
        if product {
            let sign := sar(255, product)
            let size := sub(xor(product, sign), sign)
            let shift := add(126, shr(253, size))
            size := shr(shift, size)
            product := or(shl(128, sub(xor(size, sign), sign)), and(add(add(a, b), shift), LOWER))
        }
    }
}

/// @dev The quotient lies in 2^126 .. 2^128; it is cut once more where it has 128 bits.
function _divide(Approx a, Approx b) pure returns (Approx quotient) {
    if (b.isZero()) revert DivisionByZero();
    assembly ("memory-safe") {
        quotient := sdiv(shl(127, sar(128, a)), sar(128, b))
        if quotient {
            let sign := sar(255, quotient)
            let size := sub(xor(quotient, sign), sign)
            let wide := shr(127, size)
            size := shr(wide, size)
            quotient := or(shl(128, sub(xor(size, sign), sign)), and(sub(add(sub(a, b), wide), 127), LOWER))
        }
    }
}

function _negate(Approx a) pure returns (Approx word) {
    assembly ("memory-safe") {
        word := or(shl(128, sub(0, sar(128, a))), and(a, LOWER))
    }
}

/// @dev The sign of a difference is never cut away.
function _isLess(Approx a, Approx b) pure returns (bool) {
    return (a - b).isNegative();
}
