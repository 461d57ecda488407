"""Judges every computed element of honest runs, and counts what it finds.

The certified float64 filter (executor/bounds) looks at whole tensors; whatever it cannot clear is a *suspect*, and goes
before the exact judge (rollup/judge). Elements that only move are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from executor.bounds import inside
from executor.network import Network, operands_of
from executor.operators.places import MOVEMENT
from executor.tensors import to_canonical
from rollup.errors import BadGraph
from rollup.graph import Step
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.types import Verdict

# The factor that stands for none: the sound bound.
SOUND = 0
# Suspects of one step of one run that are put before the exact judge; more of them are faults of the filter itself.
MAX_SUSPECTS = 256


class FilterTooStrict(Exception):
    """The filter suspects more than the exact judge can look at; whatever it is, it is not sound to go on."""


@dataclass
class Tally:
    """Elements by what was found. `beyond_calibrated` are inside the sound bound but not surely inside `c`'s.

    `claims` are runs on inputs like those a model is calibrated on, `rejected_honest` those of them whose output finds
    no trace that passes its executor's own check.
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
    beyond = int((~inside(step, operands, result, factor)).sum())
    if not beyond:
        # What lies inside a calibrated bound lies inside the sound one.
        return tally
    tally.beyond_calibrated = beyond
    suspects = (~inside(step, operands, result, SOUND)).reshape(-1).nonzero().flatten().tolist()
    if len(suspects) > MAX_SUSPECTS:
        raise FilterTooStrict(f"{len(suspects)} of {step.result.elements} elements of {step.op.name} are suspects")
    tally.suspects = len(suspects)
    tally.false_faults = sum(is_fault(step, operands, result, element) for element in suspects)
    return tally


def is_fault(step: Step, operands: Sequence[Tensor], result: Tensor, element: int) -> bool:
    """What the exact judge says of one element, by the sound bound."""
    tensors = [to_canonical(tensor) for tensor in (result, *operands)]
    try:
        opened = open_tensors(step, element, tensors)
        return evaluate(step, opened.values, opened.hint, SOUND).verdict is Verdict.BEYOND_SOUND
    except BadGraph:
        return False
