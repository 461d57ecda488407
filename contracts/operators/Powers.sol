// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Bound, BoundLib} from "../math/Bound.sol";
import {Float} from "../math/Float.sol";
import {Logarithm} from "../math/Logarithm.sol";
import {F16, F32} from "../types/Roots.sol";

/// @title Powers of two elements (PROTOCOL.md, section 5, "Rounded operators")
/// @notice `rollup/judge/powers.py` is the twin.
library Powers {
    /// @notice `a^b` of finite floats, and its bound. Unknown for a base of zero, and for a negative one where b is no integer.
    /// @dev Torch makes many powers of 16-bit floats as products and roots that it rounds to 16 bits on the way.
    function enclose(uint8 dtype, uint32 a, uint32 b) internal pure returns (bool known, Approx y, Bound memory bound) {
        (bool integral, bool odd) = _parity(b);
        if (a << 1 == 0 || (Float.isNegative(a) && !integral)) return (false, y, bound);
        y = _size(a & 0x7fffffff, b);
        bound = BoundLib.counted(y * _steepness(b), Approximate.make(16, 0), Approximate.ONE);
        // A subnormal base may be taken for zero.
        if (Float.isSubnormal(a)) bound.rest = bound.rest + y;
        if (dtype != F32) {
            bound.rest = bound.rest + y.scaled(dtype == F16 ? int256(-9) : int256(-6));
        }
        return (true, Float.isNegative(a) && odd ? -y : y, bound);
    }

    function _size(uint32 a, uint32 b) private pure returns (Approx) {
        return b << 1 == 0 ? Approximate.ONE : Logarithm.power(Approximate.ofFloat(a), Approximate.ofFloat(b));
    }

    /// @dev `1 + |b| / 2`.
    function _steepness(uint32 b) private pure returns (Approx) {
        return Approximate.ONE + Approximate.ofFloat(b & 0x7fffffff).scaled(-1);
    }

    /// @notice Whether a power is so great that one made as a reciprocal may overflow on its way: its divisor is subnormal.
    function mayOverflow(uint8 dtype, Approx y) internal pure returns (bool) {
        return !(y.abs() < Approximate.make(1, dtype == F16 ? int256(14) : int256(126)));
    }

    /// @dev Whether a finite float is an integer, and an odd one.
    function _parity(uint32 bits) private pure returns (bool integral, bool odd) {
        (uint256 mantissa, uint256 scale) = Float.split(bits);
        if (mantissa == 0 || scale > 150) return (true, false);
        uint256 below = 150 - scale;
        if (below >= 32 || mantissa & ((1 << below) - 1) != 0) return (false, false);
        return (true, (mantissa >> below) & 1 == 1);
    }
}
