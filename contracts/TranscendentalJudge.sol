// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Verdict} from "./interfaces/IStepJudge.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import {OP_NORM, OP_POW, OP_SOFTMAX, OP_LOG_SOFTMAX} from "./libraries/ConstantsLib.sol";
import {StepCodec} from "./libraries/StepCodec.sol";
import {Approx, Approximate} from "./math/Approx.sol";
import {Bound, BoundLib} from "./math/Bound.sol";
import {Float} from "./math/Float.sol";
import {Exponent, Normed, Tails} from "./operators/Tails.sol";
import {Powers} from "./operators/Powers.sol";
import {Functions} from "./operators/Functions.sol";

/// @title Operators on single elements that hardware rounds as well as it can: functions, powers, the tails of rows
/// @notice PROTOCOL.md, section 5, "Rounded operators". Codes of other families are not for it.
contract TranscendentalJudge is IOperatorJudge {
    using CaseLib for Case;

    /// @inheritdoc IOperatorJudge
    function judge(Case calldata shown) external pure returns (Verdict) {
        if (!shown.allFloating()) return Verdict.NoFault;
        (bool known, Approx y, Bound memory bound) = _enclosed(shown);
        if (!known || _mayBeInfinite(shown, y)) return Verdict.NoFault;
        return BoundLib.judge(shown.dtypeOf(0), shown.float(0), y, bound, shown.factor);
    }

    function _enclosed(Case calldata shown) private pure returns (bool known, Approx y, Bound memory bound) {
        uint8 code = shown.operator();
        if (code == OP_NORM) return _normed(shown);
        if (code == OP_SOFTMAX || code == OP_LOG_SOFTMAX) {
            int256 n = shown.extra(1, 0);
            if (!_isRow(n)) return (false, y, bound);
            Exponent memory row = Exponent(shown.dtypeOf(0), shown.float(1), shown.float(2), shown.float(3), n);
            return code == OP_SOFTMAX ? Tails.softmax(row) : Tails.logSoftmax(row);
        }
        if (!_allFinite(shown)) return (false, y, bound);
        if (code == OP_POW) return Powers.enclose(shown.dtypeOf(0), shown.float(1), shown.float(2));
        return Functions.enclose(code, shown.dtypeOf(0), shown.float(1));
    }

    /// @dev Operands of a norm: x, the mean if bit 0 of the mask is set, r, the weight if bit 1, the bias if bit 2.
    function _normed(Case calldata shown) private pure returns (bool known, Approx y, Bound memory bound) {
        int256 mask = shown.extra(2, 0);
        int256 n = shown.extra(2, 1);
        if (!_isRow(n) || mask < 0 || mask > 7 || !_allFinite(shown)) return (false, y, bound);
        uint256 slot = 1;
        Normed memory operands = Normed(_value(shown, slot++), y, y, Approximate.ONE, y);
        uint256 expected = 2 + (uint256(mask) & 1) + ((uint256(mask) >> 1) & 1) + (uint256(mask) >> 2);
        if (StepCodec.operands(shown.record) != expected) return (false, y, bound);
        if (mask & 1 != 0) operands.mean = _value(shown, slot++);
        operands.r = _value(shown, slot++);
        if (mask & 2 != 0) operands.weight = _value(shown, slot++);
        if (mask & 4 != 0) operands.bias = _value(shown, slot);
        (y, bound) = Tails.norm(operands, n);
        return (true, y, bound);
    }

    /// @dev Hardware may take a subnormal operand for zero, and a power may overflow on its way: then a result that is not
    /// finite is no fault.
    function _mayBeInfinite(Case calldata shown, Approx y) private pure returns (bool) {
        if (Float.isFinite(shown.float(0))) return false;
        if (shown.operator() == OP_POW && Powers.mayOverflow(shown.dtypeOf(0), y)) return true;
        for (uint256 slot = 1; slot <= shown.operands.length; ++slot) {
            if (Float.isSubnormal(shown.float(slot))) return true;
        }
        return false;
    }

    function _allFinite(Case calldata shown) private pure returns (bool) {
        for (uint256 slot = 1; slot <= shown.operands.length; ++slot) {
            if (!Float.isFinite(shown.float(slot))) return false;
        }
        return true;
    }

    function _isRow(int256 n) private pure returns (bool) {
        return n >= 1 && n <= Tails.MAX_TERMS;
    }

    function _value(Case calldata shown, uint256 slot) private pure returns (Approx) {
        return Approximate.ofFloat(shown.float(slot));
    }
}
