// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "../libraries/ConstantsLib.sol";
import {Approx, Approximate} from "../math/Approx.sol";
import {Bound, BoundLib} from "../math/Bound.sol";
import {Circular} from "../math/Circular.sol";
import {ErrorFunction} from "../math/ErrorFunction.sol";
import {Exponential} from "../math/Exponential.sol";
import {Float} from "../math/Float.sol";
import {Logarithm} from "../math/Logarithm.sol";
import {Root} from "../math/Root.sol";
import {F16, F32} from "../types/Roots.sol";

/// @title Rounded functions of one element: exp to log1p (PROTOCOL.md, section 5, "Rounded operators")
/// @notice Values and bounds, `rollup/judge/unary.py` being the twin. It knows no dtype and no committed result.
library Functions {
    /// @dev 1/√2 in units of 2^-127, √(8/π) in units of 2^-126.
    int256 private constant INVERSE_ROOT_2 = 0x5a827999fcef32422cbec4d9baa55f50;
    int256 private constant ROOT_8_OVER_PI = 0x662114cf50d942343f2cf1402eae38c0;

    /// @notice The exact result on a finite float, and its bound; `known` is false outside the function's domain.
    /// @dev Torch rounds the root to 16 bits on the way to its reciprocal.
    function enclose(uint8 code, uint8 dtype, uint32 bits)
        internal
        pure
        returns (bool known, Approx y, Bound memory bound)
    {
        Approx x = Approximate.ofFloat(bits);
        if (!_isInDomain(code, x)) return (false, y, bound);
        y = _exact(code, x);
        bound = BoundLib.counted(_scale(code, x, y), _count(code), _rest(code, x));
        // A subnormal operand may be taken for zero, whose root is far from its own.
        if (code == OP_SQRT && Float.isSubnormal(bits)) bound.rest = bound.rest + y;
        if (code == OP_RSQRT && dtype != F32) {
            bound.rest = bound.rest + y.scaled(dtype == F16 ? int256(-10) : int256(-7));
        }
        return (true, y, bound);
    }

    /// @dev sin and cos are reduced as far as 2^16.
    function _isInDomain(uint8 code, Approx x) private pure returns (bool) {
        if (code == OP_LOG || code == OP_RSQRT) return x.mantissa() > 0;
        if (code == OP_SQRT) return !x.isNegative();
        if (code == OP_LOG1P) return -Approximate.ONE < x;
        if (code == OP_SIN || code == OP_COS) return !(Approximate.make(1, 16) < x.abs());
        return true;
    }

    function _exact(uint8 code, Approx x) private pure returns (Approx) {
        if (code == OP_EXP) return Exponential.exp(x);
        if (code == OP_LOG) return Logarithm.log(x);
        if (code == OP_TANH) return Exponential.tanh(x);
        if (code == OP_SIGMOID) return Exponential.sigmoid(x);
        if (code == OP_SQRT) return Root.sqrt(x);
        if (code == OP_RSQRT) return Approximate.ONE / Root.sqrt(x);
        if (code == OP_ERF) return ErrorFunction.erf(x);
        if (code == OP_GELU) return _gelu(x);
        if (code == OP_GELU_TANH) return _geluTanh(x);
        if (code == OP_SILU) return x * Exponential.sigmoid(x);
        if (code == OP_SIN) return Circular.sin(x);
        if (code == OP_COS) return Circular.cos(x);
        return code == OP_EXPM1 ? Exponential.expm1(x) : Logarithm.log1p(x);
    }

    /// @dev `x/2 · (1 + erf(x / √2))`.
    function _gelu(Approx x) private pure returns (Approx) {
        Approx erf = ErrorFunction.erf(x * Approximate.pack(INVERSE_ROOT_2, -127));
        return (x * (Approximate.ONE + erf)).scaled(-1);
    }

    /// @dev `x/2 · (1 + tanh z) = x · sigmoid(2 z)`, `z = √(2/π) · (x + 0.044715 x³)`.
    function _geluTanh(Approx x) private pure returns (Approx) {
        Approx cubic = x * x * Approximate.make(44_715, 0) / Approximate.make(1_000_000, 0);
        return x * Exponential.sigmoid(Approximate.pack(ROOT_8_OVER_PI, -126) * x * (Approximate.ONE + cubic));
    }

    /// @dev `S` in units of 2^-24.
    function _scale(uint8 code, Approx x, Approx y) private pure returns (Approx) {
        if (code == OP_EXP) return y * (Approximate.ONE + x.abs().scaled(-2));
        if (code == OP_SIGMOID || code == OP_SILU) return y.abs() * (Approximate.ONE + (x.abs() - x).scaled(-3));
        if (code == OP_LOG || code == OP_ERF) return y.abs() + Approximate.ONE;
        if (code == OP_EXPM1) return (Approximate.ONE + y) * (Approximate.ONE + x.abs().scaled(-2)) + y.abs();
        if (code == OP_GELU || code == OP_GELU_TANH) return x.abs();
        if (code == OP_SIN || code == OP_COS) return Approximate.ONE;
        return y.abs();
    }

    function _count(uint8 code) private pure returns (Approx) {
        if (code == OP_SIGMOID || code == OP_SILU) return Approximate.make(12, 0);
        if (code == OP_ERF) return Approximate.make(16, 0);
        if (code == OP_GELU || code == OP_GELU_TANH) return Approximate.make(46, 0);
        return Approximate.make(1, code == OP_SQRT ? int256(2) : int256(3));
    }

    /// @dev What flushing may add, in units of 2^-126: sigmoid's result times x, for silu.
    function _rest(uint8 code, Approx x) private pure returns (Approx) {
        return code == OP_SILU ? x.abs() + Approximate.ONE : Approximate.ONE;
    }
}
