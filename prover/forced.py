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
from executor.reach import MovableRun, judged_step, shaken
from executor.tensors import is_finite, to_canonical, torch_dtype
from executor.trace import Results
from prover.jumps import SHAKE_SEED, SHAKES, is_decided_before
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

    None where that is not certain: too near to the largest number, without a finite reach, or where a near-tie or a
    cliff on the way decides otherwise (prover/jumps.py). Costs some float64 runs and backward passes.
    """
    look = _Look(model, inputs)
    for call in _calls(model.network):
        last = look.beyond_all(call[-1])
        # A kernel may do without what a trace derives between, but makes the same in the end.
        for number in call if last else ():
            elements = last if number == call[-1] else look.beyond_all(number)
            element = next((element for element in elements if look.is_fault(number, element)), None)
            if element is not None:
                # Decisions of later steps only come to those that are open here.
                is_certain = look.is_decided_before(number) and look.overflows_shaken(number, element)
                return Overflow(number, element) if is_certain else None
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


def _calls(network: Network) -> Iterator[range]:
    """The steps of each call up to the judged tensor whose result may overflow, in order."""
    first = 0
    for last in network.lowered.results:
        if last <= judged_step(network) and _may_overflow(network.graph.steps[last]):
            yield range(first, last + 1)
        first = last + 1


def _may_overflow(step: Step) -> bool:
    return step.op in OVERFLOWING and step.result.dtype in FLOATS


class _Look:
    """One request: what its elements are in float64, unrounded, and in a run that has the largest number instead."""

    def __init__(self, model: LoadedModel, inputs: Sequence[Tensor]) -> None:
        self._network, self._inputs, self._profile = model.network, inputs, model.numerics.profile
        self._sound = model.numerics.sound
        self._run = MovableRun(model.network, model.numerics, inputs)
        self._capped = capped_run(model.network, inputs, self._profile)

    def beyond_all(self, number: int) -> list[int]:
        """Elements of a step, of the clearest ones, that no run inside its bounds brings back among the numbers."""
        step = self._network.graph.steps[number]
        if not _may_overflow(step):
            return []
        operands = self._operands(number, self._run.results)
        return [element for element in self._clearest(number) if self._is_beyond(step, element, operands, number)]

    def is_fault(self, number: int, element: int) -> bool:
        """Whether the exact judge slashes the number nearest to what overflows, and so every other."""
        step = self._network.graph.steps[number]
        shown = [to_canonical(each) for each in (self._capped[number], *self._operands(number, self._capped))]
        opened = open_tensors(step, element, shown, self._profile)
        return judged(step, opened.values, opened.hint, 0, self._profile).verdict is Verdict.BEYOND_SOUND

    def is_decided_before(self, number: int) -> bool:
        return is_decided_before(self._network, self._inputs, self._run, number)

    def overflows_shaken(self, number: int, element: int) -> bool:
        """Whether the element is no number in any run with all elements at the ends of their sound bounds."""
        runs = shaken(self._network, self._sound, self._inputs, SHAKES, SHAKE_SEED)
        return not any(bool(results[number].reshape(-1)[element].isfinite()) for results in runs)

    def _operands(self, number: int, results: Sequence[Tensor]) -> list[Tensor]:
        return operands_of(self._network.graph.steps[number], self._inputs, self._network.weights, results)

    def _clearest(self, number: int) -> list[int]:
        step, sizes = self._network.graph.steps[number], self._run.results[number].detach().abs().reshape(-1)
        beyond = (sizes > _infinite_from(step)).nonzero().reshape(-1)
        if not len(beyond):
            return []
        bounds = bound_of(step, self._operands(number, self._capped), 0, self._profile).reshape(-1)
        found: list[int] = beyond[(bounds / sizes)[beyond].nan_to_num(nan=math.inf).argsort()[:CLEAREST]].tolist()
        return found

    def _is_beyond(self, step: Step, element: int, operands: Sequence[Tensor], number: int) -> bool:
        limit = _infinite_from(step)
        if step.op not in _EXPONENTIALS:
            size = self._run.results[number].reshape(-1)[element].abs()
            reach, _ = self._run.reach(size)
            return math.isfinite(reach) and float(size.detach()) - reach > limit
        argument = views_of(step, [operand.double() for operand in operands])[0].reshape(-1)[element]
        reach, _ = self._run.reach(argument)
        least, most = float(argument.detach()) - reach, float(argument.detach()) + reach
        return least > math.log(limit) + 1 and most <= _LARGEST_ARGUMENT


def _infinite_from(step: Step) -> float:
    """The least power of two that the result's dtype does not hold: all from there on is rounded to infinity."""
    _, exponent = math.frexp(torch.finfo(torch_dtype(step.result.dtype)).max)
    return 2.0**exponent
