// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Verdict} from "./interfaces/IStepJudge.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import {OP_AMAX, OP_SPREAD, OP_SUM} from "./libraries/ConstantsLib.sol";
import {Approx, Approximate} from "./math/Approx.sol";
import {Bound, BoundLib} from "./math/Bound.sol";
import {Float} from "./math/Float.sol";
import {Row, RowFloats} from "./math/RowFloats.sol";
import {Deviations} from "./operators/Deviations.sol";
import {ExpSum} from "./operators/ExpSum.sol";
import {Order} from "./operators/Order.sol";
import {RowSum, Total} from "./operators/RowSum.sol";
import {Spread, Variance} from "./operators/Spread.sol";
import {F32} from "./types/Roots.sol";

/// @title Operators that reduce a row: amax, sum, spread, expsum
/// @notice PROTOCOL.md, section 5, "Rows". Codes of other families are not for it, and acquit.
/// @dev Precision 0 is f32 arithmetic in any order, 1 is derived: float64, rounded once. `rollup/judge/rows.py` is the twin.
contract RowJudge is IOperatorJudge {
    using CaseLib for Case;

    /// @dev Bits of the unit roundoff: of f32, and of float64 with room for its functions.
    uint256 private constant F32_BITS = 24;
    uint256 private constant DERIVED_BITS = 50;
    int256 private constant DERIVED = 1;

    /// @inheritdoc IOperatorJudge
    function judge(Case calldata shown) external pure returns (Verdict) {
        if (!shown.allFloating()) return Verdict.NoFault;
        Row memory row = RowFloats.load(shown.operands[0], shown.dtypeOf(1));
        uint8 code = shown.operator();
        if (code == OP_AMAX) return _judgeAmax(shown, row);
        if (code == OP_SUM) return _judgeSum(shown, row);
        return code == OP_SPREAD ? _judgeSpread(shown, row) : _judgeExpSum(shown, row);
    }

    function _judgeAmax(Case calldata shown, Row memory row) private pure returns (Verdict) {
        if (shown.dtypeOf(0) != shown.dtypeOf(1)) return Verdict.NoFault;
        return Order.isAmaxFault(row, shown.float(0)) ? Verdict.BeyondSound : Verdict.NoFault;
    }

    function _judgeSum(Case calldata shown, Row memory row) private pure returns (Verdict) {
        (int256 divisor, int256 precision) = (shown.extra(2, 0), shown.extra(2, 1));
        if (divisor < 1 || !_isPrecision(precision)) return Verdict.NoFault;
        (bool known, Total memory total) = RowSum.sumOf(row, shown.hint);
        if (!known) return Verdict.NoFault;
        bool derived = precision == DERIVED;
        // Some order of summation may overflow.
        if (!derived && !Float.isFinite(shown.float(0)) && !_isFinite(total.mass.scaled(1))) return Verdict.NoFault;
        Approx centre = total.value / Approximate.make(divisor, 0);
        Bound memory bound = _boundOf(total, int256(row.count), divisor, derived);
        bound.rest = bound.rest + _roundedTwice(shown, centre);
        return BoundLib.judge(shown.dtypeOf(0), shown.float(0), centre, bound, derived ? 0 : shown.factor);
    }

    function _boundOf(Total memory total, int256 count, int256 divisor, bool derived)
        private
        pure
        returns (Bound memory bound)
    {
        int256 whole = int256(1 << (derived ? DERIVED_BITS : F32_BITS)) - count - 2;
        Approx by = Approximate.make(divisor, 0);
        bound.scale = total.mass / Approximate.make(whole * divisor, 0);
        bound.sound = bound.scale * Approximate.make(count + 2, 0);
        Approx flushed = derived ? _tiny() : Approximate.make(count, -124) / by + Approximate.make(1, -125);
        bound.rest = total.cut / by + flushed;
    }

    function _judgeSpread(Case calldata shown, Row memory row) private pure returns (Verdict) {
        (bool known, Variance memory v) = _varianceOf(shown, row);
        if (!known) return Verdict.NoFault;
        Approx low;
        Approx high;
        (known, low, high) = Spread.ends(v);
        if (!known) return Verdict.NoFault;
        // Roundings of eps, root and inverse.
        Approx own = high * (v.derived ? Approximate.make(1, -48) : Approximate.make(8, -24));
        Approx sound = (high - low).scaled(-1) + own + _roundedTwice(shown, high);
        return _judgeBetween(shown, (low + high).scaled(-1), sound);
    }

    function _varianceOf(Case calldata shown, Row memory row) private pure returns (bool known, Variance memory v) {
        (int256 eps, int256 finish, int256 precision) = (shown.extra(4, 1), shown.extra(4, 2), shown.extra(4, 3));
        v.divisor = shown.extra(4, 0);
        if (v.divisor < 1 || eps < 0 || eps >= int256(uint256(Float.INFINITY))) return (false, v);
        if (finish < 0 || finish > 2 || !_isPrecision(precision)) return (false, v);
        (v.eps, v.finish, v.derived) = (uint32(uint256(eps)), uint256(finish), precision == DERIVED);
        (v.count, v.about) = (row.count, shown.operands.length == 2);
        uint32 mean = v.about ? shown.float(2) : 0;
        (known, v.low, v.high) = Deviations.squaresOf(row, mean, shown.hint);
        if (!known || (!v.derived && Spread.mayOverflow(v.high, v.count, shown.hint))) return (false, v);
        v.mean = Approximate.ofFloat(mean);
    }

    function _judgeExpSum(Case calldata shown, Row memory row) private pure returns (Verdict) {
        if (shown.extra(1, 0) != DERIVED) return Verdict.NoFault;
        (bool known, Approx total) = ExpSum.sumOf(row, shown.float(2));
        if (!known) return Verdict.NoFault;
        // Roundings of each exponential and its argument, and what is cut of each.
        Approx sound = total * Approximate.make(int256(row.count) + 64, -int256(DERIVED_BITS))
            + Approximate.make(int256(row.count), -213);
        return _judgeBetween(shown, total, sound + _roundedTwice(shown, total));
    }

    /// @dev Without a calibrated bound.
    function _judgeBetween(Case calldata shown, Approx centre, Approx sound) private pure returns (Verdict) {
        Bound memory bound = Bound(Approximate.ZERO, sound, _tiny());
        return BoundLib.judge(shown.dtypeOf(0), shown.float(0), centre, bound, 0);
    }

    function _isPrecision(int256 precision) private pure returns (bool) {
        return precision == 0 || precision == DERIVED;
    }

    function _isFinite(Approx value) private pure returns (bool) {
        return Float.isFinite(BoundLib.nearest(F32, value));
    }

    function _tiny() private pure returns (Approx) {
        return Approximate.make(1, -126);
    }

    /// @dev A result of 16 bits may be rounded to f32 first.
    function _roundedTwice(Case calldata shown, Approx value) private pure returns (Approx) {
        return shown.dtypeOf(0) == F32 ? Approximate.ZERO : value.abs().scaled(-24);
    }
}
