"""One element of one step on values that are already known to be right: what judge and prover share.

`values` are bit patterns, one tuple per run of `elements_needed`, in its order. Knows no proof and no root.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.graph import Op, Step
from rollup.judge import contraction
from rollup.judge.elements import Run
from rollup.judge.finding import Finding
from rollup.judge.movement import find_moved
from rollup.judge.order import find_amax, find_argmax
from rollup.judge.pointwise import find_pair, find_relu
from rollup.tensor import DType, Tensor

Values = Sequence[Sequence[int]]


def run_of(tensor: Tensor, run: Run) -> tuple[int, ...]:
    """Bit patterns of the elements of `run` of `tensor`."""
    width = tensor.spec.dtype.width
    return bits_of(tensor.data[run.first * width : (run.first + run.count) * width], tensor.spec.dtype)


def bits_of(data: bytes, dtype: DType) -> tuple[int, ...]:
    """Bit patterns of canonical bytes, as unsigned integers."""
    width = dtype.width
    return tuple(int.from_bytes(data[i : i + width], "big") for i in range(0, len(data), width))


def evaluate(step: Step, values: Values, hint: int = 0, factor: int = 0) -> Finding:
    """Judges the element whose committed value is `values[0][0]`, from its operands' values `values[1:]`.

    `hint` (a contraction's top product exponent) and `factor` (1/256, zero for none) as in a fault proof.
    """
    value, operands = values[0][0], values[1:]
    match step.op:
        case Op.CONTRACT:
            row_a, row_b, bias = operands if len(operands) == 3 else (*operands, ())
            return contraction.find(contraction.Element(value, row_a, row_b, bias), hint, factor)
        case Op.ADD | Op.MUL:
            return find_pair(step.op, value, operands[0][0], operands[1][0])
        case Op.RELU:
            return find_relu(value, operands[0][0])
        case Op.AMAX:
            return find_amax(value, operands[0])
        case Op.ARGMAX:
            return find_argmax(value, operands[0])
        case Op.STRIDED | Op.CAT | Op.PATCHES:
            # Only patches reads something that is not opened: its fill.
            source = operands[0][0] if operands else step.attributes[0]
            return find_moved(value, source, step.result.dtype)


def hint_for(step: Step, values: Values) -> int:
    """The hint a prover gives with these values: zero for all operators but contractions."""
    return contraction.hint_of(*values[1:]) if step.op is Op.CONTRACT else 0
