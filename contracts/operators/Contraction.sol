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

    /// @dev `count` terms from `a` on, one by one, each as `_term` adds it: a row may be all subnormal.
    function _terms(Sum memory sum, uint256 a, uint256 apart, uint256 count) private pure returns (bool known) {
        assembly ("memory-safe") {
            known := 1
            for { let end := add(a, shl(2, count)) } lt(a, end) { a := add(a, 4) } {
                let x := shr(224, calldataload(a))
                let y := shr(224, calldataload(add(a, apart)))
                let ex := and(shr(23, x), 0xff)
                let ey := and(shr(23, y), 0xff)
                let shift := sub(add(add(ex, iszero(ex)), add(ey, iszero(ey))), mload(add(sum, 0x20)))
                if or(or(eq(ex, 0xff), eq(ey, 0xff)), sgt(shift, mload(add(sum, 0x40)))) {
                    known := 0
                    break
                }
                let product := mul(or(and(x, 0x7fffff), shl(23, gt(ex, 0))), or(and(y, 0x7fffff), shl(23, gt(ey, 0))))
                switch slt(shift, 0)
                case 0 {
                    product := shl(shift, product)
                    let halves := add(sum, 0x60)
                    mstore(halves, add(mload(halves), shl(shl(7, shr(31, xor(x, y))), product)))
                }
                default {
                    // In units, rounded up: a product has 48 bits, so a further shift changes nothing.
                    shift := sub(0, shift)
                    if gt(shift, 48) { shift := 48 }
                    product := shr(shift, add(product, sub(shl(shift, 1), 1)))
                }
                // A magnitude of 1 to 2^23 - 1 is subnormal.
                if or(lt(sub(and(x, 0x7fffffff), 1), 0x7fffff), lt(sub(and(y, 0x7fffffff), 1), 0x7fffff)) {
                    let flushable := add(sum, 0x80)
                    mstore(flushable, add(mload(flushable), product))
                }
            }
        }
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
