// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

import {Approx, Approximate} from "../math/Approx.sol";
import {BoundLib} from "../math/Bound.sol";
import {Float} from "../math/Float.sol";
import {Root} from "../math/Root.sol";
import {F32} from "../types/Roots.sol";

/// @notice What a spread is made of.
/// @param low least, `high` greatest `Σ(a − mean)²`
/// @param mean the committed one; zero for a sum about zero
/// @param about whether there is a mean
/// @param count elements of the row
/// @param divisor D
/// @param eps f32 bits
/// @param finish 0 none, 1 root, 2 inverse root
/// @param derived whether it is computed in float64
struct Variance {
    Approx low;
    Approx high;
    Approx mean;
    bool about;
    uint256 count;
    int256 divisor;
    uint32 eps;
    uint256 finish;
    bool derived;
}

/// @title Variances, deviations, norms and their inverses, by any stable algorithm (PROTOCOL.md, section 5, "Rows")
/// @notice `rollup/judge/spread.py` is the twin.
library Spread {
    /// @dev A float with exponent `E` is below 2^(E − 126): as many as there are add up to less than 2^127.
    int256 private constant SAFE_EXPONENT = 252;

    /// @notice Least and greatest honest result before the roundings of eps, root and inverse.
    /// @return known false for an infinite one
    function ends(Variance memory v) internal pure returns (bool known, Approx low, Approx high) {
        (low, high) = v.derived ? _derived(v) : _moved(v);
        Approx divisor = Approximate.make(v.divisor, 0);
        (low, high) = (low / divisor, high / divisor);
        if (!v.derived) {
            // What may be flushed of each square, and of the result.
            Approx flushed = Approximate.make(int256(v.count), -124) / divisor + Approximate.make(1, -125);
            (low, high) = (_less(low, flushed), high + flushed);
        }
        Approx eps = Approximate.ofFloat(v.eps);
        (low, high) = (low + eps, high + eps);
        if (v.finish == 0) return (true, low, high);
        (low, high) = (Root.sqrt(low), Root.sqrt(high));
        if (v.finish == 1) return (true, low, high);
        if (low.isZero()) return (false, low, high);
        return (true, Approximate.ONE / high, Approximate.ONE / low);
    }

    /// @notice Whether some order of f32 arithmetic may overflow: in the sum of the elements, or in that of their squares.
    function mayOverflow(Approx squares, uint256 count, int256 hint) internal pure returns (bool) {
        if (hint + int256(LibBit.fls(count)) + 1 > SAFE_EXPONENT) return true;
        return !Float.isFinite(BoundLib.nearest(F32, squares * Approximate.make(int256(2 * count), 0)));
    }

    /// @dev `(s ± w)²`. Two roundings a term are enough about zero; about a mean its own error counts as well.
    function _moved(Variance memory v) private pure returns (Approx low, Approx high) {
        (low, high) = (Root.sqrt(v.low), Root.sqrt(v.high));
        uint256 roundings = v.about ? 6 * v.count + 16 : v.count + 8;
        // What may be flushed of each deviation and its mean.
        Approx flushed = Approximate.make(1, -100);
        Approx about = v.about ? v.mean.abs() + flushed : flushed;
        Approx moved = (high + Root.sqrt(Approximate.make(int256(v.count), 0)) * about)
            * Approximate.make(int256(roundings), -24);
        (low, high) = (_less(low, moved), high + moved);
        return (low * low, high * high);
    }

    /// @dev In float64, about the committed mean: nothing cancels.
    function _derived(Variance memory v) private pure returns (Approx low, Approx high) {
        Approx moved = v.high * Approximate.make(int256(v.count + 8), -50);
        return (_less(v.low, moved), v.high + moved);
    }

    /// @dev `a − b`, not below zero.
    function _less(Approx a, Approx b) private pure returns (Approx) {
        return a < b ? Approximate.ZERO : a - b;
    }
}
