"""Which elements of an opened trace are worth putting before the exact judge: the fast look at every step.

A step that is bit for bit what this machine's own kernel makes of the committed operands is passed: it is an honest
run's, and no order of summation leaves a sound bound. Every other element must lie inside its calibrated bound by the
float64 filter, or is a suspect. Holds no more of the trace as tensors than steps to come still read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from torch import Tensor

from executor.bounds import bound_of, inside
from executor.network import Network, operands_of
from executor.operators import evaluate
from executor.operators.movement import MOVES
from executor.replay import kernel_of
from executor.runner import profile as pinned
from executor.tensors import f32_of_bits, from_canonical, has_bytes, is_finite, is_true, torch_dtype
from prover.fault_proof import Evidence
from prover.opened import OpenedTrace
from rollup.graph import Numerics, Op, Source, Step
from rollup.judge.dtypes import FLOATS
from rollup.tensor import Tensor as Committed

# Suspects of one step that are put before the exact judge: those farthest outside their bounds.
MAX_SUSPECTS = 16


@dataclass(frozen=True)
class Suspects:
    """What a look finds. `elements`: by step, at most `MAX_SUSPECTS` of each; `unbounded`: steps whose result is not
    finite everywhere. Steps in order; what is not known is passed."""

    elements: dict[int, list[int]] = field(default_factory=dict)
    unbounded: list[int] = field(default_factory=list)


class Inspector:
    """Looks through opened traces of one model."""

    def __init__(self, network: Network, numerics: Numerics) -> None:
        self._network, self._numerics = network, numerics
        self._last_use = _last_uses(network)
        # Calls by the step whose result is their kernel's. A movement costs no more to look at than to run.
        pairs = enumerate(zip(network.lowered.results, network.lowered.covered, strict=True))
        self._calls = {
            last: place for place, (last, covered) in pairs if covered and network.graph.steps[last].op not in MOVES
        }

    def suspects(self, evidence: Evidence, trace: OpenedTrace) -> Suspects:
        """Looks at every step of which enough is known."""
        look, found = _Look(self._network, evidence, trace), Suspects()
        # Whoever opens a float64 run has no kernel's bits anywhere: one contraction tells.
        compares = True
        with pinned():
            for number, step in enumerate(self._network.graph.steps):
                if trace.knows_step(number):
                    place = self._calls.get(number) if compares else None
                    same = look.is_made(number, place)
                    compares = compares and (same or place is None or step.op is not Op.CONTRACT)
                    elements = [] if same else self._outside(number, step, look.operands(step), look.result(number))
                    if elements:
                        found.elements[number] = elements
                    if not is_finite(look.result(number)):
                        found.unbounded.append(number)
                look.forget(self._last_use.get(number, ()))
        return found

    def _outside(self, number: int, step: Step, operands: Sequence[Tensor], result: Tensor) -> list[int]:
        profile = self._numerics.profile
        good = inside(step, operands, result, self._numerics.factors[number], profile)
        if is_true(good):
            return []
        suspects = (~good).reshape(-1).nonzero().reshape(-1)
        if len(suspects) > MAX_SUSPECTS and result.is_floating_point() and step.op not in MOVES:
            distance = (result.double() - evaluate(step, operands, profile).double()).abs()
            excess = (distance / bound_of(step, operands, 0, profile)).reshape(-1)[suspects]
            # A NaN is as far outside as anything.
            suspects = suspects[excess.nan_to_num(inf).argsort(descending=True)]
        found: list[int] = suspects[:MAX_SUSPECTS].tolist()
        return found


class _Look:
    """Tensors of one opened trace, made from its bytes when first read."""

    def __init__(self, network: Network, evidence: Evidence, trace: OpenedTrace) -> None:
        self._network, self._trace = network, trace
        self._inputs = [from_canonical(evidence.inputs.tensor(place)) for place in range(len(network.graph.inputs))]
        self._held: dict[int, Tensor] = {}

    def result(self, number: int) -> Tensor:
        if number not in self._held:
            self._held[number] = from_canonical(self._trace.tensor(number))
        return self._held[number]

    def operands(self, step: Step) -> list[Tensor]:
        for operand in step.operands:
            if operand.source is Source.STEP:
                self.result(operand.index)
        return operands_of(step, self._inputs, self._network.weights, self._held)

    def is_made(self, number: int, place: int | None) -> bool:
        """Whether a step's result has the bits that this machine makes of what is committed: by its movement, or by
        the kernel of call `place`."""
        step = self._network.graph.steps[number]
        made = MOVES[step.op](step, self.operands(step)) if step.op in MOVES else self._of_kernel(place)
        if made is None or made.dtype is not torch_dtype(step.result.dtype):
            return False
        made = made.contiguous()
        if not has_bytes(made, self._trace.tensor(number).data):
            return False
        # What was made need not be read.
        self._held[number] = made.reshape(step.result.shape)
        return True

    def _of_kernel(self, place: int | None) -> Tensor | None:
        """What the kernel of a call makes of what is committed, where that is known."""
        if place is None:
            return None
        lowered, values = self._network.lowered, []
        for ref in self._network.expanded.calls[place].operands:
            if ref.source is Source.STEP:
                number = lowered.results[ref.index]
                if not self._trace.knows(number):
                    return None
                values.append(self.result(number))
            else:
                values.append((self._inputs if ref.source is Source.INPUT else self._network.weights)[ref.index])
        return kernel_of(self._network, place, values)

    def forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._held.pop(number, None)


def link_suspects(evidence: Evidence) -> list[int]:
    """Elements of the claimed output that are not certainly within both bands of the traced one, in order."""
    spec, committed = evidence.graph.output, evidence.committed
    if evidence.graph.steps[-1].op is Op.ARGMAX or spec.dtype not in FLOATS:
        return list(range(spec.elements))
    claimed = from_canonical(evidence.claimed or Committed(spec, committed.claimed_output))
    traced = from_canonical(evidence.tensor(evidence.last, 0))
    band = min(f32_of_bits(committed.output_band), f32_of_bits(committed.slash_band))
    # A difference that float64 rounds up to the band may lie within it, one that it rounds down to it beyond.
    linked = (claimed == traced) | ((claimed.double() - traced.double()).abs() < band)
    found: list[int] = (~linked).reshape(-1).nonzero().reshape(-1).tolist()
    return found


def _last_uses(network: Network) -> dict[int, list[int]]:
    """Results that nothing reads after a step, by that step."""
    last = {number: number for number in range(len(network.graph.steps))}
    for number, step in enumerate(network.graph.steps):
        for operand in step.operands:
            if operand.source is Source.STEP:
                last[operand.index] = number
    for place, call in enumerate(network.expanded.calls):
        for ref in call.operands:
            if ref.source is Source.STEP:
                read = network.lowered.results[ref.index]
                last[read] = max(last[read], network.lowered.results[place])
    uses: dict[int, list[int]] = {}
    for read, number in last.items():
        uses.setdefault(number, []).append(read)
    return uses
