"""What an operator is to the judge: one entry that says all of it, and the case that its function decides.

The entries stand beside their functions, one tuple a family (pointwise.py, movement.py, ...); operators.py collects
them. Formula, bound and source are what docs/operators.md says of the operator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import Dtypes
from rollup.judge.finding import Finding
from rollup.judge.reads import Layout, Run, Values
from rollup.numerics import FP32, Profile
from rollup.tensor import DType


class Family(StrEnum):
    """The contract that judges an operator."""

    STEP = "StepJudge"
    POINTWISE = "PointwiseJudge"
    TRANSCENDENTAL = "TranscendentalJudge"
    ROW = "RowJudge"


@dataclass(frozen=True)
class Case:
    """One element of one step, with the bits of all that was opened of it; the twin of IOperatorJudge.Case.

    `values` has one sequence per run, the result's own element first. `factor` is in 1/256, zero for none. `extras` are
    the attributes that are the operator's own.
    """

    step: Step
    values: Values
    hint: int = 0
    factor: int = 0
    profile: Profile = FP32
    extras: tuple[int, ...] = ()

    @property
    def value(self) -> int:
        """Bits of the committed element."""
        return self.values[0][0]

    @property
    def dtype(self) -> DType:
        """Of the result."""
        return self.step.result.dtype

    def dtype_of(self, slot: int) -> DType:
        """Of the operand in `slot`, from 1 on."""
        return self.step.operands[slot - 1].spec.dtype

    @property
    def value_f32(self) -> int:
        """The committed element of a floating result, widened to f32 bits."""
        return floats.widen(self.value, self.dtype)

    def row(self, run: int) -> list[int]:
        """Elements of run `run` (from 1 on) of floats, widened to f32 bits. For layouts with one run an operand."""
        dtype = self.dtype_of(run)
        return [floats.widen(bits, dtype) for bits in self.values[run]]

    def operand(self, run: int) -> int:
        """The first element of run `run`, as it is."""
        return self.values[run][0]

    def operand_f32(self, run: int) -> int:
        """The first element of run `run` of floats, widened to f32 bits."""
        return floats.widen(self.operand(run), self.dtype_of(run))


Find = Callable[[Case], Finding]
Read = Callable[[Run], tuple[int, ...]]
# (step, element, values of the first runs, a reader of any run, profile) -> the hint with which a prover loses least.
Hint = Callable[[Step, int, Values, Read, Profile], int]
# (step, its own attributes) -> whether they have a meaning.
Means = Callable[[Step, tuple[int, ...]], bool]


def anything(_: Step, __: tuple[int, ...]) -> bool:
    """Of operators without attributes of their own, or with such as may be anything."""
    return True


@dataclass(frozen=True)
class Operator:
    """One operator. `formula`, `bound` and `source` are Markdown; `extras` names the attributes after the layout's.

    A step of other dtypes than `dtypes`, or whose own attributes do not mean anything, cannot be judged.
    """

    op: Op
    family: Family
    layout: Layout
    dtypes: Dtypes
    operands: str
    formula: str
    bound: str
    source: str
    find: Find
    extras: str = ""
    hint: Hint | None = None
    means: Means = anything

    def require_meaning(self, step: Step) -> None:
        """Raises BadGraph for a step whose dtypes or own attributes the operator has no meaning for.

        Only for steps that have as many operands and attributes as the layout reads.
        """
        dtypes = [step.result.dtype, *(operand.spec.dtype for operand in step.operands)]
        if not self.dtypes.fit(dtypes):
            given, *taken = (dtype.name for dtype in dtypes)
            raise BadGraph(f"{step.op.name} does not give {given} of {', '.join(taken)}")
        if not self.means(step, self.layout.extras_of(step)):
            raise BadGraph(f"{step.op.name} cannot have the attributes {step.attributes}")
