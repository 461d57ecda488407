"""Exact functions of one element: relu, neg, abs, clamp, sign, and rounding to whole numbers (PROTOCOL.md, 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import FLOATING, INTEGERS, NUMBERS, Dtypes
from rollup.judge.finding import ACQUITTED, Finding, between
from rollup.judge.integers import find_integer
from rollup.judge.operator import Case, Family, Means, Operator, anything
from rollup.judge.pointwise import hull
from rollup.judge.reads import unary
from rollup.tensor import DType

ONE = 0x3F800000
_SIGN = 1 << 31


def find_case(case: Case) -> Finding:
    """Judges one element of an exact unary operator."""
    op, extras = case.step.op, case.extras
    if case.dtype in INTEGERS:
        return find_integer(op, case.value, [case.operand(1)], case.dtype, extras)
    return find_unary(op, case.value_f32, case.operand_f32(1), case.dtype, extras)


def find_unary(op: Op, value: int, a: int, dtype: DType = DType.F32, extras: Sequence[int] = ()) -> Finding:
    """Judges one floating element: f32 bits, the value of `dtype`. An operand that is not finite acquits."""
    if not floats.is_finite(a):
        return ACQUITTED
    readings = (a, 0) if floats.is_subnormal(a) else (a,)
    results = [floats.narrow(_EXACT[op](reading, *extras), dtype) for reading in readings]
    return between(value, *hull(results), dtype)


def find_relu(value: int, a: int) -> Finding:
    """Judges one element (f32 bits, both) of a relu."""
    return find_unary(Op.RELU, value, a)


def truncated(bits: int) -> tuple[int, int]:
    """Whole part of a finite f32's magnitude, and what is cut off, in units of 2^-149."""
    shift = floats.SCALE_BIAS - floats.scale(bits)
    if shift <= 0:
        return floats.significand(bits) << -shift, 0
    whole = floats.significand(bits) >> shift
    return whole, floats.significand(bits) - (whole << shift) << 149 - shift


def _clamp(bits: int, low: int, high: int) -> int:
    return min(max(bits, low, key=floats.ordinal), high, key=floats.ordinal)


def _whole(away: Callable[[bool, int, int], bool]) -> Callable[[int], int]:
    """Rounding to a whole number: away from zero where `away` of (negative, whole part, rest in 2^-149)."""

    def round_whole(bits: int) -> int:
        whole, rest = truncated(bits)
        whole += away(floats.is_negative(bits), whole, rest)
        return bits & _SIGN | floats.round_to_f32(whole, 0)

    return round_whole


def _to_even(_: bool, whole: int, rest: int) -> bool:
    half = 1 << 148
    return rest > half or (rest == half and whole % 2 == 1)


_EXACT: Mapping[Op, Callable[..., int]] = {
    Op.RELU: lambda bits: 0 if floats.is_negative(bits) else bits,
    Op.NEG: lambda bits: bits ^ _SIGN,
    Op.ABS: floats.magnitude,
    Op.CLAMP: _clamp,
    Op.FLOOR: _whole(lambda negative, _, rest: negative and rest > 0),
    Op.CEIL: _whole(lambda negative, _, rest: not negative and rest > 0),
    Op.ROUND: _whole(_to_even),
    Op.TRUNC: _whole(lambda *_: False),
    Op.SIGN: lambda bits: bits & _SIGN | ONE if floats.magnitude(bits) else 0,
}


def _are_ends(step: Step, extras: tuple[int, ...]) -> bool:
    """Of floats, bits of f32 that are numbers or infinite."""
    if step.result.dtype in INTEGERS:
        return True
    return all(0 <= end < 2**32 and not floats.is_nan(end) for end in extras)


def _operator(op: Op, formula: str, dtypes: Dtypes = FLOATING, extras: str = "", means: Means = anything) -> Operator:
    layout = unary(len(extras.split(","))) if extras else unary()
    source = "exact, but for flushed subnormals"
    return Operator(
        op, Family.POINTWISE, layout, dtypes, "a", formula, "`t = 0`", source, find_case, extras, means=means
    )


OPERATORS = (
    _operator(Op.RELU, "`max(a, 0)`"),
    _operator(Op.NEG, "`−a`", NUMBERS),
    _operator(Op.ABS, "`|a|`", NUMBERS),
    _operator(
        Op.CLAMP,
        "`min(max(a, lo), hi)`; ends are bits of f32 (∓Inf for none), of i64 and i32 numbers",
        NUMBERS,
        "lo, hi",
        _are_ends,
    ),
    _operator(Op.FLOOR, "the greatest whole number up to `a`"),
    _operator(Op.CEIL, "the least whole number from `a` on"),
    _operator(Op.ROUND, "the nearest whole number, ties to even"),
    _operator(Op.TRUNC, "the whole part of `a`"),
    _operator(Op.SIGN, "−1, 0 or 1", NUMBERS),
)
