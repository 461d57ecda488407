"""The natural error: how far the fast kernels are from exact on samples, in all of a plan's ways of computing.

A step's error follows from its operands and its result. Most ways of computing make the same bits, of which one look is
enough: digests of what was seen are kept, not tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from executor.bounds import is_approximate
from executor.calibration.document import StepErrors
from executor.calibration.errors import error_of
from executor.calibration.plan import Plan, Request, Run, Tell, fast_runs, silent, ways
from executor.network import Network, operands_of
from executor.reach import judged_step
from rollup.graph import Source


@dataclass(frozen=True)
class Tried:
    """Samples, and of each the judged tensor of its exact run."""

    samples: Sequence[Request]
    exact: Sequence[Tensor]


def natural_errors(network: Network, tried: Tried, plan: Plan, tell: Tell = silent) -> tuple[StepErrors, float]:
    """Worst error of each step's fast kernel, and worst difference of judged elements from the exact run."""
    steps, judged = network.graph.steps, judged_step(network)
    kernels, compared = _kernel_steps(network), _Compared(network)
    worst, runs, difference = [0.0] * len(steps), 0, 0.0
    planned = sum(way.requests for way in ways(network, plan, len(tried.samples)))
    for run in fast_runs(network, plan, tried.samples):
        tell("natural", runs, planned)
        runs += 1
        for number in compared.new(run, kernels):
            operands = operands_of(steps[number], tried.samples[run.sample], network.weights, run.results)
            worst[number] = max(worst[number], error_of(steps[number], operands, run.results[number], plan.profile))
        difference = max(difference, _difference(run.results[judged], tried.exact[run.sample]))
    elements = runs * sum(steps[number].result.elements for number in kernels)
    return StepErrors(tuple(worst), (), runs, elements), difference


def _kernel_steps(network: Network) -> list[int]:
    """Steps that a factor bounds and a kernel computes: what is derived does not err."""
    pairs = zip(network.lowered.results, network.lowered.covered, strict=True)
    return [last for last, covered in pairs if covered and is_approximate(network.graph.steps[last])]


def _difference(result: Tensor, exact: Tensor) -> float:
    """Worst absolute difference of elements that are finite in the exact run."""
    distance = (result.double() - exact.double()).abs()
    return float(distance.where(exact.isfinite(), 0.0).nan_to_num(0.0).max())


class _Compared:
    """Steps of one network's runs, as they were seen."""

    def __init__(self, network: Network) -> None:
        self._steps = network.graph.steps
        self._seen: set[tuple[int, int, tuple[bytes, ...]]] = set()

    def new(self, run: Run, numbers: Iterable[int]) -> list[int]:
        """Those of the steps that no run of the same sample had with these operands and this result."""
        digests = [_digest(result) for result in run.results]
        found = []
        for number in numbers:
            read = (operand.index for operand in self._steps[number].operands if operand.source is Source.STEP)
            key = (run.sample, number, tuple(digests[index] for index in (number, *read)))
            if key not in self._seen:
                self._seen.add(key)
                found.append(number)
        return found


def _digest(result: Tensor) -> bytes:
    # A single element may have any stride, which no view as bytes takes.
    flat = result.reshape(-1).clone(memory_format=torch.contiguous_format)
    return sha256(flat.view(torch.uint8).numpy().data).digest()
