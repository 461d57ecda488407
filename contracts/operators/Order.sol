// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Row, RowFloats} from "../math/RowFloats.sol";
import {F32} from "../types/Roots.sol";
import {Pointwise} from "./Pointwise.sol";

/// @title Amax of one row, argmax by two elements of it (PROTOCOL.md, section 5)
/// @notice Both are exact. −Inf is a value, for masks; where a NaN or +Inf was opened there is no fault.
library Order {
    function isAmaxFault(Row memory row, uint32 y) internal pure returns (bool) {
        (bool known, uint32 greatest) = _greatest(row);
        return known && Pointwise.isOutside(F32, y, Pointwise.Interval(greatest, greatest));
    }

    /// @notice Any index of a largest element is right; where both may be flushed, either.
    /// @param chosen element at the committed index, `hinted` one that may be larger
    function isArgmaxFault(uint32 chosen, uint32 hinted) internal pure returns (bool) {
        if (!_isOrdered(chosen) || !_isOrdered(hinted)) return false;
        if (Float.isTiny(chosen) && Float.isTiny(hinted)) return false;
        return Float.order(chosen) < Float.order(hinted);
    }

    function _greatest(Row memory row) private pure returns (bool known, uint32 greatest) {
        greatest = Float.NEGATIVE_INFINITY;
        for (uint256 i = 0; i < row.count; ++i) {
            uint32 value = RowFloats.element(row, i);
            if (!_isOrdered(value)) return (false, 0);
            if (Float.order(value) > Float.order(greatest)) greatest = value;
        }
        return (true, greatest);
    }

    function _isOrdered(uint32 value) private pure returns (bool) {
        return Float.isFinite(value) || value == Float.NEGATIVE_INFINITY;
    }
}
