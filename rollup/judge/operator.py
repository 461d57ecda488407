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
from rollup.judge.finding import Finding
from rollup.judge.reads import Layout, Run, Values
from rollup.numerics import FP32, Profile
from rollup.tensor import DType

FLOATS = frozenset({DType.F32, DType.F16, DType.BF16})
INTEGERS = frozenset({DType.I64, DType.I32})


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

    def require(self, result: frozenset[DType], *operands: frozenset[DType]) -> None:
        """Raises BadGraph unless result and operands have such dtypes; the last set counts for all that follow."""
        if self.dtype not in result:
            raise BadGraph(f"{self.step.op.name} does not give {self.dtype.name}")
        for slot in range(1, len(self.step.operands) + 1):
            if self.dtype_of(slot) not in operands[min(slot, len(operands)) - 1]:
                raise BadGraph(f"{self.step.op.name} does not take {self.dtype_of(slot).name} as operand {slot}")


Find = Callable[[Case], Finding]
Read = Callable[[Run], tuple[int, ...]]
# (step, element, values of the first runs, a reader of any run, profile) -> the hint with which a prover loses least.
Hint = Callable[[Step, int, Values, Read, Profile], int]


@dataclass(frozen=True)
class Operator:
    """One operator. `formula`, `bound` and `source` are Markdown; `extras` names the attributes after the layout's.

    `find` raises BadGraph for dtypes that the operator has no meaning for: such a step cannot be judged.
    """

    op: Op
    family: Family
    layout: Layout
    operands: str
    formula: str
    bound: str
    source: str
    find: Find
    extras: str = ""
    hint: Hint | None = None
