"""Doubts claims: re-runs them, and checks opened traces step by step.

The cheap tests are whole tensors in float64; only what they suspect is put before the exact judge. Before anything is
called wrong a second, independent evaluation must agree; otherwise the checker says so and stays silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import inf, isfinite, isnan, nan

import torch
from torch import Tensor

from executor.models import LoadedModel, draw_inputs
from executor.reach import judged_step, reach_of
from executor.strangers import unrunnable
from executor.tensors import f32_of_bits, from_bytes, is_finite
from executor.trace import recompute
from prover.fault_proof import (
    Evidence,
    find_output,
    find_step,
    prove_link,
    prove_step,
    prove_undefined,
    worst_element,
)
from prover.forced import capped_run, find_forced
from prover.jumps import Jumps, jumps_of, shakes_of
from prover.opened import OpenedTrace
from prover.overflows import OverflowChecker, find_overflow_fault
from prover.strategy import REACH
from prover.suspects import Inspector, link_suspects
from rollup.graph import Graph, Op
from rollup.types import FaultProof, Verdict

# Inputs drawn over their registered ranges for the reach of a model.
SAMPLES = 2
SAMPLE_SEED = 1
# Judged elements of which the reach is taken, each with a backward pass.
REACH_ELEMENTS = 32
# An honest run may be one output band away; another honest one as far on the other side.
BAND_MARGIN = 2.0


class Checker:
    """One model, ready to doubt claims on it.

    Deviations are ratios: the distance of a claimed output from what it should be, in units of the model's reach and
    twice its output band together. Above 1 no run inside its bounds makes that output, and none that links to it does.
    NaN says that my own run makes no number where one is claimed, and nothing else deviates.
    """

    def __init__(self, model: LoadedModel) -> None:
        self.model, self._network = model, model.network
        self._judged = judged_step(model.network)
        self._inspector = Inspector(model.network, model.numerics)
        self._is_label = model.network.graph.steps[-1].op is Op.ARGMAX
        self._band = BAND_MARGIN * f32_of_bits(model.record.output_band)
        # A label is judged by the difference of two logits, which both may move.
        self._moved = 2.0 if self._is_label else 1.0
        self.overflows = OverflowChecker(model)

    @property
    def graph(self) -> Graph:
        return self._network.graph

    @cached_property
    def _reach(self) -> float:
        """The model's, over inputs drawn; dear, and needed for outputs only."""
        drawn = draw_inputs(self.model.record.inputs, SAMPLES, SAMPLE_SEED)
        # Of a run that overflows it says nothing of others; what is too near without it has its own in the second look.
        reaches = [self._reach_at(tensors) for tensors in drawn if not self._overflows(tensors)]
        return max(filter(isfinite, reaches), default=0.0)

    def _overflows(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the judged tensor of a float64 run shows an overflow; a mask is none."""
        profile, number = self.model.numerics.profile, self._judged
        judged = recompute(self._network, tensors, profile)[number]
        return not is_finite(judged) and not torch.equal(judged, capped_run(self._network, tensors, profile)[number])

    @unrunnable("the model")
    def deviations(self, requests: Sequence[Sequence[bytes]], claimed: Sequence[bytes]) -> list[float]:
        """The cheap look: one fast batch. Raises BadInput if it cannot be run.

        `requests`: canonical input bytes of each; `claimed`: canonical output bytes of each.
        """
        runs = self.model.runner.run(requests)
        return [
            0.0 if run == claim else self._deviation(inputs, run, claim)
            for inputs, run, claim in zip(requests, runs, claimed, strict=True)
        ]

    @unrunnable("the model")
    def second_deviation(self, inputs: Sequence[bytes], claimed: bytes) -> float:
        """The independent look, before any bond: in float64, and with the reach of these very inputs.

        Where that makes no number, and one is claimed, it is infinite if no run inside its bounds makes any.
        """
        tensors, output = self._tensors(inputs), from_bytes(self.graph.output, claimed)
        judged, ratio = self._exact(tensors, output)
        is_forced = ratio <= REACH and self._lacks(judged, output) and find_forced(self.model, tensors) is not None
        return inf if is_forced else ratio

    def _exact(self, tensors: Sequence[Tensor], output: Tensor) -> tuple[Tensor, float]:
        """The judged tensor in float64, rounded, and the deviation of what of it is a number.

        What is beyond reach may still be an honest run's, if something on the way is nearly a tie, or on the edge of a
        cliff: prover/jumps.py.
        """
        judged = recompute(self._network, tensors, self.model.numerics.profile)[self._judged]
        reach = max(self._reach, self._reach_at(tensors))
        ratio = self._ratio(judged, output, reach)
        if not ratio <= REACH:
            at = self._network, self.model.numerics, tensors
            ratio = self._ratio(judged, output, reach, jumps_of(*at).wider(shakes_of(*at, judged)))
        return judged, ratio

    def _deviation(self, inputs: Sequence[bytes], run: bytes, claim: bytes) -> float:
        spec = self._network.graph.output
        output = from_bytes(spec, claim)
        if self._is_label:
            # Two labels say nothing of the margin between them: ask the logits.
            judged, ratio = self._exact(self._tensors(inputs), output)
        else:
            judged = from_bytes(spec, run)
            ratio = self._ratio(judged, output, self._reach)
        return nan if ratio <= REACH and self._lacks(judged, output) else ratio

    def _tensors(self, inputs: Sequence[bytes]) -> list[Tensor]:
        return [from_bytes(spec, data) for spec, data in zip(self._network.program.inputs, inputs, strict=True)]

    def _lacks(self, judged: Tensor, claimed: Tensor) -> bool:
        """Whether a run has no number where it is compared with one; a masked logit is as good as one."""
        if self._is_label:
            return bool((judged.isnan() | (judged == inf)).any())
        return bool((claimed.isfinite() & ~judged.isfinite()).any())

    def _ratio(self, judged: Tensor, claimed: Tensor, reach: float, jumps: Jumps | None = None) -> float:
        limit = self._moved * reach + self._band
        if self._is_label:
            widest = 0.0 if jumps is None else jumps.widest
            return _ratio(torch.tensor(self._label_distance(judged, claimed)), limit + self._moved * widest)
        if jumps is None:
            return _ratio(_distance(judged, claimed), limit)
        return _ratio(_distance(judged, claimed), limit + jumps.down.where(claimed < judged, jumps.up))

    def _label_distance(self, logits: Tensor, labels: Tensor) -> float:
        """By how much the largest logit exceeds the claimed one's; a label that does not exist exceeds everything.

        A logit that overflows is at least the largest number; one that is NaN says nothing of its row.
        """
        largest = torch.finfo(logits.dtype).max
        rows = logits.double().clamp(-largest, largest).reshape(-1, self._network.graph.steps[-1].attributes[0])
        flat = labels.reshape(-1, 1)
        if not bool(((flat >= 0) & (flat < rows.shape[1])).all()):
            return inf
        return float((rows.amax(1, keepdim=True) - rows.gather(1, flat)).nan_to_num(nan=0.0).max())

    def _reach_at(self, tensors: Sequence[Tensor]) -> float:
        """Infinite where it is not known."""
        reach = float(reach_of(self._network, self.model.numerics, tensors, REACH_ELEMENTS).calibrated.max())
        return inf if isnan(reach) else reach

    @unrunnable("a step of the model")
    def find_fault(self, evidence: Evidence, trace: OpenedTrace) -> FaultProof | None:
        """The gravest fault in what is known of an opened trace: sound before calibrated, then the largest excess.

        None if nothing that is known is wrong. Raises Doubt if the two evaluations disagree.
        """
        best: tuple[Verdict, int, int] | None = None
        excess = 0.0
        suspects = self._inspector.suspects(evidence, trace)
        for number, elements in suspects.elements.items():
            element = worst_element(evidence, number, elements)
            if element is None:
                continue
            finding = find_step(evidence, number, element)
            if best is None or (finding.verdict, float(finding.excess)) > (best[0], excess):
                best, excess = (finding.verdict, number, element), float(finding.excess)
        linked = self._worst_link(evidence, trace)
        unbounded = find_overflow_fault(evidence, trace, suspects.unbounded)
        gravest = max((found[0] for found in (best, linked, unbounded) if found is not None), default=None)
        if unbounded is not None and (best is None or unbounded[0] > best[0]) and unbounded[0] is gravest:
            return prove_undefined(evidence, unbounded[1], unbounded[2])
        if linked is not None and (best is None or linked[0] > best[0]):
            return prove_link(evidence, linked[1])
        return prove_step(evidence, best[1], best[2]) if best is not None else None

    def _worst_link(self, evidence: Evidence, trace: OpenedTrace) -> tuple[Verdict, int] | None:
        if evidence.committed.undefined or not evidence.knows_output:
            return None
        if not trace.knows(evidence.last) or (self._is_label and not trace.knows(self._judged)):
            return None
        findings = [(find_output(evidence, element), element) for element in link_suspects(evidence)]
        faults = [(finding, element) for finding, element in findings if finding.verdict is not Verdict.NO_FAULT]
        if not faults:
            return None
        finding, element = max(faults, key=lambda fault: (fault[0].verdict, fault[0].excess))
        return finding.verdict, element


def _distance(expected: Tensor, claimed: Tensor) -> Tensor:
    """Absolute differences. A claimed NaN or infinity is beyond everything; nothing is where my own run has one."""
    distance = (expected.double() - claimed.double()).abs().nan_to_num(nan=inf, posinf=inf)
    return distance.where(expected.double().isfinite(), 0.0)


def _ratio(distances: Tensor, limits: Tensor | float) -> float:
    """The greatest of distances in units of their limits; 0 of no distance, infinite of one that has no limit."""
    # Integers that are copied have no limit but equality.
    ratios = (distances / limits).where(distances.isfinite(), inf)
    return float(ratios.where(distances > 0, 0.0).max())
