// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Bound, BoundLib} from "../math/Bound.sol";
import {Exponential} from "../math/Exponential.sol";
import {Float} from "../math/Float.sol";
import {Logarithm} from "../math/Logarithm.sol";

/// @notice Operands of a norm: `(x − mean) · r · weight + bias`.
struct Normed {
    Approx x;
    Approx mean;
    Approx r;
    Approx weight;
    Approx bias;
}

/// @title The last steps of softmax, log-softmax and the norms (PROTOCOL.md, section 5, "Tails")
/// @notice One element from the sums of its row, which are steps of their own. `rollup/judge/tails.py` is the twin.
library Tails {
    /// @dev `n · 2^-24` stays below 1.
    int256 internal constant MAX_TERMS = (1 << 24) - 1;

    /// @notice `e^(x − m) / s`, x finite or −Inf. Unknown unless m is finite and s finite and positive.
    function softmax(uint32 x, uint32 m, uint32 s, int256 n)
        internal
        pure
        returns (bool known, Approx y, Bound memory bound)
    {
        if (!_isSum(m, s)) return (false, y, bound);
        Approx total = Approximate.ofFloat(s);
        Approx rest = Approximate.ONE + Approximate.ONE / total;
        if (x == Float.NEGATIVE_INFINITY) return (true, y, BoundLib.counted(y, y, rest));
        if (!Float.isFinite(x)) return (false, y, bound);
        (Approx value, Approx top) = (Approximate.ofFloat(x), Approximate.ofFloat(m));
        y = Exponential.exp(value - top) / total;
        Approx scale = y * (Approximate.make(8, 0) + value.abs() + top.abs());
        return (true, y, BoundLib.counted(scale, _count(n), rest));
    }

    /// @notice `(x − m) − ln s`. Unknown unless all are finite and s is positive.
    function logSoftmax(uint32 x, uint32 m, uint32 s, int256 n)
        internal
        pure
        returns (bool known, Approx y, Bound memory bound)
    {
        if (!_isSum(m, s) || !Float.isFinite(x)) return (false, y, bound);
        (Approx value, Approx top) = (Approximate.ofFloat(x), Approximate.ofFloat(m));
        Approx log = Logarithm.log(Approximate.ofFloat(s));
        Approx scale = Approximate.make(8, 0) + value.abs() + top.abs() + log.abs();
        return (true, value - top - log, BoundLib.counted(scale, _count(n), Approximate.ONE));
    }

    /// @notice `(x − mean) · r · weight + bias` over a row of n.
    function norm(Normed memory operands, int256 n) internal pure returns (Approx y, Bound memory bound) {
        Approx gain = operands.weight.abs();
        Approx size = operands.x.abs() + operands.mean.abs();
        Approx z = (operands.x - operands.mean) * operands.r;
        y = z * operands.weight;
        bound.scale = (gain * operands.r.abs() * size + y.abs() + operands.bias.abs()).scaled(-24);
        bound.sound = bound.scale.scaled(4) + gain * _lost(operands.r.abs() * operands.mean.abs(), z.abs(), n);
        bound.rest = (_above(size) * _above(gain) * _above(operands.r.abs())).scaled(-124);
        y = y + operands.bias;
    }

    /// @dev What a kernel's own mean and variance may move `z` by: `mean |x| <= |μ| + 1/r`, `mean x² <= μ² + 1/r²`.
    /// @param shift `r · |μ|`
    function _lost(Approx shift, Approx z, int256 n) private pure returns (Approx) {
        Approx moved = _above(shift) + (z * _above(shift * shift)).scaled(-1);
        return moved * Approximate.make(n, 0) / Approximate.make((1 << 24) - n, 0);
    }

    function _above(Approx a) private pure returns (Approx) {
        return Approximate.ONE + a;
    }

    function _isSum(uint32 m, uint32 s) private pure returns (bool) {
        return Float.isFinite(m) && Float.isFinite(s) && Float.order(s) > 0;
    }

    /// @dev `16 + n / 4`.
    function _count(int256 n) private pure returns (Approx) {
        return Approximate.make(64 + n, -2);
    }
}
