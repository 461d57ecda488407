// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rows} from "../../../contracts/operators/Contraction.sol";

/// @title Sums of products in the plainest way: one term at a time, and in one wide fixed-point number
/// @notice What the judge's contraction is compared with. It shares no code with it.
abstract contract ExactSum {
    function writeFloat(bytes memory data, uint256 offset, uint32 bits) internal pure {
        for (uint256 j = 0; j < 4; ++j) {
            data[offset + j] = bytes1(uint8(bits >> (24 - 8 * j)));
        }
    }

    function readFloat(bytes memory data, uint256 offset) internal pure returns (uint256 bits) {
        for (uint256 j = 0; j < 4; ++j) {
            bits = bits * 256 + uint8(data[offset + j]);
        }
    }

    /// @dev Term `i`: its operands; the one after the last product is the bias times 1.0.
    function operandsOf(bytes memory data, Rows memory rows, uint256 i) internal pure returns (uint256 a, uint256 b) {
        if (i == rows.count) return (rows.bias, 0x3f800000);
        return (readFloat(data, rows.a + 4 * i), readFloat(data, rows.b + 4 * i));
    }

    function termsOf(Rows memory rows) internal pure returns (uint256) {
        return rows.biased ? rows.count + 1 : rows.count;
    }

    /// @dev Exponent `x`, mantissas' product, sign, and whether an operand is subnormal.
    function termOf(uint256 a, uint256 b)
        internal
        pure
        returns (uint256 x, uint256 product, bool negative, bool flushes)
    {
        uint256 fieldA = (a / 2 ** 23) % 256;
        uint256 fieldB = (b / 2 ** 23) % 256;
        uint256 mantissaA = (a % 2 ** 23) + (fieldA > 0 ? 2 ** 23 : 0);
        uint256 mantissaB = (b % 2 ** 23) + (fieldB > 0 ? 2 ** 23 : 0);
        x = (fieldA > 0 ? fieldA : 1) + (fieldB > 0 ? fieldB : 1);
        product = mantissaA * mantissaB;
        negative = (a / 2 ** 31) != (b / 2 ** 31);
        flushes = (fieldA == 0 && mantissaA > 0) || (fieldB == 0 && mantissaB > 0);
    }

    function topOf(bytes memory data, Rows memory rows) internal pure returns (bool finite, int256 top) {
        finite = true;
        for (uint256 i = 0; i < termsOf(rows); ++i) {
            (uint256 a, uint256 b) = operandsOf(data, rows, i);
            (uint256 x,,,) = termOf(a, b);
            if ((a / 2 ** 23) % 256 == 255 || (b / 2 ** 23) % 256 == 255) finite = false;
            if (int256(x) > top) top = int256(x);
        }
    }

    /// @notice Positive terms from `base` on in the low half, negative ones in the high half; and the flushable ones.
    function slowSum(bytes memory data, Rows memory rows, int256 base)
        internal
        pure
        returns (uint256 halves, uint256 flushable)
    {
        for (uint256 i = 0; i < termsOf(rows); ++i) {
            (uint256 a, uint256 b) = operandsOf(data, rows, i);
            (uint256 x, uint256 product, bool negative, bool flushes) = termOf(a, b);
            uint256 units;
            if (int256(x) >= base) {
                units = product * 2 ** uint256(int256(x) - base);
                halves += negative ? units * 2 ** 128 : units;
            } else {
                uint256 down = uint256(base - int256(x));
                uint256 unit = 2 ** (down < 200 ? down : 200);
                units = (product + unit - 1) / unit;
            }
            if (flushes) flushable += units;
        }
    }

    /// @notice Sign of the exact sum less `units · 2^(base − 300)`: −1, 0 or 1.
    /// @dev Limbs of 64 bits from 2^-428 on, each a signed word, so that no addition overflows; carried at the end.
    function exactMinus(bytes memory data, Rows memory rows, int256 units, int256 base) internal pure returns (int256) {
        int256[13] memory limbs;
        for (uint256 i = 0; i < termsOf(rows); ++i) {
            (uint256 a, uint256 b) = operandsOf(data, rows, i);
            (uint256 x, uint256 product, bool negative,) = termOf(a, b);
            int256 part = int256(product << ((x + 128) % 64));
            limbs[(x + 128) / 64] += negative ? -part : part;
        }
        uint256 low = uint256(base + 128);
        limbs[low / 64] -= units * int256(2 ** (low % 64));
        bool isZero = true;
        for (uint256 i = 0; i < 12; ++i) {
            limbs[i + 1] += limbs[i] >> 64;
            if (limbs[i] & 0xffffffffffffffff != 0) isZero = false;
        }
        if (limbs[12] < 0) return -1;
        return isZero && limbs[12] == 0 ? int256(0) : int256(1);
    }
}
