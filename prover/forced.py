"""Overflows that no run can avoid: where my own run makes no number, whether another's may (PROTOCOL.md, section 6).

A claim of an output whose trace overflows is rejected, and one whose trace has a number where the exact value is beyond
them all is slashed. So whoever claims a number loses a dispute if some element overflows whatever a run inside its
bounds does. A run near the largest number may do either, and is honest both ways: then nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from executor.bounds import bound_of
from executor.models import LoadedModel
from executor.network import Network, operands_of
from executor.operators import evaluate, evaluate_rounded
from executor.operators.formulas import FLOATS
from executor.operators.places import views_of
from executor.overflow import is_finite
from executor.reach import MovableRun, judged_step
from executor.tensors import to_canonical, torch_dtype
from executor.trace import Results
from prover.jumps import is_decided_before
from rollup.codec import Overflow
from rollup.graph import Op, Step
from rollup.judge.evaluate import evaluate as judged
from rollup.judge.evaluate import open_tensors
from rollup.judge.undefined import OVERFLOWING
from rollup.numerics import Profile
from rollup.types import Verdict

# Elements of one step whose reach is taken, each with a backward pass: those whose own bound is the least part of them.
CLEAREST = 8
# Of exponentials the argument is looked at, for float64 overflows too. Up to here their sound bound is at most half.
_LARGEST_ARGUMENT = 2.0**22
_EXPONENTIALS = frozenset({Op.EXP, Op.EXPM1})


def find_forced(model: LoadedModel, inputs: Sequence[Tensor]) -> Overflow | None:
    """The first element, up to the judged tensor, that overflows in every run inside its bounds.

    None where that is not certain: too near to the largest number, without a finite reach, or where a near-tie on the
    way decides otherwise. Costs two float64 runs and some backward passes.
    """
    network, profile = model.network, model.numerics.profile
    run, capped = MovableRun(network, model.numerics, inputs), capped_run(network, inputs, profile)
    for number in _places(network):
        step = network.graph.steps[number]
        operands = operands_of(step, inputs, network.weights, capped)
        for element in _clearest(step, operands, run.results[number].detach(), profile):
            size = _size(step, element, operands_of(step, inputs, network.weights, run.results), run.results[number])
            if _is_beyond_all(step, size, run) and _is_fault(step, element, [capped[number], *operands], profile):
                # Decisions of later steps only come to those that are open here.
                return Overflow(number, element) if is_decided_before(network, inputs, run, number) else None
    return None


def capped_run(network: Network, inputs: Sequence[Tensor], profile: Profile) -> Results:
    """The float64 run with the largest number, or the least, wherever it overflows."""
    results: Results = []
    for step in network.graph.steps:
        operands = operands_of(step, inputs, network.weights, results)
        result = evaluate_rounded(step, operands, profile)
        if step.op in OVERFLOWING and not is_finite(result):
            exact = evaluate(step, operands, profile)
            largest = torch.finfo(result.dtype).max
            # What a mask or a pole makes infinite is so in float64 too, but for exponentials.
            overflows = ~exact.isnan() if step.op in _EXPONENTIALS else exact.isfinite()
            result = torch.where(overflows, exact.clamp(-largest, largest).to(result.dtype), result)
        results.append(result)
    return results


def _places(network: Network) -> Iterator[int]:
    """Steps that may overflow, in order, whose result is that of their call: a kernel may do without what it derives
    between.
    """
    for number in network.lowered.results:
        step = network.graph.steps[number]
        if number <= judged_step(network) and step.op in OVERFLOWING and step.result.dtype in FLOATS:
            yield number


def _clearest(step: Step, operands: Sequence[Tensor], exact: Tensor, profile: Profile) -> list[int]:
    sizes = exact.abs().reshape(-1)
    beyond = (sizes > _infinite_from(step)).nonzero().reshape(-1)
    if not len(beyond):
        return []
    parts = (bound_of(step, operands, 0, profile).reshape(-1)[beyond] / sizes[beyond]).nan_to_num(nan=math.inf)
    found: list[int] = beyond[parts.argsort()[:CLEAREST]].tolist()
    return found


def _infinite_from(step: Step) -> float:
    """The least power of two that the result's dtype does not hold: all from there on is rounded to infinity."""
    _, exponent = math.frexp(torch.finfo(torch_dtype(step.result.dtype)).max)
    return 2.0**exponent


def _size(step: Step, element: int, operands: Sequence[Tensor], result: Tensor) -> Tensor:
    """What is to be beyond all numbers: the element's magnitude, or the argument of an exponential."""
    if step.op in _EXPONENTIALS:
        return views_of(step, [operand.double() for operand in operands])[0].reshape(-1)[element]
    return result.reshape(-1)[element].abs()


def _is_beyond_all(step: Step, size: Tensor, run: MovableRun) -> bool:
    """Whether `size` stays beyond, by whatever a run inside its sound bounds takes from it. NaN is not."""
    reach, _ = run.reach(size)
    least, limit = float(size.detach()) - reach, _infinite_from(step)
    if step.op in _EXPONENTIALS:
        return least > math.log(limit) + 1 and least + 2 * reach <= _LARGEST_ARGUMENT
    return math.isfinite(reach) and least > limit


def _is_fault(step: Step, element: int, tensors: Sequence[Tensor], profile: Profile) -> bool:
    """Whether the exact judge slashes the number nearest to what overflows, and so every other."""
    opened = open_tensors(step, element, [to_canonical(tensor) for tensor in tensors], profile)
    return judged(step, opened.values, opened.hint, 0, profile).verdict is Verdict.BEYOND_SOUND
