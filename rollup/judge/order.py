"""Amax and argmax: exact but for flushed subnormals (PROTOCOL.md, 5). −Inf is a value; NaN and +Inf acquit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding, between
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import rows
from rollup.tensor import DType
from rollup.types import Verdict

_SIGN_64 = 2**63


def signed_64(bits: int) -> int:
    """An i64 element as a number."""
    return (bits ^ _SIGN_64) - _SIGN_64


def find_amax(value: int, row: Sequence[int]) -> Finding:
    """Judges one element (f32 bits) of an amax over a row."""
    if not _is_ordered(row):
        return ACQUITTED
    greatest = max(row, key=floats.ordinal)
    if floats.is_subnormal(greatest):
        return between(value, min(greatest, 0, key=floats.ordinal), max(greatest, 0, key=floats.ordinal))
    return between(value, greatest, greatest)


def find_argmax(value: int, row: Sequence[int]) -> Finding:
    """Judges one element (i64 bits) of an argmax over a row of f32 bits."""
    index = signed_64(value)
    if not _is_ordered(row):
        return ACQUITTED
    if not 0 <= index < len(row):
        return CERTAIN
    greatest = max(row, key=floats.ordinal)
    both_flushed = max(floats.magnitude(greatest), floats.magnitude(row[index])) < floats.LEAST_NORMAL
    steps = floats.ordinal(greatest) - floats.ordinal(row[index])
    if steps == 0 or both_flushed:
        return ACQUITTED
    return Finding(Verdict.BEYOND_SOUND, Fraction(steps))


def _is_ordered(row: Sequence[int]) -> bool:
    return all(floats.is_finite(bits) or bits == floats.INFINITY | 1 << 31 for bits in row)


def _find_amax(case: Case) -> Finding:
    case.require(frozenset({DType.F32}), frozenset({DType.F32}))
    return find_amax(case.value, case.values[1])


def _find_argmax(case: Case) -> Finding:
    case.require(frozenset({DType.I64}), frozenset({DType.F32}))
    return find_argmax(case.value, case.values[1])


_SOURCE = "exact, but for flushed subnormals"
OPERATORS = (
    Operator(
        Op.AMAX,
        Family.STEP,
        rows(),
        "a",
        "`max` of `a[e·K .. e·K + K)`",
        "`t = 0`; −Inf is a value",
        _SOURCE,
        _find_amax,
    ),
    Operator(
        Op.ARGMAX,
        Family.STEP,
        rows(),
        "a",
        "an index in `0..K` of a largest element of `a[e·K .. e·K + K)`; result i64",
        "any index of a largest element; −Inf is a value",
        _SOURCE,
        _find_argmax,
    ),
)
