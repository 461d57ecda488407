"""Comparisons, logic, and the choice between two elements (PROTOCOL.md, 5).

A subnormal may be compared as it is or as zero. −Inf is a value; NaN and +Inf acquit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.dtypes import CHOSEN, COMPARED, FLOATS, TRUTHS
from rollup.judge.finding import ACQUITTED, Finding, equal
from rollup.judge.integers import number_of
from rollup.judge.movement import find_moved
from rollup.judge.operator import Case, Family, Means, Operator
from rollup.judge.pointwise import MINUS_INFINITY
from rollup.judge.reads import nary, unary

_COMPARISONS: Sequence[Callable[[int, int], bool]] = (
    lambda a, b: a == b,
    lambda a, b: a != b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
)
_LOGIC: Sequence[Callable[[bool, bool], bool]] = (
    lambda a, b: a and b,
    lambda a, b: a or b,
    lambda a, b: a is not b,
)


def find_compared(case: Case) -> Finding:
    """Judges one element of a compare step."""
    compare = _COMPARISONS[case.extras[0]]
    if case.dtype_of(1) not in FLOATS:
        a, b = (number_of(case.operand(slot), case.dtype_of(1)) for slot in (1, 2))
        return equal(case.value, compare(a, b))
    operands = [case.operand_f32(slot) for slot in (1, 2)]
    if not all(floats.is_finite(bits) or bits == MINUS_INFINITY for bits in operands):
        return ACQUITTED
    return equal(case.value, *(compare(a, b) for a in _places(operands[0]) for b in _places(operands[1])))


def find_logical(case: Case) -> Finding:
    """Judges one element of a logical step."""
    return equal(case.value, _LOGIC[case.extras[0]](case.operand(1) != 0, case.operand(2) != 0))


def find_not(case: Case) -> Finding:
    """Judges one element of a not step."""
    return equal(case.value, case.operand(1) == 0)


def find_where(case: Case) -> Finding:
    """Judges one element of a where step: the very bits of the chosen one; two NaNs acquit."""
    return find_moved(case.value, case.operand(2 if case.operand(1) else 3), case.dtype)


def _is_kind(functions: Sequence[Callable[..., bool]]) -> Means:
    return lambda _, extras: 0 <= extras[0] < len(functions)


def _places(bits: int) -> tuple[int, ...]:
    """Where a float may lie for who compares it."""
    return (floats.ordinal(bits), 0) if floats.is_subnormal(bits) else (floats.ordinal(bits),)


_SOURCE = "exact, but for flushed subnormals"
OPERATORS = (
    Operator(
        Op.COMPARE,
        Family.POINTWISE,
        nary(2, extras=1),
        COMPARED,
        "a, b",
        "kind 0 `a = b`, 1 `a ≠ b`, 2 `a < b`, 3 `a ≤ b`, 4 `a > b`, 5 `a ≥ b`",
        "equal bits; subnormals kept or flushed; −Inf is a value",
        _SOURCE,
        find_compared,
        "kind",
        means=_is_kind(_COMPARISONS),
    ),
    Operator(
        Op.LOGICAL,
        Family.POINTWISE,
        nary(2, extras=1),
        TRUTHS,
        "a, b",
        "kind 0 and, 1 or, 2 exclusive or",
        "equal bits",
        "exact",
        find_logical,
        "kind",
        means=_is_kind(_LOGIC),
    ),
    Operator(
        Op.WHERE,
        Family.POINTWISE,
        nary(3),
        CHOSEN,
        "c, a, b",
        "`a` where `c` is true, else `b`",
        "equal bits of the chosen one, two NaNs excepted",
        "nothing is computed",
        find_where,
    ),
    Operator(Op.NOT, Family.POINTWISE, unary(), TRUTHS, "a", "not `a`", "equal bits", "exact", find_not),
)
