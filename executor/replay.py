"""Replay: a run of the fast kernels that keeps every step's result, as the graph has them.

Interprets the program written out in primitive calls. Where a call is several steps the inner ones, which no kernel
shows, are derived in float64; so is the last one where its bound does not cover the call's kernel, and what was derived
is then what later calls read. So every step's result follows from the results it names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.runner import profile as pinned
from executor.runner import target_of
from rollup.call import Value
from rollup.graph import Source
from rollup.numerics import FP32, Profile

Results = list[Tensor]
Request = Sequence[Tensor]


def replay_batch(
    network: Network,
    batch: Sequence[Request],
    wanted: Sequence[int] = (0,),
    device: str | torch.device = "cpu",
    profile: Profile = FP32,
) -> list[Results]:
    """Results of all steps of the `wanted` requests of a batch that is run side by side; on the CPU."""
    run = _Replay(network, batch, wanted, torch.device(device), profile)
    with pinned():
        for place in range(len(network.expanded.calls)):
            run.call(place)
    return [run.results[request] for request in wanted]


def results_of_calls(
    network: Network, inputs: Request, calls: Sequence[Tensor], request: int, profile: Profile = FP32
) -> Results:
    """Results of all steps for one request of a batch, from what each primitive call made of the whole batch.

    `inputs` are the request's own. What later calls made of a call that is not covered was made of its kernel's value,
    not of the derived one that stands here in its place.
    """
    lowered = network.lowered
    made = {step: place for place, step in enumerate(lowered.results) if lowered.covered[place]}
    results: Results = []
    for number, step in enumerate(network.graph.steps):
        if number in made:
            results.append(part_of(calls[made[number]], network.expanded.results[made[number]], request))
        else:
            results.append(evaluate_rounded(step, operands_of(step, inputs, network.weights, results), profile))
    return results


class _Replay:
    """Values of calls, requests side by side, on the device; results of steps, request by request."""

    def __init__(
        self, network: Network, batch: Sequence[Request], wanted: Sequence[int], device: torch.device, profile: Profile
    ) -> None:
        self._network, self._batch, self._wanted = network, batch, wanted
        self._device, self._profile = device, profile
        self._values = {
            Source.INPUT: [torch.cat(tensors).to(device) for tensors in zip(*batch, strict=True)],
            Source.WEIGHT: [weight.to(device) for weight in network.weights],
            Source.STEP: list[Tensor](),
        }
        # Requests that nobody wants take part in what is derived, since later calls read it of all of them.
        self._kept = range(len(batch)) if not all(network.lowered.covered) else wanted
        self.results: dict[int, Results] = {request: [] for request in self._kept}

    def call(self, place: int) -> None:
        lowered, value = self._network.lowered, self._network.expanded.results[place]
        first = lowered.results[place - 1] + 1 if place else 0
        last = lowered.results[place]
        if lowered.covered[place]:
            operands = self._network.expanded.calls[place].operands
            made = kernel_of(self._network, place, [self._values[ref.source][ref.index] for ref in operands])
            self._derive(first, last)
            for request, results in self.results.items():
                results.append(part_of(made, value, request))
        else:
            self._derive(first, last + 1)
            made = self._stacked(value)
        self._values[Source.STEP].append(made)

    def _derive(self, first: int, end: int) -> None:
        """Steps `first..end` of every request, from what its trace has so far."""
        for number in range(first, end):
            step = self._network.graph.steps[number]
            for request, results in self.results.items():
                operands = operands_of(step, self._batch[request], self._network.weights, results)
                results.append(evaluate_rounded(step, operands, self._profile))

    def _stacked(self, value: Value) -> Tensor:
        """The last result of every request, side by side as a batch has them."""
        parts = [results[-1] for results in self.results.values()]
        if not value.batched:
            return parts[0].reshape(value.shape).to(self._device)
        side_by_side = torch.stack([part.reshape(value.outer, -1) for part in parts], dim=1)
        return side_by_side.reshape(batch_shape(value, len(parts))).to(self._device)


def kernel_of(network: Network, place: int, operands: Sequence[Tensor]) -> Tensor:
    """What the kernel of call `place` of the expanded program makes of its operands. Keeps no profile by itself."""
    function, arguments = target_of(network.expanded.calls[place], network.expanded.results[place], operands)
    return function(*arguments)


def batch_shape(value: Value, count: int) -> tuple[int, ...]:
    """Shape of a value in a batch of `count` requests."""
    if value.place is None:
        return value.shape
    axis = value.place.axis
    return (*value.shape[:axis], value.shape[axis] * count, *value.shape[axis + 1 :])


def part_of(made: Tensor, value: Value, request: int) -> Tensor:
    """One request's part of a batch's value; contiguous, on the CPU, and nothing else's memory."""
    if not value.batched or value.place is None:
        return made.reshape(value.shape).cpu().contiguous()
    count = made.numel() // value.spec.elements
    part = made.reshape(value.outer, count, -1)[:, request]
    return part.reshape(value.shape).cpu().contiguous()
