// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

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
    Approximate.abs,
    Approximate.scaled,
    Approximate.isZero,
    Approximate.isNegative
} for Approx global;

/// @title Making and reading approximate reals
library Approximate {
    Approx internal constant ZERO = Approx.wrap(0);
    Approx internal constant ONE = Approx.wrap((1 << 254) | int256(uint256(type(uint128).max) - 125));

    /// @notice `m · 2^e`, cut to 127 bits.
    /// @param m of magnitude below 2^255
    function make(int256 m, int256 e) internal pure returns (Approx) {
        unchecked {
            uint256 size = uint256(m < 0 ? -m : m);
            if (size == 0) return ZERO;
            int256 shift = int256(_bitLength(size)) - 127;
            return pack(shift < 0 ? m << uint256(-shift) : m / int256(1 << uint256(shift)), e + shift);
        }
    }

    /// @notice The word of a mantissa that is normalised already.
    function pack(int256 m, int256 e) internal pure returns (Approx word) {
        assembly ("memory-safe") {
            word := or(shl(128, m), and(e, 0xffffffffffffffffffffffffffffffff))
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

    /// @dev Number of bits of a size that is not zero.
    function _bitLength(uint256 size) private pure returns (uint256 bits) {
        assembly ("memory-safe") {
            bits := shl(7, lt(0xffffffffffffffffffffffffffffffff, size))
            bits := or(bits, shl(6, lt(0xffffffffffffffff, shr(bits, size))))
            bits := or(bits, shl(5, lt(0xffffffff, shr(bits, size))))
            bits := or(bits, shl(4, lt(0xffff, shr(bits, size))))
            bits := or(bits, shl(3, lt(0xff, shr(bits, size))))
            bits := or(bits, shl(2, lt(0xf, shr(bits, size))))
            bits := or(bits, shl(1, lt(3, shr(bits, size))))
            bits := add(or(bits, lt(1, shr(bits, size))), 1)
        }
    }
}

/// @dev The exact sum has at most 254 bits; an operand more than 126 places below the other is less than its last place.
function _add(Approx a, Approx b) pure returns (Approx) {
    unchecked {
        if (a.isZero()) return b;
        if (b.isZero()) return a;
        int256 apart = a.exponent() - b.exponent();
        if (apart < 0) (a, b, apart) = (b, a, -apart);
        if (apart > 126) return a;
        return Approximate.make((a.mantissa() << uint256(apart)) + b.mantissa(), b.exponent());
    }
}

function _subtract(Approx a, Approx b) pure returns (Approx) {
    return a + (-b);
}

/// @dev The product of mantissas lies in 2^252 .. 2^254.
function _multiply(Approx a, Approx b) pure returns (Approx) {
    unchecked {
        int256 product = a.mantissa() * b.mantissa();
        if (product == 0) return Approximate.ZERO;
        int256 e = a.exponent() + b.exponent();
        bool wide = (product < 0 ? -product : product) >= 1 << 253;
        return wide ? Approximate.pack(product / (1 << 127), e + 127) : Approximate.pack(product / (1 << 126), e + 126);
    }
}

/// @dev The quotient lies in 2^126 .. 2^128; it is cut once more where it has 128 bits. By zero it panics.
function _divide(Approx a, Approx b) pure returns (Approx) {
    unchecked {
        int256 quotient = (a.mantissa() << 127) / b.mantissa();
        if (quotient == 0) return Approximate.ZERO;
        int256 e = a.exponent() - b.exponent() - 127;
        bool wide = (quotient < 0 ? -quotient : quotient) >= 1 << 127;
        return wide ? Approximate.pack(quotient / 2, e + 1) : Approximate.pack(quotient, e);
    }
}

function _negate(Approx a) pure returns (Approx) {
    unchecked {
        return Approximate.pack(-a.mantissa(), a.exponent());
    }
}

/// @dev The sign of a difference is never cut away.
function _isLess(Approx a, Approx b) pure returns (bool) {
    return (a - b).isNegative();
}
