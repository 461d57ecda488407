// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LOWER, _add, _divide, _isLess, _multiply, _negate, _subtract} from "./Arithmetic.sol";
import {Float} from "./Float.sol";

/// @notice A real number `m · 2^e` in one word: `m` in the upper half, zero or of magnitude `2^126 .. 2^127 − 1`; `e` in the
/// lower half, zero where `m` is. Every operation cuts its exact result towards zero to 127 bits: one that is not zero errs by
/// less than `2^-125` of itself, a sum too, whatever it cancels.
/// @dev No memory is taken, so that a row of thousands is not paid by the square. Exponents stay far within 64 bits: those
/// of floats do, `exp` saturates, and no formula takes more than a few products. `rollup/judge/approx.py` is the twin.
type Approx is int256;

using {
    _add as +,
    _subtract as -,
    _multiply as *,
    _divide as /,
    _negate as -,
    _isLess as <,
    Approximate.mantissa,
    Approximate.exponent,
    Approximate.magnitude,
    Approximate.fixedPoint,
    Approximate.abs,
    Approximate.scaled,
    Approximate.isZero,
    Approximate.isNegative
} for Approx global;

/// @title Making and reading approximate reals
library Approximate {
    Approx internal constant ZERO = Approx.wrap(0);
    Approx internal constant ONE = Approx.wrap(0x40000000000000000000000000000000ffffffffffffffffffffffffffffff82);

    /// @notice `m · 2^e`, cut to 127 bits.
    /// @param m of magnitude below 2^255
    /// @dev The length of the size is found by halves, its last five bits by table (as in solady's LibBit).
    function make(int256 m, int256 e) internal pure returns (Approx word) {
        if (m == 0) return ZERO;
        assembly ("memory-safe") {
            let sign := sar(255, m)
            let size := sub(xor(m, sign), sign)
            let top := shl(7, lt(0xffffffffffffffffffffffffffffffff, size))
            top := or(top, shl(6, lt(0xffffffffffffffff, shr(top, size))))
            top := or(top, shl(5, lt(0xffffffff, shr(top, size))))
            top := or(top, shl(4, lt(0xffff, shr(top, size))))
            top := or(top, shl(3, lt(0xff, shr(top, size))))
            let place := and(0x1f, shr(shr(top, size), 0x8421084210842108cc6318c6db6d54be))
            top := or(top, byte(place, 0x0706060506020504060203020504030106050205030304010505030400000000))
            // To have bit 126 on top. A shift by a negative number, taken as a huge one, gives zero.
            size := or(shl(sub(126, top), size), mul(gt(top, 126), shr(sub(top, 126), size)))
            word := or(shl(128, sub(xor(size, sign), sign)), and(add(e, sub(top, 126)), LOWER))
        }
    }

    /// @notice The word of a mantissa that is normalised already.
    function pack(int256 m, int256 e) internal pure returns (Approx word) {
        assembly ("memory-safe") {
            word := or(shl(128, m), and(e, LOWER))
        }
    }

    /// @notice Value of a finite float, exactly.
    function ofFloat(uint32 bits) internal pure returns (Approx) {
        unchecked {
            (uint256 size, uint256 scale) = Float.split(bits);
            int256 m = Float.isNegative(bits) ? -int256(size) : int256(size);
            return size < 1 << 23 ? make(m, int256(scale) - 150) : pack(m << 103, int256(scale) - 253);
        }
    }

    function mantissa(Approx a) internal pure returns (int256) {
        return Approx.unwrap(a) >> 128;
    }

    function exponent(Approx a) internal pure returns (int256 e) {
        assembly ("memory-safe") {
            e := signextend(15, a)
        }
    }

    /// @notice The least `n` with `|a| < 2^n`; for zero a small one.
    function magnitude(Approx a) internal pure returns (int256) {
        unchecked {
            return a.isZero() ? -(1 << 30) : a.exponent() + 127;
        }
    }

    /// @notice `a · 2^places`, rounded down; below 2^255.
    function fixedPoint(Approx a, int256 places) internal pure returns (int256) {
        unchecked {
            int256 shift = a.exponent() + places;
            return shift < 0 ? a.mantissa() >> uint256(-shift) : a.mantissa() << uint256(shift);
        }
    }

    function isZero(Approx a) internal pure returns (bool) {
        return Approx.unwrap(a) == 0;
    }

    function isNegative(Approx a) internal pure returns (bool) {
        return Approx.unwrap(a) < 0;
    }

    function abs(Approx a) internal pure returns (Approx) {
        return a.isNegative() ? -a : a;
    }

    /// @notice `a · 2^by`, exactly.
    function scaled(Approx a, int256 by) internal pure returns (Approx) {
        unchecked {
            return a.isZero() ? a : pack(a.mantissa(), a.exponent() + by);
        }
    }

    function min(Approx a, Approx b) internal pure returns (Approx) {
        return a < b ? a : b;
    }
}
