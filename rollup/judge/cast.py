"""One element from any dtype to any other (PROTOCOL.md, 5)."""

from __future__ import annotations

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.dtypes import CONVERTED, FLOATS
from rollup.judge.finding import ACQUITTED, Finding, between, equal
from rollup.judge.integers import find_number, number_of
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.pointwise import MINUS_INFINITY, hull, readings, roundings
from rollup.judge.reads import unary
from rollup.judge.real import Real
from rollup.judge.unary import truncated
from rollup.tensor import DType


def find_case(case: Case) -> Finding:
    """Judges one element of a cast step."""
    source = case.dtype_of(1)
    if source not in FLOATS:
        return find_from_integer(case.value, number_of(case.operand(1), source), case.dtype)
    if case.dtype in FLOATS:
        return find_narrowed(case.value_f32, case.operand_f32(1), case.dtype)
    return find_from_float(case.value, case.operand_f32(1), case.dtype)


def find_from_integer(value: int, number: int, dtype: DType) -> Finding:
    """Judges an element (bits of `dtype`) made of a whole number: rounded to a float, at once or by way of f32."""
    if dtype is DType.BOOL:
        return equal(value, number != 0)
    if dtype not in FLOATS:
        return find_number(value, number, dtype)
    return between(floats.widen(value, dtype), *hull(roundings(Real(number, 0), dtype)), dtype)


def find_narrowed(value: int, source: int, dtype: DType) -> Finding:
    """Judges a float of `dtype` made of another; f32 bits, both. −Inf stays itself, NaN and +Inf acquit."""
    if source == MINUS_INFINITY:
        return between(value, source, source, dtype)
    if not floats.is_finite(source):
        return ACQUITTED
    results = [rounded for reading in readings(source) for rounded in roundings(reading, dtype)]
    return between(value, *hull(results), dtype)


def find_from_float(value: int, source: int, dtype: DType) -> Finding:
    """Judges an integer or bool (bits of `dtype`) made of f32 bits; one that is not finite acquits."""
    if not floats.is_finite(source):
        return ACQUITTED
    if dtype is DType.BOOL:
        # What may be flushed may be false.
        return equal(value, floats.magnitude(source) != 0, floats.magnitude(source) >= floats.LEAST_NORMAL)
    whole, _ = truncated(source)
    return find_number(value, -whole if floats.is_negative(source) else whole, dtype)


OPERATORS = (
    Operator(
        Op.CAST,
        Family.POINTWISE,
        unary(),
        CONVERTED,
        "a",
        "`a` in another dtype: a float is cut towards zero to an integer and rounded to nearest even to a "
        "narrower float; a bool is `a ≠ 0`",
        "`t = 0`; what an integer dtype does not hold acquits; −Inf is a value among floats",
        "IEEE 754-2019, 5.4.1, over operands kept or flushed",
        find_case,
    ),
)
