// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Verdict} from "./interfaces/IStepJudge.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import "./libraries/ConstantsLib.sol";
import {Float} from "./math/Float.sol";
import {Cast} from "./operators/Cast.sol";
import {Choice} from "./operators/Choice.sol";
import {Integers} from "./operators/Integers.sol";
import {Pointwise} from "./operators/Pointwise.sol";
import {Quotient} from "./operators/Quotient.sol";
import {Unary} from "./operators/Unary.sol";

/// @title Operators on single elements that hardware computes exactly or rounds correctly, and division
/// @notice PROTOCOL.md, section 5, "Add, sub, mul" to "Cast". Whoever calls it with a code of another family learns nothing.
contract PointwiseJudge is IOperatorJudge {
    using CaseLib for Case;

    /// @inheritdoc IOperatorJudge
    function judge(Case calldata shown) external pure returns (Verdict) {
        uint8 code = shown.operator();
        if (code == OP_DIV) {
            if (!shown.allFloating()) return Verdict.NoFault;
            return Quotient.judge(shown.dtypeOf(0), shown.float(1), shown.float(2), shown.float(0), shown.factor);
        }
        return _isExactFault(shown, code) ? Verdict.BeyondSound : Verdict.NoFault;
    }

    function _isExactFault(Case calldata shown, uint8 code) private pure returns (bool) {
        if (code == OP_CAST) return Cast.isFault(shown);
        if (code == OP_COMPARE || code == OP_LOGICAL || code == OP_WHERE || code == OP_NOT) {
            return Choice.isFault(shown);
        }
        bool paired = code == OP_ADD || code == OP_SUB || code == OP_MUL || code == OP_MAXIMUM || code == OP_MINIMUM;
        if (CaseLib.isInteger(shown.dtypeOf(0))) return _isIntegerFault(shown, code, paired);
        if (!shown.allFloating()) return false;
        return paired ? _isPairFault(shown, code) : _isUnaryFault(shown, code);
    }

    function _isPairFault(Case calldata shown, uint8 code) private pure returns (bool) {
        uint8 dtype = shown.dtypeOf(0);
        (uint32 a, uint32 b, uint32 y) = (shown.float(1), shown.float(2), shown.float(0));
        if (code == OP_ADD) return Pointwise.isAddFault(dtype, a, b, y);
        if (code == OP_SUB) return Pointwise.isSubFault(dtype, a, b, y);
        if (code == OP_MUL) return Pointwise.isMulFault(dtype, a, b, y);
        return Pointwise.isExtremeFault(dtype, a, b, y, code == OP_MAXIMUM);
    }

    function _isUnaryFault(Case calldata shown, uint8 code) private pure returns (bool) {
        Pointwise.Interval memory ends;
        if (code == OP_CLAMP) {
            (int256 lo, int256 hi) = (shown.extra(2, 0), shown.extra(2, 1));
            if (lo < 0 || lo >= 1 << 32 || hi < 0 || hi >= 1 << 32) return false;
            ends = Pointwise.Interval(uint32(uint256(lo)), uint32(uint256(hi)));
            if (Float.isNaN(ends.lo) || Float.isNaN(ends.hi)) return false;
        }
        return Unary.isFault(code, shown.dtypeOf(0), shown.float(1), shown.float(0), ends);
    }

    /// @dev i64 or i32, all of one dtype. Rounding to whole numbers and relu are of floats only.
    function _isIntegerFault(Case calldata shown, uint8 code, bool paired) private pure returns (bool) {
        uint8 dtype = shown.dtypeOf(0);
        bool single = code == OP_NEG || code == OP_ABS || code == OP_CLAMP || code == OP_SIGN;
        if ((!paired && !single) || shown.dtypeOf(1) != dtype || (paired && shown.dtypeOf(2) != dtype)) return false;
        return Integers.isFault(dtype, shown.bits(0), _exactInteger(shown, code, paired));
    }

    function _exactInteger(Case calldata shown, uint8 code, bool paired) private pure returns (int256) {
        int256 a = _integer(shown, 1);
        if (paired) return Integers.exactOf(code, a, _integer(shown, 2), 0);
        if (code != OP_CLAMP) return Integers.exactOf(code, a, 0, 0);
        return Integers.exactOf(code, a, shown.extra(2, 0), shown.extra(2, 1));
    }

    function _integer(Case calldata shown, uint256 slot) private pure returns (int256) {
        return Integers.numberOf(shown.dtypeOf(slot), shown.bits(slot));
    }
}
