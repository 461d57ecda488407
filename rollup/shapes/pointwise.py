"""Shapes of what is computed element by element."""

from __future__ import annotations

from collections.abc import Mapping

from rollup.call import Call, Function, f32_value
from rollup.shapes.made import (
    FLOATS,
    NUMBERS,
    Made,
    Rule,
    Specs,
    along,
    broadcast,
    dtype_of,
    require,
    require_dtypes,
    require_element,
    require_flag,
)
from rollup.tensor import DType, TensorSpec

ANY = frozenset(DType)
_BOOL = frozenset({DType.BOOL})


def _together(specs: Specs, dtype: DType) -> Made:
    """Operands read together, broadcast."""
    shape = broadcast([spec.shape for spec in specs])
    return Made(TensorSpec(dtype, shape), tuple(along(spec, result_rank=len(shape)) for spec in specs))


def _elementwise(allowed: frozenset[DType], result: DType | None = None) -> Rule:
    """All operands of one dtype, which is the result's unless that has its own."""

    def rule(_: Call, specs: Specs) -> Made:
        require_dtypes(specs, allowed)
        return _together(specs, result or specs[0].dtype)

    return rule


def _where(_: Call, specs: Specs) -> Made:
    condition, *values = specs
    require(condition.dtype is DType.BOOL, f"takes a bool condition, got {condition.dtype.name.lower()}")
    require_dtypes(values, ANY)
    return _together(specs, values[0].dtype)


def _clamp(call: Call, specs: Specs) -> Made:
    (x,) = specs
    require_dtypes(specs, NUMBERS)
    low, high = call.number("low"), call.number("high")
    for end in (low, high):
        require_element(end, x.dtype)
    ends = (f32_value(low), f32_value(high)) if x.dtype in FLOATS else (low, high)
    require(ends[0] <= ends[1], f"cannot clamp to {ends[0]}..{ends[1]}")
    return _together(specs, x.dtype)


def _gelu(call: Call, specs: Specs) -> Made:
    require_flag(call, "approximate")
    require_dtypes(specs, FLOATS)
    return _together(specs, specs[0].dtype)


def _to(call: Call, specs: Specs) -> Made:
    return _together(specs, dtype_of(call.number("dtype")))


_ON_FLOATS = (
    *(Function.DIV, Function.POW),
    *(Function.RELU, Function.FLOOR, Function.CEIL, Function.ROUND, Function.TRUNC),
    *(Function.EXP, Function.LOG, Function.TANH, Function.SIGMOID, Function.SQRT, Function.RSQRT, Function.ERF),
    *(Function.SILU, Function.SIN, Function.COS, Function.EXPM1, Function.LOG1P),
)
_ON_NUMBERS = (
    *(Function.ADD, Function.SUB, Function.MUL, Function.MAXIMUM, Function.MINIMUM),
    *(Function.NEG, Function.ABS, Function.SIGN),
)
_ON_BOOL = (Function.LOGICAL_AND, Function.LOGICAL_OR, Function.LOGICAL_XOR, Function.LOGICAL_NOT)
_COMPARISONS = (Function.EQ, Function.NE, Function.LT, Function.LE, Function.GT, Function.GE)
RULES: Mapping[Function, Rule] = {
    **dict.fromkeys(_ON_FLOATS, _elementwise(FLOATS)),
    **dict.fromkeys(_ON_NUMBERS, _elementwise(NUMBERS)),
    **dict.fromkeys(_ON_BOOL, _elementwise(_BOOL)),
    **dict.fromkeys(_COMPARISONS, _elementwise(ANY, DType.BOOL)),
    Function.WHERE: _where,
    Function.CLAMP: _clamp,
    Function.GELU: _gelu,
    Function.TO: _to,
}
