// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Float} from "../math/Float.sol";
import {Row, RowFloats} from "../math/RowFloats.sol";

/// @notice What a window found of a row.
/// @param value the sum, within `cut`
/// @param mass at least the sum of the magnitudes
struct Total {
    Approx value;
    Approx mass;
    Approx cut;
}

/// @title The exact sum of a row of floats, in one window (PROTOCOL.md, section 5, "Rows")
/// @notice `rollup/judge/windows.py` is the twin.
library RowSum {
    /// @dev Exponents below the hint that are still exact: positive and negative sums stay below 2^127 units.
    uint256 private constant SPAN = 90;
    /// @dev A float below the window is less than this many units.
    uint256 private constant DROPPED = 24;
    /// @dev One in every lane of 32 bits.
    uint256 private constant EVERY = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @param row of at most 2^13 floats
    /// @param hint greatest exponent of the row
    /// @return known false where an element is not finite, or lies above the hint
    function sumOf(Row memory row, int256 hint) internal pure returns (bool known, Total memory total) {
        if (hint < 1 || hint > 254) return (false, total);
        unchecked {
            int256 base = hint - int256(SPAN);
            uint256 halves = 0;
            uint256 cursor = row.start;
            uint256 end = cursor + ((row.count + 7) / 8) * 32;
            while (cursor != end) {
                (cursor, halves) = _addWords(halves, cursor, end, EVERY * uint256(512 - base));
                if (cursor == end) break;
                (known, halves) = _addTerms(halves, cursor, base);
                if (!known) return (false, total);
                cursor += 32;
            }
            (uint256 positive, uint256 negative) = (uint128(halves), halves >> 128);
            uint256 dropped = row.count << DROPPED;
            total.value = Approximate.make(int256(positive) - int256(negative), base - 150);
            total.mass = Approximate.make(int256(positive + negative + dropped), base - 150);
            total.cut = Approximate.make(int256(dropped), base - 150);
            return (true, total);
        }
    }

    /// @dev Adds words from `cursor` on until `end` or a word with a subnormal, an infinity, a NaN, or a float above the
    /// hint; returns where it stopped. No lane ever carries into its neighbour:
    /// - the exponent field `E` stays where it is (bits 23 to 30); `E > 0` shows in bit 31 of `E · 2^23 + 0xff · 2^23`, and
    ///   `E = 255` in bit 31 of `(E + 1) · 2^23`; `F > 0` in bit 23 of `F + 2^23 − 1`;
    /// - `place = E − base + 512` lies in 347 .. 856: bit 9 says `E >= base`, bit 10 of `place + 511 − SPAN` that `E` lies
    ///   above the hint; its low byte is `E − base <= 90` in the window, and 128 more for a negative float: the shift that
    ///   puts the mantissa into the high half.
    /// Masks lie beyond the free memory: as literals the optimiser would fetch them from the code.
    /// @param lift `512 − base` in every lane
    function _addWords(uint256 halves, uint256 cursor, uint256 end, uint256 lift)
        private
        pure
        returns (uint256, uint256)
    {
        assembly ("memory-safe") {
            let masks := mload(0x40)
            mstore(masks, 0x8000000080000000800000008000000080000000800000008000000080000000)
            mstore(add(masks, 0x20), 0x7f8000007f8000007f8000007f8000007f8000007f8000007f8000007f800000)
            mstore(add(masks, 0x40), 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff)
            mstore(add(masks, 0x60), 0x0080000000800000008000000080000000800000008000000080000000800000)
            // 511 − SPAN in every lane.
            mstore(add(masks, 0x80), mul(EVERY, 421))
            for {} lt(cursor, end) { cursor := add(cursor, 0x20) } {
                let x := mload(cursor)
                let fields := and(x, mload(add(masks, 0x20)))
                let live := add(fields, mload(add(masks, 0x20)))
                let place := add(shr(23, fields), lift)
                let fractions := and(x, mload(add(masks, 0x40)))
                let special := or(add(fields, mload(add(masks, 0x60))), shl(21, add(place, mload(add(masks, 0x80)))))
                special := or(special, and(not(live), shl(8, add(fractions, mload(add(masks, 0x40))))))
                if and(special, mload(masks)) { break }
                live := mul(shr(31, and(and(live, shl(22, place)), mload(masks))), 0xffffff)
                live := and(live, or(fractions, mload(add(masks, 0x60))))
                place := add(place, shr(24, and(x, mload(masks))))
                halves := add(halves, shl(byte(3, place), shr(224, live)))
                halves := add(halves, shl(byte(7, place), and(shr(192, live), 0xffffff)))
                halves := add(halves, shl(byte(11, place), and(shr(160, live), 0xffffff)))
                halves := add(halves, shl(byte(15, place), and(shr(128, live), 0xffffff)))
                halves := add(halves, shl(byte(19, place), and(shr(96, live), 0xffffff)))
                halves := add(halves, shl(byte(23, place), and(shr(64, live), 0xffffff)))
                halves := add(halves, shl(byte(27, place), and(shr(32, live), 0xffffff)))
                halves := add(halves, shl(byte(31, place), and(live, 0xffffff)))
            }
        }
        return (cursor, halves);
    }

    /// @dev The eight floats of one word, one by one; false if one lies above the hint or is not finite.
    function _addTerms(uint256 halves, uint256 cursor, int256 base) private pure returns (bool, uint256) {
        unchecked {
            for (uint256 i = 0; i < 8; ++i) {
                uint32 x = RowFloats.element(Row(cursor, 8), i);
                (uint256 mantissa, uint256 exponent) = Float.split(x);
                int256 shift = int256(exponent) - base;
                if (!Float.isFinite(x) || shift > int256(SPAN)) return (false, halves);
                if (shift < 0) continue;
                halves += mantissa << uint256(Float.isNegative(x) ? shift + 128 : shift);
            }
        }
        return (true, halves);
    }
}
