"""Judges every computed element of honest runs, and counts what it finds.

The certified float64 filter (executor/bounds) looks at whole tensors; whatever it cannot clear is a *suspect* and goes
before the exact judge (rollup/judge). An element that only moves is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from executor.bounds import inside
from executor.network import Network, operands_of
from executor.operators import MOVEMENT, terms_of
from executor.tensors import to_canonical
from rollup.errors import BadGraph
from rollup.graph import FACTOR_ONE, Op, Step
from rollup.judge.elements import elements_needed
from rollup.judge.evaluate import evaluate, hint_for, run_of
from rollup.types import Verdict

# Suspects of one step of one run that are put before the exact judge; more of them are faults of the filter itself.
MAX_SUSPECTS = 256


class FilterTooStrict(Exception):
    """The filter suspects more than the exact judge can look at; whatever it is, it is not sound to go on."""


@dataclass
class Tally:
    """Elements by what was found. `beyond_calibrated` are inside the sound bound but not surely inside `c`'s.

    `claims` are runs on inputs like those a model is calibrated on, `rejected_honest` those of them whose output finds no
    trace that passes its executor's own check.
    """

    judged_elements: int = 0
    suspects: int = 0
    false_faults: int = 0
    beyond_calibrated: int = 0
    runs: int = 0
    claims: int = 0
    rejected_honest: int = 0

    def add(self, other: Tally) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def judge_run(network: Network, factors: Sequence[int], inputs: Sequence[Tensor], results: Sequence[Tensor]) -> Tally:
    """Judges the results of all steps of one request's run."""
    tally = Tally(runs=1)
    for number, step in enumerate(network.graph.steps):
        if step.op not in MOVEMENT:
            operands = operands_of(step, inputs, network.weights, results)
            tally.add(judge_step(step, operands, results[number], factors[number]))
    return tally


def judge_step(step: Step, operands: Sequence[Tensor], result: Tensor, factor: int) -> Tally:
    """Judges one step's result. Raises FilterTooStrict."""
    tally = Tally(judged_elements=step.result.elements)
    if bool(inside(step, operands, result, factor).all()):
        return tally
    # What lies inside a calibrated bound lies inside the sound one.
    tally.beyond_calibrated = int((~inside(step, operands, result, factor)).sum())
    suspects = (~inside(step, operands, result, sound_factor(step))).reshape(-1).nonzero().flatten().tolist()
    if len(suspects) > MAX_SUSPECTS:
        raise FilterTooStrict(f"{len(suspects)} of {step.result.elements} elements of {step.op.name} are suspects")
    tally.suspects = len(suspects)
    tally.false_faults = sum(is_fault(step, operands, result, element) for element in suspects)
    return tally


def sound_factor(step: Step) -> int:
    """A factor that is no less than the sound bound."""
    return FACTOR_ONE * terms_of(step) if step.op is Op.CONTRACT else 0


def is_fault(step: Step, operands: Sequence[Tensor], result: Tensor, element: int) -> bool:
    """What the exact judge says of one element, by the sound bound."""
    tensors = [to_canonical(tensor) for tensor in (result, *operands)]
    try:
        values = [run_of(tensors[run.slot], run) for run in elements_needed(step, element)]
        return evaluate(step, values, hint_for(step, values)).verdict is Verdict.BEYOND_SOUND
    except BadGraph:
        return False
