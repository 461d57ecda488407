"""Sums, differences, products, quotients, the greater and the lesser of two elements (PROTOCOL.md, 5).

IEEE 754 rounds all but quotients correctly, so their bound is exact. What honest hardware may still do is flush a
subnormal operand or result to zero, and round a result of 16 bits by way of f32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.approx import ZERO, Approx, Bound, Enclosure
from rollup.judge.dtypes import FLOATING, INTEGERS, NUMBERS, Dtypes
from rollup.judge.finding import ACQUITTED, Finding, between
from rollup.judge.integers import find_integer
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import nary
from rollup.judge.real import Real
from rollup.tensor import DType

MINUS_INFINITY = floats.INFINITY | 1 << 31
_SIGN = 1 << 31
_DIVISION_COUNT = 4
_LEAST_NORMAL_EXPONENT = -126


def find_case(case: Case) -> Finding:
    """Judges one element of an operator on pairs: of floats, or of integers of one dtype."""
    op = case.step.op
    if case.dtype in INTEGERS:
        return find_integer(op, case.value, [case.operand(1), case.operand(2)], case.dtype)
    value, a, b = case.value_f32, case.operand_f32(1), case.operand_f32(2)
    if op is Op.DIV:
        return find_quotient(value, a, b, case.dtype, case.factor)
    find = find_extreme if op in (Op.MAXIMUM, Op.MINIMUM) else find_pair
    return find(op, value, a, b, case.dtype)


def find_pair(op: Op, value: int, a: int, b: int, dtype: DType = DType.F32) -> Finding:
    """Judges one element of an add, a sub or a mul; all are f32 bits, the value one of `dtype`."""
    if op is Op.SUB:
        op, b = Op.ADD, b ^ _SIGN
    if op is Op.ADD and _sums_to_minus_infinity(a, b):
        return between(value, MINUS_INFINITY, MINUS_INFINITY, dtype)
    if not (floats.is_finite(a) and floats.is_finite(b)):
        return ACQUITTED
    results = [
        rounded
        for x in readings(a)
        for y in readings(b)
        for rounded in roundings(x + y if op is Op.ADD else x * y, dtype)
    ]
    # A product just below the least normal rounds up to it, but is flushed where tininess is seen before rounding.
    least_normal = floats.FORMATS[dtype].least_normal
    if any(floats.magnitude(end) == least_normal for end in hull(results)):
        results.append(0)
    return between(value, *hull(results), dtype)


def find_extreme(op: Op, value: int, a: int, b: int, dtype: DType = DType.F32) -> Finding:
    """Judges one element of a maximum or minimum; −Inf is a value. All are f32 bits, the value one of `dtype`."""
    if not all(floats.is_finite(operand) or operand == MINUS_INFINITY for operand in (a, b)):
        return ACQUITTED
    choose: Callable[[Iterable[int]], int] = max if op is Op.MAXIMUM else min
    places = {floats.ordinal(operand): operand for operand in (a, b)}
    kept = floats.narrow(places[choose(places)], dtype)
    return between(value, kept, kept, dtype)


def find_quotient(value: int, a: int, b: int, dtype: DType = DType.F32, factor: int = 0) -> Finding:
    """Judges one element of a division; all are f32 bits, the value one of `dtype`.

    A divisor that is zero, or may be flushed to it, acquits.
    """
    if not (floats.is_finite(a) and floats.is_finite(b)) or floats.magnitude(b) < floats.LEAST_NORMAL:
        return ACQUITTED
    if floats.is_subnormal(a) and floats.magnitude(value) == 0:
        return ACQUITTED
    quotient = Approx.of_float(a) / Approx.of_float(b) if floats.magnitude(a) else ZERO
    scale = abs(quotient).scaled(-24)
    bound = Bound(scale, scale * _DIVISION_COUNT, Approx.make(1, _LEAST_NORMAL_EXPONENT))
    return Enclosure(quotient, bound).find(dtype, value, factor)


def readings(bits: int) -> tuple[Real, ...]:
    """What hardware may take a finite f32 for."""
    return (Real.of_f32(bits), Real(0, 0)) if floats.is_subnormal(bits) else (Real.of_f32(bits),)


def roundings(exact: Real, dtype: DType) -> tuple[int, ...]:
    """What hardware may round a result to: at once, or by way of f32. f32 bits."""
    return floats.round_to(dtype, exact.significand, exact.exponent), floats.narrow(exact.f32, dtype)


def hull(results: Sequence[int]) -> tuple[int, int]:
    """The least and the greatest of some f32 bits by value."""
    return min(results, key=floats.ordinal), max(results, key=floats.ordinal)


def _sums_to_minus_infinity(a: int, b: int) -> bool:
    """A mask: −Inf and what is finite, or −Inf again."""
    return MINUS_INFINITY in (a, b) and all(floats.is_finite(x) or x == MINUS_INFINITY for x in (a, b))


def _operator(op: Op, formula: str, bound: str, source: str, dtypes: Dtypes = NUMBERS) -> Operator:
    return Operator(op, Family.POINTWISE, nary(2), dtypes, "a, b", formula, bound, source, find_case)


_CORRECT = "IEEE 754-2019, 5.4.1: correctly rounded, over operands kept or flushed"
_EXACT = "exact, but for flushed subnormals"
_DIVISION = (
    "CUDA C++ Programming Guide, appendix on floating point: `div.full` errs by 2 ulp; IEEE division lies inside"
)
OPERATORS = (
    _operator(Op.ADD, "`a + b`; integers without wrapping", "`t = 0`; −Inf plus what is finite is −Inf", _CORRECT),
    _operator(Op.SUB, "`a − b`; integers without wrapping", "as add", _CORRECT),
    _operator(Op.MUL, "`a · b`; integers without wrapping", "`t = 0`", _CORRECT),
    _operator(Op.DIV, "`a / b`", "`t = 4·u·|y*| + 2⁻¹²⁶`; a subnormal or zero `b` acquits", _DIVISION, FLOATING),
    _operator(Op.MAXIMUM, "the greater of a and b", "`t = 0`; −Inf is a value", _EXACT),
    _operator(Op.MINIMUM, "the lesser of a and b", "`t = 0`; −Inf is a value", _EXACT),
)
