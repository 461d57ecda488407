// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Real, Sum} from "../math/Real.sol";
import {Lanes} from "./Lanes.sol";

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
    /// @dev 1.0: a bias is the product of itself and this.
    uint32 private constant ONE = 0x3f800000;

    /// @notice Sums the products of two rows, and the bias.
    /// @param hint greatest product exponent
    /// @return known whether the window holds: false if a product lies above it or an operand is not finite
    function sumOf(Rows memory rows, int256 hint) internal pure returns (bool known, Sum memory sum) {
        (known, sum) = windowOf(rows, hint);
        known = known && _rows(sum, rows.a, rows.b, rows.count) && (!rows.biased || addBias(sum, rows.bias));
    }

    /// @notice The window that a hint opens, with nothing in it.
    function windowOf(Rows memory rows, int256 hint) internal pure returns (bool known, Sum memory sum) {
        // Exponents of products lie in 2 .. 508. Above, what the window drops exceeds every float; below is wrong.
        if (hint < 2 || hint > 508) return (false, sum);
        // Nothing here comes near 2^255: the hint is small, the halves are bounded by the window.
        unchecked {
            sum.terms = rows.biased ? rows.count + 1 : rows.count;
            sum.span = Real.range(sum.terms);
            sum.base = hint - int256(sum.span);
        }
        return (true, sum);
    }

    /// @notice Adds a bias: the product of itself and 1.0.
    function addBias(Sum memory sum, uint32 bias) internal pure returns (bool) {
        return addTerm(sum, bias, ONE);
    }

    /// @dev Whole words by eight lanes at once; a word that holds anything special, and the tail, term by term.
    function _rows(Sum memory sum, uint256 a, uint256 b, uint256 count) private pure returns (bool) {
        // Modulo 2^256: `a + apart` is `b` also where b lies before a.
        unchecked {
            uint256 apart = b - a;
            uint256 end = a + (count / 8) * 32;
            uint256 lift = Lanes.EVERY * uint256(1024 - sum.base);
            uint256 above = Lanes.EVERY * (1023 - sum.span);
            while (true) {
                (a, sum.halves) = Lanes.addWords(sum.halves, a, apart, end, lift, above);
                if (a == end) return _terms(sum, a, apart, count % 8);
                if (!_terms(sum, a, apart, 8)) return false;
                a += 32;
            }
        }
        return true;
    }

    /// @dev `count` terms from `a` on, one by one.
    function _terms(Sum memory sum, uint256 a, uint256 apart, uint256 count) private pure returns (bool) {
        for (uint256 i = 0; i < count; ++i) {
            // Modulo 2^256, as the distance is.
            unchecked {
                if (!addTerm(sum, Float.read(a), Float.read(a + apart))) return false;
                a += 4;
            }
        }
        return true;
    }

    /// @notice Adds one product, of any operands; false if it lies above the window or an operand is not finite.
    function addTerm(Sum memory sum, uint32 x, uint32 y) internal pure returns (bool) {
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
