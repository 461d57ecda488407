"""How far an output may jump where an honest run may decide otherwise: near-ties, and cliffs.

Reach is first order, and says nothing where an operator decides: which is the largest, which side of a threshold, which
whole number. A decision whose margin lies within its own reach may fall either way, and all that follows from it with
it; a clear one may not. What such decisions move the judged tensor by is added up, as reach adds up roundings.

It says too little where a function is steep and flat next to each other: a gate that is nearly always 0 or 1, a ramp
of a very large slope. What lies beyond such an edge shows when runs are shaken inside their bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.operators.formulas import FLOATS
from executor.operators.places import views_of
from executor.reach import MovableRun, judged_step, shaken
from executor.trace import recompute
from rollup.graph import Graph, Numerics, Op, Step
from rollup.numerics import Profile
from rollup.tensor import DType

# Decisions of one step that are looked at, those with the least margins. If all of them may fall either way, more may.
NEAREST = 16
# Pairs of runs, one the other's mirror image, so that whatever one element alone decides falls either way.
SHAKES = 4
SHAKE_SEED = 1
# The values beside the end of a whole number.
_BESIDE = 0.25
_WHOLE: dict[Op, Callable[[float], float]] = {
    Op.FLOOR: math.floor,
    Op.CEIL: math.ceil,
    Op.ROUND: round,
    Op.TRUNC: math.trunc,
    Op.SIGN: lambda x: float(x > 0) - float(x < 0),
}


@dataclass(frozen=True)
class _Decision:
    """What one element of a step is in float64, and what it is if `margin`, one number, is moved past zero."""

    step: int
    element: int
    margin: Tensor
    value: float
    other: float


@dataclass(frozen=True)
class Jumps:
    """By how much each element of the judged tensor may jump `down` and `up` from the float64 run, both at least 0;
    float64, in its shape.
    """

    down: Tensor
    up: Tensor

    @property
    def widest(self) -> float:
        return float(torch.maximum(self.down, self.up).max())

    def wider(self, other: Jumps) -> Jumps:
        """Element by element the larger ones."""
        return Jumps(torch.maximum(self.down, other.down), torch.maximum(self.up, other.up))


def jumps_of(network: Network, numerics: Numerics, inputs: Sequence[Tensor]) -> Jumps:
    """Infinite where too many decisions are open to tell. Costs a backward pass for each of the nearest."""
    judged = judged_step(network)
    down, up = (torch.zeros(network.graph.steps[judged].result.shape, dtype=torch.float64) for _ in range(2))
    numbers = [number for number in range(judged + 1) if _decides(network.graph, number)]
    if not numbers:
        return Jumps(down, up)
    run = MovableRun(network, numerics, inputs)
    exact = recompute(network, inputs, numerics.profile)[judged].double()
    for number in numbers:
        undecided = [decision for decision in _nearest(network, inputs, run, number) if _is_open(run, decision)]
        if len(undecided) == NEAREST:
            return Jumps(torch.full_like(down, inf), torch.full_like(up, inf))
        for decision in undecided:
            for value in (decision.value, decision.other):
                moved = _decided(network, numerics.profile, inputs, decision, value) - exact
                down += moved.neg().clamp(min=0).nan_to_num(nan=inf)
                up += moved.clamp(min=0).nan_to_num(nan=inf)
    return Jumps(down, up)


def shakes_of(network: Network, numerics: Numerics, inputs: Sequence[Tensor], exact: Tensor) -> Jumps:
    """What the widest of some runs with all elements at the ends of their bounds moves from `exact`, the judged tensor
    of the float64 run; nothing where those overflow, for no claim is made of such. Costs two forward passes for each
    of `SHAKES`.
    """
    judged, middle = judged_step(network), exact.double()
    runs = shaken(network, numerics, inputs, SHAKES, SHAKE_SEED)
    moved = torch.stack([run[judged].double() - middle for run in runs]).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    return Jumps(moved.amin(0).clamp(max=0).neg(), moved.amax(0).clamp(min=0))


def is_decided_before(network: Network, inputs: Sequence[Tensor], run: MovableRun, last: int) -> bool:
    """Whether what the steps before `last` decide falls one way only in runs inside their bounds."""
    numbers = [number for number in range(last) if _decides(network.graph, number)]
    return not any(_is_open(run, decision) for number in numbers for decision in _nearest(network, inputs, run, number))


def _decides(graph: Graph, number: int) -> bool:
    step = graph.steps[number]
    if step.operands[0].spec.dtype not in FLOATS:
        return False
    if step.op is Op.CAST:
        return step.result.dtype not in FLOATS
    return step.op in (Op.ARGMAX, Op.COMPARE) or step.op in _WHOLE


def _is_open(run: MovableRun, decision: _Decision) -> bool:
    _, reach = run.reach(decision.margin)
    # What nothing can move is decided, by however little.
    return reach > 0 and float(decision.margin.detach().abs()) <= reach


def _nearest(network: Network, inputs: Sequence[Tensor], run: MovableRun, number: int) -> Iterator[_Decision]:
    step = network.graph.steps[number]
    operands = operands_of(step, inputs, network.weights, run.results)
    views = views_of(step, [operand.double() for operand in operands])
    if step.op is Op.ARGMAX:
        return _labels(number, views[0])
    if step.op is Op.COMPARE:
        return _sides(number, views[0] - views[1], run.results[number])
    return _wholes(number, step, views[0])


def _least(margins: Tensor) -> list[int]:
    """Places of the least margins; what is not finite is far from every other decision."""
    size = margins.detach().abs().nan_to_num(nan=inf).reshape(-1)
    places: list[int] = size.topk(min(NEAREST, len(size)), largest=False).indices.tolist()
    return [place for place in places if math.isfinite(float(size[place]))]


def _labels(number: int, rows: Tensor) -> Iterator[_Decision]:
    best = rows.argmax(1, keepdim=True)
    margins = rows.gather(1, best) - rows
    # A label is no rival of itself.
    rivals = margins.detach().scatter(1, best, inf)
    for place in _least(rivals):
        row, label = divmod(place, rows.shape[1])
        yield _Decision(number, row, margins[row, label], float(best[row, 0]), float(label))


def _sides(number: int, margins: Tensor, result: Tensor) -> Iterator[_Decision]:
    flat, sides = margins.reshape(-1), result.reshape(-1)
    for place in _least(flat):
        yield _Decision(number, place, flat[place], float(sides[place]), float(not sides[place]))


def _wholes(number: int, step: Step, x: Tensor) -> Iterator[_Decision]:
    flat, function = x.reshape(-1), _function(step)
    held = flat.detach()
    ends = _ends(step, held)
    for place in _least(held - ends):
        end, value = float(ends[place]), function(float(held[place]))
        others = [function(near) for near in (end - _BESIDE, end + _BESIDE, end)]
        other = next((near for near in others if near != value), value)
        yield _Decision(number, place, flat[place] - end, value, other)


def _ends(step: Step, x: Tensor) -> Tensor:
    """The nearest place at which the step's function jumps, of each element."""
    if step.op is Op.SIGN or step.result.dtype is DType.BOOL:
        return torch.zeros_like(x)
    return x.floor() + 0.5 if step.op is Op.ROUND else x.round()


def _function(step: Step) -> Callable[[float], float]:
    if step.op is not Op.CAST:
        return _WHOLE[step.op]
    return bool if step.result.dtype is DType.BOOL else math.trunc


def _decided(network: Network, profile: Profile, inputs: Sequence[Tensor], decision: _Decision, value: float) -> Tensor:
    """The judged tensor of the float64 run that decides so."""
    results: list[Tensor] = []
    for number, step in enumerate(network.graph.steps[: judged_step(network) + 1]):
        result = evaluate_rounded(step, operands_of(step, inputs, network.weights, results), profile)
        if number == decision.step:
            result = result.clone()
            result.view(-1)[decision.element] = value
        results.append(result)
    return results[-1].double()
