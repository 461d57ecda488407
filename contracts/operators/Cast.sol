// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case} from "../interfaces/IOperatorJudge.sol";
import {CaseLib} from "../libraries/CaseLib.sol";
import {Float} from "../math/Float.sol";
import {Formats} from "../math/Formats.sol";
import {BOOL} from "../types/Roots.sol";
import {Integers} from "./Integers.sol";
import {Pointwise} from "./Pointwise.sol";
import {Unary} from "./Unary.sol";

/// @title One element from any dtype to any other (PROTOCOL.md, section 5, "Cast")
/// @notice A float is cut towards zero to an integer, and rounded to a narrower float, at once or by way of f32.
library Cast {
    using CaseLib for Case;

    function isFault(Case calldata shown) internal pure returns (bool) {
        (uint8 from, uint8 to) = (shown.dtypeOf(1), shown.dtypeOf(0));
        if (!CaseLib.isFloating(from)) {
            return _isFromInteger(to, shown.bits(0), Integers.numberOf(from, shown.bits(1)));
        }
        if (CaseLib.isFloating(to)) return _isNarrowedWrongly(to, shown.float(0), shown.float(1));
        return _isFromFloat(to, shown.bits(0), shown.float(1));
    }

    function _isFromInteger(uint8 to, uint256 bits, int256 number) private pure returns (bool) {
        if (to == BOOL) return bits != (number == 0 ? 0 : 1);
        if (!CaseLib.isFloating(to)) return Integers.isFault(to, bits, number);
        Pointwise.Interval memory allowed = Pointwise.nothing();
        Pointwise.includeRounded(allowed, to, number < 0, uint256(number < 0 ? -number : number), 0);
        return Pointwise.isOutside(to, Formats.widen(to, bits), allowed);
    }

    function _isNarrowedWrongly(uint8 to, uint32 y, uint32 a) private pure returns (bool) {
        Pointwise.Interval memory allowed = Pointwise.Interval(a, a);
        if (a == Float.NEGATIVE_INFINITY) return Pointwise.isOutside(to, y, allowed);
        if (!Float.isFinite(a)) return false;
        uint32 kept = Formats.narrow(to, a);
        allowed = Pointwise.Interval(kept, kept);
        if (Float.isSubnormal(a)) Pointwise.include(allowed, 0);
        return Pointwise.isOutside(to, y, allowed);
    }

    /// @dev What may be flushed may be false.
    function _isFromFloat(uint8 to, uint256 bits, uint32 a) private pure returns (bool) {
        if (!Float.isFinite(a)) return false;
        (uint256 whole,) = Unary.truncated(a);
        if (to != BOOL) return Integers.isFault(to, bits, Float.isNegative(a) ? -int256(whole) : int256(whole));
        if (bits > 1) return true;
        return Float.isSubnormal(a) ? false : bits != (Float.isTiny(a) ? 0 : 1);
    }
}
