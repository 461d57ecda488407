// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Float} from "../math/Float.sol";
import {Row} from "../math/RowFloats.sol";
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

    /// @dev Compared as integers: the magnitude, negated for a negative float.
    function _greatest(Row memory row) private pure returns (bool known, uint32 greatest) {
        (known, greatest) = (true, Float.NEGATIVE_INFINITY);
        assembly ("memory-safe") {
            let place := mload(row)
            let end := add(place, shl(2, mload(add(row, 0x20))))
            let most := sub(0, 0x7f800000)
            for {} lt(place, end) { place := add(place, 4) } {
                let x := shr(224, mload(place))
                let order := and(x, 0x7fffffff)
                if gt(order, 0x7f7fffff) {
                    if sub(x, 0xff800000) {
                        known := 0
                        break
                    }
                }
                if shr(31, x) { order := sub(0, order) }
                if sgt(order, most) {
                    most := order
                    greatest := x
                }
            }
        }
    }

    function _isOrdered(uint32 value) private pure returns (bool) {
        return Float.isFinite(value) || value == Float.NEGATIVE_INFINITY;
    }
}
