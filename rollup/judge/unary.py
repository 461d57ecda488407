"""Exact functions of one element: relu, neg, abs, clamp, sign, and rounding to whole numbers (PROTOCOL.md, 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, Finding, between
from rollup.judge.integers import find_integer
from rollup.judge.operator import FLOATS, INTEGERS, Case, Family, Operator
from rollup.judge.pointwise import hull
from rollup.judge.reads import unary
from rollup.tensor import DType

ONE = 0x3F800000
_SIGN = 1 << 31
_ON_INTEGERS = frozenset({Op.NEG, Op.ABS, Op.CLAMP, Op.SIGN})


def find_case(case: Case) -> Finding:
    """Judges one element of an exact unary operator."""
    op, extras = case.step.op, case.extras
    if op in _ON_INTEGERS and case.dtype in INTEGERS:
        case.require(INTEGERS, frozenset({case.dtype}))
        return find_integer(op, case.value, [case.operand(1)], case.dtype, extras)
    case.require(FLOATS, FLOATS)
    if any(not 0 <= end < 2**32 or floats.is_nan(end) for end in extras):
        raise BadGraph(f"{op.name} cannot have the attributes {extras}")
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


def _operator(op: Op, formula: str, extras: str = "") -> Operator:
    layout = unary(len(extras.split(","))) if extras else unary()
    source = "exact, but for flushed subnormals"
    return Operator(op, Family.POINTWISE, layout, "a", formula, "`t = 0`", source, find_case, extras)


OPERATORS = (
    _operator(Op.RELU, "`max(a, 0)`; floats"),
    _operator(Op.NEG, "`−a`; floats, i64, i32"),
    _operator(Op.ABS, "`|a|`; floats, i64, i32"),
    _operator(
        Op.CLAMP, "`min(max(a, lo), hi)`; ends are bits of f32 (∓Inf for none), of i64 and i32 numbers", "lo, hi"
    ),
    _operator(Op.FLOOR, "the greatest whole number up to `a`; floats"),
    _operator(Op.CEIL, "the least whole number from `a` on; floats"),
    _operator(Op.ROUND, "the nearest whole number, ties to even; floats"),
    _operator(Op.TRUNC, "the whole part of `a`; floats"),
    _operator(Op.SIGN, "−1, 0 or 1; floats, i64, i32"),
)
