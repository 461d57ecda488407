// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Real, Sum} from "../math/Real.sol";

/// @notice What is summed: two rows of floats in calldata, and a bias.
/// @param a offset in calldata of the first float of the first row; `b` of the second
/// @param count products, from 1 on; with the bias fewer than 2^16
struct Rows {
    uint256 a;
    uint256 b;
    uint256 count;
    bool biased;
    uint32 bias;
}

/// @title The exact sum of products of two rows of floats, in one window (PROTOCOL.md, section 5, "Contract")
/// @notice Rows lie in calldata, big-endian, from any byte on. It does not know where they come from.
library Contraction {
    /// @dev A lane is one float of the eight in a word. These hold the same 32 bits in every lane.
    uint256 private constant LANES = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @dev 1.0: a bias is the product of itself and this.
    uint32 private constant ONE = 0x3f800000;

    /// @notice Sums the products of two rows, and the bias.
    /// @param hint greatest product exponent
    /// @return known whether the window holds: false if a product lies above it or an operand is not finite
    function sumOf(Rows memory rows, int256 hint) internal pure returns (bool known, Sum memory sum) {
        // Exponents of products lie in 2 .. 508. Above, what the window drops exceeds every float; below is wrong.
        if (hint < 2 || hint > 508) return (false, sum);
        // Nothing here comes near 2^255: the hint is small, the halves are bounded by the window.
        unchecked {
            sum.terms = rows.biased ? rows.count + 1 : rows.count;
            uint256 span = Real.range(sum.terms);
            sum.span = span;
            sum.base = hint - int256(span);
            known = _rows(sum, rows.a, rows.b, rows.count) && (!rows.biased || _term(sum, rows.bias, ONE));
        }
    }

    /// @dev Whole words by eight lanes at once; a word that holds anything special, and the tail, term by term.
    function _rows(Sum memory sum, uint256 a, uint256 b, uint256 count) private pure returns (bool) {
        // Modulo 2^256: `a + apart` is `b` also where b lies before a.
        unchecked {
            uint256 apart = b - a;
            uint256 end = a + (count / 8) * 32;
            uint256 lift = LANES * uint256(1024 - sum.base);
            uint256 above = LANES * (1023 - sum.span);
            while (true) {
                (a, sum.halves) = _words(sum.halves, a, apart, end, lift, above);
                if (a == end) return _terms(sum, a, apart, count % 8);
                if (!_terms(sum, a, apart, 8)) return false;
                a += 32;
            }
        }
        return true;
    }

    /// @dev Adds words from `cursor` on until `end` or a word with a subnormal, an infinity, a NaN, or a product above
    /// the window; returns where it stopped.
    ///
    /// No lane ever carries into its neighbour:
    /// - exponent fields stay where they are (bits 23 to 30), so two of them add up to at most 510 · 2^23 < 2^32;
    /// - `E > 0` shows in bit 31 of `E · 2^23 + 0xff · 2^23`, which is at most 510 · 2^23;
    /// - `place = x − base + 1024` lies in 580 .. 1612, for x in 0 .. 510 and base in −78 .. 444: bit 10 says `x >= base`;
    /// - `place + 1023 − span` and 2 more are below 4096, and bit 11 says `x > top`;
    /// - `E = 255` shows in bit 31 of `(E + 1) · 2^23`; `F > 0` in bit 23 of `F + 2^23 − 1`.
    /// `x` is the sum of the fields `E`, short by at most 2 of that of the `ε` where an operand is zero or subnormal. Such
    /// a lane is added as zero, so only its comparison with `top` is wanted: if it is closer than 2, the word is special.
    /// The low byte of `place` is `x − base <= 80` in the window; adding 128 to it for a negative product makes it the
    /// shift that puts the product into the high half. A product below the window has its mantissa masked out. Both
    /// halves stay below 2^128 because the window leaves room for the number of terms.
    ///
    /// Two lanes are multiplied at once, 64 bits apart: their products are 128 bits apart, and the crossed ones, 49 bits
    /// between them, are dropped. Masks that are used often lie in memory or on the stack: as literals the optimiser
    /// would fetch them from the code, at ten times the gas.
    /// @param lift `1024 − base` in every lane
    /// @param above `1023 − span` in every lane
    function _words(uint256 halves, uint256 cursor, uint256 apart, uint256 end, uint256 lift, uint256 above)
        private
        pure
        returns (uint256, uint256)
    {
        assembly ("memory-safe") {
            // In memory at 0 bit 31 of every lane, at 0x20 the exponents' bits.
            mstore(0, 0x8000000080000000800000008000000080000000800000008000000080000000)
            mstore(0x20, 0x7f8000007f8000007f8000007f8000007f8000007f8000007f8000007f800000)
            let implicit := 0x0080000000800000008000000080000000800000008000000080000000800000
            for {} lt(cursor, end) { cursor := add(cursor, 0x20) } {
                let x := calldataload(cursor)
                let y := calldataload(add(cursor, apart))
                let ex := and(x, mload(0x20))
                let ey := and(y, mload(0x20))
                let live := and(add(ex, mload(0x20)), add(ey, mload(0x20)))
                let place := add(shr(23, add(ex, ey)), lift)
                let special := or(or(add(ex, implicit), add(ey, implicit)), shl(20, add(place, above)))
                if and(or(special, not(live)), mload(0)) {
                    // A fraction where E is 0, in bit 31 of x or of y.
                    let fractions := sub(implicit, shr(23, implicit))
                    ex := and(not(add(ex, mload(0x20))), shl(8, add(and(x, fractions), fractions)))
                    ey := and(not(add(ey, mload(0x20))), shl(8, add(and(y, fractions), fractions)))
                    let near := and(not(live), shl(20, add(place, add(above, shr(22, implicit)))))
                    if and(or(or(special, near), or(ex, ey)), mload(0)) { break }
                }
                // Mantissas; those of products that do not count are masked.
                live := mul(shr(31, and(and(live, shl(21, place)), mload(0))), 0xffffff)
                place := add(place, shr(24, and(xor(x, y), mload(0))))
                x := and(live, or(implicit, and(x, 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff)))
                y := or(implicit, and(y, 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff))
                ex := mul(and(shr(160, x), 0xffffff0000000000ffffff), and(shr(160, y), 0xffffff0000000000ffffff))
                ey := mul(and(shr(128, x), 0xffffff0000000000ffffff), and(shr(128, y), 0xffffff0000000000ffffff))
                special := mul(and(shr(32, x), 0xffffff0000000000ffffff), and(shr(32, y), 0xffffff0000000000ffffff))
                live := mul(and(x, 0xffffff0000000000ffffff), and(y, 0xffffff0000000000ffffff))
                halves :=
                    add(shl(byte(23, place), shr(128, live)), add(shl(byte(31, place), and(live, 0xffffffffffff)),
                    add(shl(byte(19, place), shr(128, special)), add(shl(byte(27, place), and(special, 0xffffffffffff)),
                    add(shl(byte(7, place), shr(128, ey)), add(shl(byte(15, place), and(ey, 0xffffffffffff)),
                    add(shl(byte(3, place), shr(128, ex)), add(shl(byte(11, place), and(ex, 0xffffffffffff)), halves))))))))
            }
        }
        return (cursor, halves);
    }

    /// @dev `count` terms from `a` on, one by one.
    function _terms(Sum memory sum, uint256 a, uint256 apart, uint256 count) private pure returns (bool) {
        for (uint256 i = 0; i < count; ++i) {
            // Modulo 2^256, as the distance is.
            unchecked {
                if (!_term(sum, Float.read(a), Float.read(a + apart))) return false;
                a += 4;
            }
        }
        return true;
    }

    /// @dev One product, any operands; false if it lies above the window or an operand is not finite.
    function _term(Sum memory sum, uint32 x, uint32 y) private pure returns (bool) {
        if (!Float.isFinite(x) || !Float.isFinite(y)) return false;
        (uint256 mantissaX, uint256 exponentX) = Float.split(x);
        (uint256 mantissaY, uint256 exponentY) = Float.split(y);
        int256 shift = int256(exponentX + exponentY) - sum.base;
        if (shift > int256(sum.span)) return false;
        uint256 product = mantissaX * mantissaY;
        if (shift >= 0) {
            product <<= uint256(shift);
            sum.halves += Float.isNegative(x ^ y) ? product << 128 : product;
        } else {
            // In units, rounded up: a product has 48 bits, so a further shift changes nothing.
            uint256 down = uint256(-shift) < 48 ? uint256(-shift) : 48;
            product = (product + (1 << down) - 1) >> down;
        }
        if (Float.isSubnormal(x) || Float.isSubnormal(y)) sum.flushable += product;
        return true;
    }
}
