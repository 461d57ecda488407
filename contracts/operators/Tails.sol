// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Bound, BoundLib} from "../math/Bound.sol";
import {Exponential} from "../math/Exponential.sol";
import {Float} from "../math/Float.sol";
import {Logarithm} from "../math/Logarithm.sol";
import {F16, F32} from "../types/Roots.sol";

/// @notice Operands of a softmax of either kind, and the length of its row.
/// @param dtype of the result
struct Exponent {
    uint8 dtype;
    uint32 x;
    uint32 m;
    uint32 s;
    int256 n;
}

/// @notice Operands of a norm: `(x − mean) · r · weight + bias`.
struct Normed {
    Approx x;
    Approx mean;
    Approx r;
    Approx weight;
    Approx bias;
}

/// @title The last steps of softmax, log-softmax and the norms (PROTOCOL.md, section 5, "Rounded operators")
/// @notice One element from the sums of its row, which are steps of their own. `rollup/judge/tails.py` is the twin.
library Tails {
    /// @dev Terms times 2^-24 stay below 1.
    int256 internal constant MAX_TERMS = (1 << 24) - 9;

    /// @notice `e^(x − m) / s`, x finite or −Inf. Unknown unless m is finite and s finite and positive.
    /// @dev Torch keeps the exponentials of 16-bit rows in 16 bits where a row is not contiguous.
    function softmax(Exponent memory row) internal pure returns (bool known, Approx y, Bound memory bound) {
        if (!_isSum(row)) return (false, y, bound);
        Approx inverse = Approximate.ONE / Approximate.ofFloat(row.s);
        if (row.x == Float.NEGATIVE_INFINITY) return (true, y, BoundLib.counted(y, y, Approximate.ONE + inverse));
        if (!Float.isFinite(row.x)) return (false, y, bound);
        (Approx x, Approx m) = (Approximate.ofFloat(row.x), Approximate.ofFloat(row.m));
        y = Exponential.exp(x - m) / Approximate.ofFloat(row.s);
        bound = BoundLib.counted(y * _size(x, m), _count(row.n), Approximate.ONE + inverse);
        if (row.dtype == F32) return (true, y, bound);
        Approx least = inverse.scaled(row.dtype == F16 ? int256(-24) : int256(-133));
        bound.rest = bound.rest + y.scaled(_place(row.dtype)) + least;
        return (true, y, bound);
    }

    /// @notice `(x − m) − ln s`. Unknown unless all are finite and s is positive.
    /// @dev Torch rounds sum and logarithm of 16-bit rows to 16 bits.
    function logSoftmax(Exponent memory row) internal pure returns (bool known, Approx y, Bound memory bound) {
        if (!_isSum(row) || !Float.isFinite(row.x)) return (false, y, bound);
        (Approx x, Approx m) = (Approximate.ofFloat(row.x), Approximate.ofFloat(row.m));
        Approx log = Logarithm.log(Approximate.ofFloat(row.s));
        bound = BoundLib.counted(_size(x, m) + log.abs(), _count(row.n), Approximate.ONE);
        if (row.dtype != F32) bound.rest = bound.rest + _above(log.abs()).scaled(_place(row.dtype));
        return (true, x - m - log, bound);
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

    /// @dev What a kernel's own mean and variance may move `z` by: `mean |x| <= |μ| + 1/r`, `mean x² <= μ² + 1/r²`. A variance
    /// whose relative error may reach 1/8 says nothing: no bound.
    /// @param shift `r · |μ|`
    function _lost(Approx shift, Approx z, int256 n) private pure returns (Approx) {
        int256 terms = n > 1 ? n + 8 : n;
        Approx share = Approximate.make(terms, 0) / Approximate.make((1 << 24) - terms, 0);
        Approx spread = share * _above(shift * shift);
        if (!(spread < Approximate.make(1, -3))) return Approximate.make(1, 200);
        return share * _above(shift) + (z * spread).scaled(-1);
    }

    /// @dev Exponent of twice a 16-bit dtype's unit roundoff.
    function _place(uint8 dtype) private pure returns (int256) {
        return dtype == F16 ? int256(-10) : int256(-7);
    }

    function _above(Approx a) private pure returns (Approx) {
        return Approximate.ONE + a;
    }

    function _isSum(Exponent memory row) private pure returns (bool) {
        return Float.isFinite(row.m) && Float.isFinite(row.s) && Float.order(row.s) > 0;
    }

    /// @dev `8 + |x| + |m|`.
    function _size(Approx x, Approx m) private pure returns (Approx) {
        return Approximate.make(8, 0) + x.abs() + m.abs();
    }

    /// @dev `16 + n / 4`.
    function _count(int256 n) private pure returns (Approx) {
        return Approximate.make(64 + n, -2);
    }
}
