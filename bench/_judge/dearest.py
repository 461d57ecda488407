"""Of every operator, the element whose proof opens most, over all steps of a model's graph. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rollup.errors import BadGraph
from rollup.graph import Graph, Op, Step
from rollup.judge.elements import elements_needed
from rollup.judge.reads import Run
from rollup.tensor import TensorSpec
from rollup.types import LEAF_BYTES

SAMPLED = 24


@dataclass(frozen=True)
class Place:
    """An element of a step; `opened`: bytes of all leaves that a proof about it shows."""

    step: int
    element: int
    opened: int


def dearest(graph: Graph) -> dict[Op, Place]:
    """By operator; of each step the first, the last and some elements drawn are tried."""
    found: dict[Op, Place] = {}
    random = np.random.default_rng(0)
    for number, step in enumerate(graph.steps):
        drawn = random.integers(step.result.elements, size=SAMPLED).tolist()
        for place in _places(number, step, {0, step.result.elements - 1, *drawn}):
            if step.op not in found or place.opened > found[step.op].opened:
                found[step.op] = place
    return found


def _places(number: int, step: Step, elements: Iterable[int]) -> Iterable[Place]:
    for element in sorted(elements):
        try:
            runs = elements_needed(step, element)
        except BadGraph as error:
            raise AssertionError(f"step {number} of a captured model cannot be judged") from error
        specs = [step.result, *(operand.spec for operand in step.operands)]
        yield Place(number, element, sum(_opened(specs[run.slot], run) for run in runs))


def _opened(spec: TensorSpec, run: Run) -> int:
    """Bytes of the leaves that a run of elements lies in."""
    first, last = spec.leaves_of(run.first, run.count)
    return min((last + 1) * LEAF_BYTES, spec.byte_length) - first * LEAF_BYTES
