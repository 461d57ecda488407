// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Pointwise} from "./Pointwise.sol";

/// @title Amax and argmax of one row (PROTOCOL.md, section 5)
/// @notice Both are exact. −Inf is a value, for masks; a row with a NaN or +Inf has no fault.
library Order {
    /// @param row offset in calldata of the first of `count` floats
    function isAmaxFault(uint256 row, uint256 count, uint32 y) internal pure returns (bool) {
        (bool known, uint32 greatest) = _greatest(row, count);
        return known && Pointwise.isOutside(y, Pointwise.Interval(greatest, greatest));
    }

    /// @notice Any index of a largest element is right; where all that counts may be flushed, any such.
    /// @param y the committed index
    function isArgmaxFault(uint256 row, uint256 count, int64 y) internal pure returns (bool) {
        (bool known, uint32 greatest) = _greatest(row, count);
        if (!known) return false;
        if (y < 0 || uint64(y) >= count) return true;
        uint32 chosen = Float.read(row + 4 * uint64(y));
        if (Float.isTiny(chosen) && Float.isTiny(greatest)) return false;
        return Float.order(chosen) < Float.order(greatest);
    }

    function _greatest(uint256 row, uint256 count) private pure returns (bool known, uint32 greatest) {
        greatest = Float.NEGATIVE_INFINITY;
        for (uint256 i = 0; i < count; ++i) {
            uint32 value = Float.read(row + 4 * i);
            if (value == Float.INFINITY || Float.isNaN(value)) return (false, 0);
            if (Float.order(value) > Float.order(greatest)) greatest = value;
        }
        return (true, greatest);
    }
}
