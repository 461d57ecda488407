"""Doubts about overflows: claims that name one, and opened traces of outputs that have one (PROTOCOL.md, 5).

Decides no move. What it calls a fault is what the judge's twin finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import torch
from torch import Tensor

from executor.models import LoadedModel
from executor.network import operands_of
from executor.overflow import overflowing
from executor.strangers import unrunnable
from executor.tensors import from_bytes, from_canonical, to_canonical
from executor.trace import Results, recompute, replay
from prover.fault_proof import Evidence, find_overflow
from prover.opened import OpenedTrace
from rollup.codec import Overflow
from rollup.graph import Step
from rollup.judge.evaluate import run_of
from rollup.judge.undefined import overflows, reads_of_overflow
from rollup.types import Verdict

# What comes so near to the largest float in my run may be beyond it in another's.
NEAR = 4.0

Fault = tuple[Verdict, int, int]


class OverflowChecker:
    """One model. Deviations are 0 where an honest run may overflow as claimed, infinite where none does."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def deviation(self, inputs: Sequence[bytes], place: Overflow) -> float:
        """The first look: in float64."""
        return self._of(inputs, place, lambda tensors: recompute(self._model.network, tensors))

    def second_deviation(self, inputs: Sequence[bytes], place: Overflow) -> float:
        """The independent look, before any bond: by the fast code."""
        return self._of(inputs, place, lambda tensors: replay(self._model.network, self._model.runner, tensors))

    @unrunnable("the model")
    def _of(self, inputs: Sequence[bytes], place: Overflow, run: Callable[[list[Tensor]], Results]) -> float:
        network = self._model.network
        step = network.graph.steps[place.step] if place.step < len(network.graph.steps) else None
        if step is None or not reads_of_overflow(step, place.element):
            return inf
        tensors = [from_bytes(spec, data) for spec, data in zip(network.program.inputs, inputs, strict=True)]
        results = run(tensors)
        operands = operands_of(step, tensors, network.weights, results)
        return 0.0 if _may_overflow(step, place.element, operands, results[place.step]) else inf


def _may_overflow(step: Step, element: int, operands: Sequence[Tensor], result: Tensor) -> bool:
    value = result.reshape(-1)[element]
    if bool(value.isfinite()):
        return bool(value.abs() * NEAR > torch.finfo(value.dtype).max)
    shown = [to_canonical(tensor) for tensor in (result, *operands)]
    runs = reads_of_overflow(step, element)
    return overflows(step, runs, lambda place: run_of(shown[runs[place].slot], runs[place]))


def find_overflow_fault(evidence: Evidence, trace: OpenedTrace, unbounded: Sequence[int]) -> Fault | None:
    """What the claim says, or its trace has, of overflows that it must not; None if nothing that is known is wrong.

    `unbounded`: steps of which enough is known, whose result is not finite everywhere, in order.
    """
    if evidence.committed.undefined:
        return _of_the_named(evidence, trace, Overflow.decode(evidence.committed.claimed_output))
    for number in unbounded:
        step = evidence.graph.steps[number]
        result, *operands = (from_canonical(evidence.tensor(number, slot)) for slot in range(1 + len(step.operands)))
        for element in overflowing(step, operands, result):
            return Verdict.BEYOND_CALIBRATED, number, element
    return None


def _of_the_named(evidence: Evidence, trace: OpenedTrace, place: Overflow) -> Fault | None:
    if place.step < len(evidence.graph.steps) and not trace.knows_step(place.step):
        return None
    verdict = find_overflow(evidence, place.step, place.element).verdict
    return None if verdict is Verdict.NO_FAULT else (verdict, place.step, place.element)
