"""Comparisons, logic, and the choice between two elements (PROTOCOL.md, 5).

A subnormal may be compared as it is or as zero. −Inf is a value; NaN and +Inf acquit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, Finding, equal
from rollup.judge.integers import number_of
from rollup.judge.movement import find_moved
from rollup.judge.operator import FLOATS, Case, Family, Operator
from rollup.judge.pointwise import MINUS_INFINITY
from rollup.judge.reads import nary, unary
from rollup.tensor import DType

_BOOL = frozenset({DType.BOOL})
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
    case.require(_BOOL, frozenset({case.dtype_of(1)}))
    compare = _chosen(_COMPARISONS, case)
    if case.dtype_of(1) not in FLOATS:
        a, b = (number_of(case.operand(slot), case.dtype_of(1)) for slot in (1, 2))
        return equal(case.value, compare(a, b))
    operands = [case.operand_f32(slot) for slot in (1, 2)]
    if not all(floats.is_finite(bits) or bits == MINUS_INFINITY for bits in operands):
        return ACQUITTED
    return equal(case.value, *(compare(a, b) for a in _places(operands[0]) for b in _places(operands[1])))


def find_logical(case: Case) -> Finding:
    """Judges one element of a logical step."""
    case.require(_BOOL, _BOOL)
    return equal(case.value, _chosen(_LOGIC, case)(case.operand(1) != 0, case.operand(2) != 0))


def find_not(case: Case) -> Finding:
    """Judges one element of a not step."""
    case.require(_BOOL, _BOOL)
    return equal(case.value, case.operand(1) == 0)


def find_where(case: Case) -> Finding:
    """Judges one element of a where step: the very bits of the chosen one; two NaNs acquit."""
    case.require(frozenset({case.dtype}), _BOOL, frozenset({case.dtype}))
    return find_moved(case.value, case.operand(2 if case.operand(1) else 3), case.dtype)


def _chosen(functions: Sequence[Callable[..., bool]], case: Case) -> Callable[..., bool]:
    kind = case.extras[0]
    if not 0 <= kind < len(functions):
        raise BadGraph(f"{case.step.op.name} has kinds 0..{len(functions) - 1}, got {kind}")
    return functions[kind]


def _places(bits: int) -> tuple[int, ...]:
    """Where a float may lie for who compares it."""
    return (floats.ordinal(bits), 0) if floats.is_subnormal(bits) else (floats.ordinal(bits),)


_SOURCE = "exact, but for flushed subnormals"
OPERATORS = (
    Operator(
        Op.COMPARE,
        Family.POINTWISE,
        nary(2, extras=1),
        "a, b",
        "kind 0 `a = b`, 1 `a ≠ b`, 2 `a < b`, 3 `a ≤ b`, 4 `a > b`, 5 `a ≥ b`; one dtype, any; result bool",
        "equal bits; subnormals kept or flushed; −Inf is a value",
        _SOURCE,
        find_compared,
        "kind",
    ),
    Operator(
        Op.LOGICAL,
        Family.POINTWISE,
        nary(2, extras=1),
        "a, b",
        "kind 0 and, 1 or, 2 exclusive or; bool",
        "equal bits",
        "exact",
        find_logical,
        "kind",
    ),
    Operator(
        Op.WHERE,
        Family.POINTWISE,
        nary(3),
        "c, a, b",
        "`a` where the bool `c` is true, else `b`; dtypes of a, b and the result are one, any",
        "equal bits of the chosen one, two NaNs excepted",
        "nothing is computed",
        find_where,
    ),
    Operator(Op.NOT, Family.POINTWISE, unary(), "a", "not `a`; bool", "equal bits", "exact", find_not),
)
