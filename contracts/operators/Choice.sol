// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case} from "../interfaces/IOperatorJudge.sol";
import {CaseLib} from "../libraries/CaseLib.sol";
import {OP_COMPARE, OP_LOGICAL, OP_NOT} from "../libraries/ConstantsLib.sol";
import {Float} from "../math/Float.sol";
import {BOOL} from "../types/Roots.sol";
import {Integers} from "./Integers.sol";
import {Movement} from "./Movement.sol";

/// @title Compare, logical, not, where (PROTOCOL.md, section 5, "Compare, logical, not")
/// @notice A subnormal may be compared as it is or as zero. −Inf is a value; a NaN or +Inf is no fault.
library Choice {
    using CaseLib for Case;

    function isFault(Case calldata shown) internal pure returns (bool) {
        uint8 code = shown.operator();
        if (code == OP_COMPARE) return _isComparedWrongly(shown);
        if (code == OP_LOGICAL) return _isLogicalFault(shown);
        if (code == OP_NOT) return _areBool(shown, 1) && _isNot(shown, shown.bits(1) == 0);
        return _isChosenWrongly(shown);
    }

    /// @dev Both operands have one dtype, any.
    function _isComparedWrongly(Case calldata shown) private pure returns (bool) {
        uint8 dtype = shown.dtypeOf(1);
        int256 kind = shown.extra(1, 0);
        if (shown.dtypeOf(0) != BOOL || shown.dtypeOf(2) != dtype || kind < 0 || kind > 5) return false;
        if (!CaseLib.isFloating(dtype)) {
            int256 place = Integers.numberOf(dtype, shown.bits(1));
            return _isNot(shown, _compare(kind, place, Integers.numberOf(dtype, shown.bits(2))));
        }
        (uint32 a, uint32 b) = (shown.float(1), shown.float(2));
        if (!_isOrdered(a) || !_isOrdered(b)) return false;
        for (uint256 flushed = 0; flushed < 4; ++flushed) {
            if (flushed & 1 != 0 && !Float.isSubnormal(a)) continue;
            if (flushed & 2 != 0 && !Float.isSubnormal(b)) continue;
            int256 left = flushed & 1 != 0 ? int256(0) : Float.order(a);
            if (!_isNot(shown, _compare(kind, left, flushed & 2 != 0 ? int256(0) : Float.order(b)))) return false;
        }
        return true;
    }

    function _isLogicalFault(Case calldata shown) private pure returns (bool) {
        int256 kind = shown.extra(1, 0);
        if (!_areBool(shown, 2) || kind < 0 || kind > 2) return false;
        (bool a, bool b) = (shown.bits(1) != 0, shown.bits(2) != 0);
        return _isNot(shown, kind == 0 ? a && b : kind == 1 ? a || b : a != b);
    }

    function _isChosenWrongly(Case calldata shown) private pure returns (bool) {
        uint8 dtype = shown.dtypeOf(0);
        if (shown.dtypeOf(1) != BOOL || shown.dtypeOf(2) != dtype || shown.dtypeOf(3) != dtype) return false;
        return Movement.isFault(dtype, shown.bits(0), shown.bits(shown.bits(1) != 0 ? 2 : 3));
    }

    function _compare(int256 kind, int256 a, int256 b) private pure returns (bool) {
        if (kind == 0) return a == b;
        if (kind == 1) return a != b;
        if (kind == 2) return a < b;
        if (kind == 3) return a <= b;
        return kind == 4 ? a > b : a >= b;
    }

    /// @dev Whether the committed bool is anything but `expected`.
    function _isNot(Case calldata shown, bool expected) private pure returns (bool) {
        return shown.bits(0) != (expected ? 1 : 0);
    }

    /// @dev Whether the result and the operands up to `last` are bools.
    function _areBool(Case calldata shown, uint256 last) private pure returns (bool) {
        for (uint256 slot = 0; slot <= last; ++slot) {
            if (shown.dtypeOf(slot) != BOOL) return false;
        }
        return true;
    }

    function _isOrdered(uint32 bits) private pure returns (bool) {
        return Float.isFinite(bits) || bits == Float.NEGATIVE_INFINITY;
    }
}
