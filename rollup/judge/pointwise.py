"""Add, mul and relu: IEEE 754 rounds them correctly, so the bound is exact (PROTOCOL.md, 5).

What honest hardware may still do is flush a subnormal operand or result to zero.
"""

from __future__ import annotations

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, Finding, between
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import nary, unary
from rollup.judge.real import Real
from rollup.tensor import DType

_ZERO = Real(0, 0)


def find_pair(op: Op, value: int, a: int, b: int) -> Finding:
    """Judges one element (f32 bits, all) of an add or a mul."""
    if not (floats.is_finite(a) and floats.is_finite(b)):
        return ACQUITTED
    results = [(x + y if op is Op.ADD else x * y).f32 for x in _readings(a) for y in _readings(b)]
    low, high = min(results, key=floats.ordinal), max(results, key=floats.ordinal)
    # A product just below the least normal rounds up to it, but is flushed where tininess is seen before rounding.
    if floats.LEAST_NORMAL in (floats.magnitude(low), floats.magnitude(high)):
        low, high = _with_zero(low, high)
    return between(value, *_with_flush(low, high))


def find_relu(value: int, a: int) -> Finding:
    """Judges one element (f32 bits, both) of a relu."""
    if not floats.is_finite(a):
        return ACQUITTED
    greater = 0 if floats.is_negative(a) else a
    return between(value, *_with_flush(greater, greater))


def _readings(bits: int) -> tuple[Real, ...]:
    """What hardware may take an operand for."""
    return (Real.of_f32(bits), _ZERO) if floats.is_subnormal(bits) else (Real.of_f32(bits),)


def _with_flush(low: int, high: int) -> tuple[int, int]:
    """The interval `low .. high` (f32 bits), containing 0 if either end may be flushed."""
    if min(floats.magnitude(low), floats.magnitude(high)) >= floats.LEAST_NORMAL:
        return low, high
    return _with_zero(low, high)


def _with_zero(low: int, high: int) -> tuple[int, int]:
    return min(low, 0, key=floats.ordinal), max(high, 0, key=floats.ordinal)


def _find_pair(case: Case) -> Finding:
    case.require(frozenset({DType.F32}), frozenset({DType.F32}))
    return find_pair(case.step.op, case.value, case.operand(1), case.operand(2))


def _find_relu(case: Case) -> Finding:
    case.require(frozenset({DType.F32}), frozenset({DType.F32}))
    return find_relu(case.value, case.operand(1))


_SOURCE = "IEEE 754: correctly rounded, over operands kept or flushed"
OPERATORS = (
    Operator(Op.ADD, Family.POINTWISE, nary(2), "a, b", "`a + b`", "`t = 0`", _SOURCE, _find_pair),
    Operator(Op.MUL, Family.POINTWISE, nary(2), "a, b", "`a · b`", "`t = 0`", _SOURCE, _find_pair),
    Operator(Op.RELU, Family.POINTWISE, unary(), "a", "`max(a, 0)`", "`t = 0`", _SOURCE, _find_relu),
)
