"""Which elements a fault proof must open, for each operator: the one place that says it, for judge and prover.

A record that contradicts itself (dims that do not multiply up, an index outside an operand) raises BadGraph: nothing
can be proven about it. Knows no values but those that an operator's later reads follow from.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge.operators import OPERATORS
from rollup.judge.reads import Run, Values


def elements_needed(step: Step, element: int) -> tuple[Run, ...]:
    """The runs of a step fault's openings that follow from the record alone, in order; the first is the result's own.

    Raises BadGraph if the step's record contradicts itself at this element, or its operator has no meaning for it.
    """
    if not 0 <= element < step.result.elements:
        raise BadGraph(f"element {element} is outside a result of {step.result.elements}")
    operator = OPERATORS[step.op]
    runs = operator.layout.reads(step, element)
    _require_inside(step, runs)
    operator.require_meaning(step)
    return (Run(0, element, 1), *runs)


def elements_after(step: Step, element: int, values: Values, hint: int) -> tuple[Run, ...]:
    """The runs opened after those of `elements_needed`: they depend on the values of those, or on the proof's hint.

    None for most operators. Raises BadGraph where they lie outside an operand.
    """
    late = OPERATORS[step.op].layout.late
    runs = () if late is None else late(step, element, values, hint)
    _require_inside(step, runs)
    return runs


def elements_linked(step: Step, element: int, claimed: int, hint: int) -> tuple[Run, ...]:
    """The runs of a link fault's openings in the trace: the traced element, or the logits of two labels.

    Those are of the claimed label (bits) and of the hinted one; none if the claimed one lies outside the row. Raises
    BadGraph if the last step's record contradicts itself at this element, or the hint lies outside the row.
    """
    if step.op is not Op.ARGMAX:
        return (Run(0, element, 1),)
    elements_needed(step, element)
    return elements_after(step, element, ((claimed,),), hint)


def _require_inside(step: Step, runs: Sequence[Run]) -> None:
    for run in runs:
        elements = step.operands[run.slot - 1].spec.elements
        if not (run.count >= 1 and run.first >= 0 and run.first + run.count <= elements):
            raise BadGraph(f"{run.count} elements from {run.first} are outside operand {run.slot} of {elements}")
