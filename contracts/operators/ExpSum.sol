// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Exponential} from "../math/Exponential.sol";
import {Float} from "../math/Float.sol";
import {Row, RowFloats} from "../math/RowFloats.sol";

/// @title The sum of exponentials of a row of floats (PROTOCOL.md, section 5, "Rows")
/// @notice `rollup/judge/windows.py` is the twin. Arguments are in units of 2^-120, cut towards zero, the sum in 2^-214.
library ExpSum {
    int256 private constant GREATEST = 16 << 120;
    int256 private constant LEAST = -(256 << 120);
    /// @dev Of the sum, beyond those of `Exponential.power`.
    int256 private constant PLACES = 214 - 120;

    /// @return known false where `top` or an element is not finite, −Inf aside, or an element exceeds `top` by more than 16
    /// @return total `Σ e^(a − top)`, within 2^-90 of itself and 2^-214 for each element
    /// @dev A term is below 2^146, in its units 2^239 .. of which there are 2^13.
    function sumOf(Row memory row, uint32 top) internal pure returns (bool known, Approx total) {
        if (!Float.isFinite(top)) return (false, total);
        unchecked {
            int256 centre = _argument(top);
            uint256 sum = 0;
            for (uint256 i = 0; i < row.count; ++i) {
                uint32 x = RowFloats.element(row, i);
                if (x == Float.NEGATIVE_INFINITY) continue;
                if (!Float.isFinite(x)) return (false, total);
                int256 apart = _argument(x) - centre;
                if (apart > GREATEST) return (false, total);
                if (apart < LEAST) continue;
                (uint256 p, int256 k) = Exponential.power(apart);
                k += PLACES;
                sum += k < 0 ? p >> uint256(-k) : p << uint256(k);
            }
            return (true, Approximate.make(int256(sum), -214));
        }
    }

    /// @dev `m · 2^(ε − 150)` in units of 2^-120: shifted up by 224 and down by 254 − ε, which cuts towards zero.
    function _argument(uint32 x) private pure returns (int256 units) {
        unchecked {
            (uint256 mantissa, uint256 exponent) = Float.split(x);
            units = int256((mantissa << 224) >> (254 - exponent));
            if (Float.isNegative(x)) units = -units;
        }
    }
}
