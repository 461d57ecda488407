"""Amax and argmax: exact but for flushed subnormals (PROTOCOL.md, 5). −Inf is a value; NaN and +Inf acquit.

An argmax opens two elements of its row, whatever its width: the one that was committed, and the one that the proof's
hint says is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import LABELS, ONE_FLOATING
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding, between
from rollup.judge.operator import Case, Family, Operator, Read
from rollup.judge.reads import Layout, Run, Values, require, row_of, rows
from rollup.numerics import Profile
from rollup.types import Verdict

_SIGN_64 = 2**63
_MINUS_INFINITY = floats.INFINITY | 1 << 31


def signed_64(bits: int) -> int:
    """An i64 element as a number."""
    return (bits ^ _SIGN_64) - _SIGN_64


def find_amax(value: int, row: Sequence[int]) -> Finding:
    """Judges one element (f32 bits) of an amax over a row."""
    if not all(_is_ordered(bits) for bits in row):
        return ACQUITTED
    greatest = max(row, key=floats.ordinal)
    if floats.is_subnormal(greatest):
        return between(value, min(greatest, 0, key=floats.ordinal), max(greatest, 0, key=floats.ordinal))
    return between(value, greatest, greatest)


def find_argmax(chosen: int, hinted: int) -> Finding:
    """Judges a committed index inside its row by the element there and by one that may be larger (f32 bits, both)."""
    if not (_is_ordered(chosen) and _is_ordered(hinted)):
        return ACQUITTED
    both_flushed = max(floats.magnitude(chosen), floats.magnitude(hinted)) < floats.LEAST_NORMAL
    steps = floats.ordinal(hinted) - floats.ordinal(chosen)
    if steps <= 0 or both_flushed:
        return ACQUITTED
    return Finding(Verdict.BEYOND_SOUND, Fraction(steps))


def index_of_largest(row: Sequence[int]) -> int:
    """Index of a largest f32 of a row, NaN aside: the hint of an argmax."""
    return max(range(len(row)), key=lambda i: (not floats.is_nan(row[i]), floats.ordinal(row[i])))


def _is_ordered(bits: int) -> bool:
    return floats.is_finite(bits) or bits == _MINUS_INFINITY


def _reads(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 1, 1)
    row_of(step, element, step.attributes[0])
    return ()


def _late(step: Step, element: int, values: Values, hint: int) -> tuple[Run, ...]:
    """The committed element and the hinted one of the row; nothing if the index lies outside it."""
    index, length = signed_64(values[0][0]), step.attributes[0]
    if not 0 <= index < length:
        return ()
    if not 0 <= hint < length:
        raise BadGraph(f"hint {hint} is outside a row of {length}")
    return Run(1, element * length + index, 1), Run(1, element * length + hint, 1)


def _hint(step: Step, element: int, _values: Values, read: Read, _profile: Profile) -> int:
    dtype = step.operands[0].spec.dtype
    return index_of_largest([floats.widen(bits, dtype) for bits in read(row_of(step, element, step.attributes[0]))])


def _find_amax(case: Case) -> Finding:
    return find_amax(case.value_f32, case.row(1))


def _find_argmax(case: Case) -> Finding:
    if len(case.values) == 1:
        return CERTAIN
    dtype = case.dtype_of(1)
    return find_argmax(*(floats.widen(case.operand(run), dtype) for run in (1, 2)))


_SOURCE = "exact, but for flushed subnormals"
OPERATORS = (
    Operator(
        Op.AMAX,
        Family.ROW,
        rows(),
        ONE_FLOATING,
        "a",
        "`max` of `a[e·K .. e·K + K)`",
        "`t = 0`; −Inf is a value",
        _SOURCE,
        _find_amax,
    ),
    Operator(
        Op.ARGMAX,
        Family.STEP,
        Layout("K", _reads, late=_late),
        LABELS,
        "a",
        "an index in `0..K` of a largest element of `a[e·K .. e·K + K)`. Opened are `a[e·K + y]` and "
        "`a[e·K + hint]` only",
        "any index of a largest element; −Inf is a value",
        _SOURCE,
        _find_argmax,
        hint=_hint,
    ),
)
