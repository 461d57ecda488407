"""One element of one step on values that are already known to be right: what judge and prover share.

`values` are bit patterns, one tuple per opened run, in order. Knows no proof and no root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.graph import Step
from rollup.judge.elements import elements_after, elements_needed
from rollup.judge.finding import Finding
from rollup.judge.operator import Case, Read
from rollup.judge.operators import OPERATORS
from rollup.judge.reads import Run, Values
from rollup.numerics import FP32, Profile
from rollup.tensor import DType, Tensor


@dataclass(frozen=True)
class Opened:
    """What a proof about one element opens, in order, and the hint that goes with it."""

    runs: tuple[Run, ...]
    values: Values
    hint: int


def run_of(tensor: Tensor, run: Run) -> tuple[int, ...]:
    """Bit patterns of the elements of `run` of `tensor`."""
    width = tensor.spec.dtype.width
    return bits_of(tensor.data[run.first * width : (run.first + run.count) * width], tensor.spec.dtype)


def bits_of(data: bytes, dtype: DType) -> tuple[int, ...]:
    """Bit patterns of canonical bytes, as unsigned integers."""
    width = dtype.width
    return tuple(int.from_bytes(data[i : i + width], "big") for i in range(0, len(data), width))


def open_element(step: Step, element: int, read: Read, hint: int | None = None, profile: Profile = FP32) -> Opened:
    """Reads all that a proof about `element` opens, with a prover's own hint if none is given.

    Raises BadGraph if the step's record contradicts itself at this element, and whatever `read` raises.
    """
    first = elements_needed(step, element)
    values = tuple(read(run) for run in first)
    if hint is None:
        hint_of = OPERATORS[step.op].hint
        hint = 0 if hint_of is None else hint_of(step, element, values, read, profile)
    after = elements_after(step, element, values, hint)
    return Opened((*first, *after), (*values, *(read(run) for run in after)), hint)


def open_tensors(step: Step, element: int, tensors: Sequence[Tensor], profile: Profile = FP32) -> Opened:
    """As `open_element`, from whole tensors by slot: the result, then the operands."""
    return open_element(step, element, lambda run: run_of(tensors[run.slot], run), profile=profile)


def evaluate(step: Step, values: Values, hint: int = 0, factor: int = 0, profile: Profile = FP32) -> Finding:
    """Judges the element whose committed value is `values[0][0]`, from its operands' values `values[1:]`.

    `hint` and `factor` (1/256, zero for none) as in a fault proof. Raises BadGraph for dtypes or attributes without a
    meaning.
    """
    operator = OPERATORS[step.op]
    operator.require_meaning(step)
    return operator.find(Case(step, values, hint, factor, profile, operator.layout.extras_of(step)))
