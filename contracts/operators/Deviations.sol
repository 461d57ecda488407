// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Float} from "../math/Float.sol";
import {Row, RowFloats} from "../math/RowFloats.sol";

/// @title The sum of squared deviations of a row of floats from one, in one window (PROTOCOL.md, section 5, "Rows")
/// @notice `rollup/judge/windows.py` is the twin. A unit is `2^(hint − 95 − 150)`.
library Deviations {
    /// @dev Exponents below the hint that are still exact: a deviation is below 2^120 units, the sum of squares below 2^254.
    uint256 private constant SPAN = 95;
    /// @dev Two cut operands move a deviation by less than 2 units, so its square by less than this power of two.
    uint256 private constant SQUARE_CUT = 123;
    uint256 private constant EVERY = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @param row of at most 2^13 floats
    /// @param hint greatest exponent of row and mean
    /// @return known false where an element or the mean is not finite, or lies above the hint
    /// @return low least, `high` greatest `Σ(a − mean)²`
    function squaresOf(Row memory row, uint32 mean, int256 hint)
        internal
        pure
        returns (bool known, Approx low, Approx high)
    {
        if (hint < 1 || hint > 254) return (false, low, high);
        unchecked {
            int256 base = hint - int256(SPAN);
            int256 centre;
            (known, centre) = _cut(mean, base);
            if (!known) return (false, low, high);
            uint256 total;
            (known, total) = _total(row, centre, base);
            int256 slack = int256(row.count << SQUARE_CUT);
            int256 least = int256(total) < slack ? int256(0) : int256(total) - slack;
            low = Approximate.make(least, 2 * (base - 150));
            high = Approximate.make(int256(total) + slack, 2 * (base - 150));
        }
    }

    /// @dev Whole words by eight lanes at once; a word that holds anything special, and the last floats, one by one.
    function _total(Row memory row, int256 centre, int256 base) private pure returns (bool known, uint256 total) {
        unchecked {
            uint256 cursor = row.start;
            uint256 end = cursor + (row.count / 8) * 32;
            uint256 lift = EVERY * uint256(512 - base);
            while (true) {
                (cursor, total) = _addWords(total, cursor, end, lift, centre);
                (known, total) = _addTerms(total, Row(cursor, cursor == end ? row.count % 8 : 8), centre, base);
                if (cursor == end || !known) return (known, total);
                cursor += 32;
            }
        }
    }

    /// @dev As in `RowSum`, but that a float below the window is special too. The square of a negative float's deviation is
    /// that of its magnitude from the negated mean: the two centres lie in memory, 32 bytes apart, behind the masks.
    /// @param lift `512 − base` in every lane
    function _addWords(uint256 total, uint256 cursor, uint256 end, uint256 lift, int256 centre)
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
            mstore(add(masks, 0x80), mul(EVERY, 416))
            let centres := add(masks, 0xa0)
            mstore(centres, sub(0, centre))
            mstore(add(centres, 0x20), centre)
            for {} lt(cursor, end) { cursor := add(cursor, 0x20) } {
                let x := mload(cursor)
                let place := and(x, mload(add(masks, 0x20)))
                let live := add(place, mload(add(masks, 0x20)))
                let special := add(place, mload(add(masks, 0x60)))
                place := add(shr(23, place), lift)
                special := or(special, shl(21, add(place, mload(add(masks, 0x80)))))
                special := or(special, and(live, not(shl(22, place))))
                let mantissas := and(x, mload(add(masks, 0x40)))
                special := or(special, and(not(live), shl(8, add(mantissas, mload(add(masks, 0x40))))))
                if and(special, mload(masks)) { break }
                mantissas := or(mantissas, mload(add(masks, 0x60)))
                mantissas := and(mantissas, mul(shr(31, and(live, mload(masks))), 0xffffff))
                // In every lane 32 for a negative float.
                x := shr(26, and(x, mload(masks)))
                live := add(shl(byte(3, place), shr(224, mantissas)), mload(add(centres, byte(3, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(7, place), and(shr(192, mantissas), 0xffffff)), mload(add(centres, byte(7, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(11, place), and(shr(160, mantissas), 0xffffff)), mload(add(centres, byte(11, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(15, place), and(shr(128, mantissas), 0xffffff)), mload(add(centres, byte(15, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(19, place), and(shr(96, mantissas), 0xffffff)), mload(add(centres, byte(19, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(23, place), and(shr(64, mantissas), 0xffffff)), mload(add(centres, byte(23, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(27, place), and(shr(32, mantissas), 0xffffff)), mload(add(centres, byte(27, x))))
                total := add(total, mul(live, live))
                live := add(shl(byte(31, place), and(mantissas, 0xffffff)), mload(add(centres, byte(31, x))))
                total := add(total, mul(live, live))
            }
        }
        return (cursor, total);
    }

    function _addTerms(uint256 total, Row memory row, int256 centre, int256 base)
        private
        pure
        returns (bool, uint256)
    {
        unchecked {
            for (uint256 i = 0; i < row.count; ++i) {
                (bool known, int256 apart) = _cut(RowFloats.element(row, i), base);
                if (!known) return (false, total);
                apart -= centre;
                total += uint256(apart * apart);
            }
        }
        return (true, total);
    }

    /// @dev A float in units, cut towards zero; unknown if it lies above the window or is not finite.
    function _cut(uint32 x, int256 base) private pure returns (bool known, int256 units) {
        unchecked {
            (uint256 mantissa, uint256 exponent) = Float.split(x);
            int256 shift = int256(exponent) - base;
            if (!Float.isFinite(x) || shift > int256(SPAN)) return (false, 0);
            mantissa = shift < 0 ? mantissa >> uint256(-shift) : mantissa << uint256(shift);
            return (true, Float.isNegative(x) ? -int256(mantissa) : int256(mantissa));
        }
    }
}
