"""What overflows (PROTOCOL.md, 5, "Undefined"): not finite, though all that it is made of is. The twin of Overflow.sol.

Past an overflow nothing can be judged: a claim of an output may have none, and one that names it must have it there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge.elements import elements_needed
from rollup.judge.finding import ACQUITTED, CERTAIN, REJECTED, Finding
from rollup.judge.reads import Run
from rollup.tensor import DType

# Operators that may make something that is not finite of what is. Of the others those that compute are bounded, and
# those that choose or move have only what they are given: where a mask's -Inf comes from is never here.
OVERFLOWING = frozenset(
    {Op.CONTRACT, Op.ADD, Op.MUL, Op.SUB, Op.DIV, Op.POW, Op.CAST, Op.EXP, Op.LOG, Op.SQRT, Op.RSQRT, Op.EXPM1}
    | {Op.LOG1P, Op.SUM, Op.SPREAD, Op.LOG_SOFTMAX, Op.NORM}
)
# The bits that are all set in what is not finite.
_EXPONENTS = {DType.F32: 0x7F800000, DType.F16: 0x7C00, DType.BF16: 0x7F80}


def reads_of_overflow(step: Step, element: int) -> tuple[Run, ...]:
    """The element and what it is made of; nothing for one that is not there, or cannot overflow or be judged."""
    if step.op not in OVERFLOWING or element >= step.result.elements:
        return ()
    try:
        return elements_needed(step, element)
    except BadGraph:
        return ()


def overflows(step: Step, runs: Sequence[Run], values: Callable[[int], Sequence[int]]) -> bool:
    """Whether the element of `reads_of_overflow` is not finite, and the rest is. `values` gives the bits of run i.

    All runs are read, whatever is found: the chain checks all that is opened.
    """
    finite = [are_finite(step.spec(run.slot).dtype, values(place)) for place, run in enumerate(runs)]
    return bool(finite) and not finite[0] and all(finite[1:])


def are_finite(dtype: DType, bits: Sequence[int]) -> bool:
    """Whether none of the elements (bits) is NaN or infinite; integers never are."""
    exponent = _EXPONENTS.get(dtype)
    return exponent is None or all(value & exponent != exponent for value in bits)


def find_undefined(does_overflow: bool, is_undefined: bool) -> Finding:
    """What is wrong with a claim at an element that overflows or not. `is_undefined`: the claim names that element."""
    if is_undefined:
        return ACQUITTED if does_overflow else CERTAIN
    return REJECTED if does_overflow else ACQUITTED
