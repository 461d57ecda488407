"""On what a model is calibrated: devices, thread counts, batch sizes, and how much of it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from executor.network import Network
from executor.reach import MAX_ELEMENTS
from executor.replay import Results, replay_batch
from executor.threads import thread_count
from rollup.numerics import FP32, Profile

Request = Sequence[Tensor]
# Who waits is told of the stage that is under way: its name, how much of it is done, and of how much.
Tell = Callable[[str, int, int], None]
# Results of all calls of one stacked run, which are held together: 1 GiB of f32.
MAX_STACK_ELEMENTS = 2**28


@dataclass(frozen=True)
class Plan:
    """Each device runs the samples with each thread count at each batch size (those that fit, and that there are).

    `elements`: of all steps, about how many are compared in all; `requests`: at most, of each way of computing. Reach
    is taken of `reach_samples` samples and at most `reach_elements` elements of each one's judged tensor.
    """

    devices: tuple[str, ...] = ("cpu",)
    threads: tuple[int, ...] = (1, 2)
    batch_sizes: tuple[int, ...] = (1, 2, 8, 32)
    profile: Profile = FP32
    elements: int = 2**29
    requests: int = 8
    reach_samples: int = 2
    reach_elements: int = MAX_ELEMENTS

    def sizes(self, network: Network, samples: int) -> tuple[int, ...]:
        """Batch sizes for a model, at least 1; requests of a model that mixes them are run alone."""
        if not network.expanded.batchable:
            return (1,)
        most = min(samples, max(1, MAX_STACK_ELEMENTS // elements_of(network)))
        return tuple(sorted({min(size, most) for size in self.batch_sizes}))


@dataclass(frozen=True)
class Way:
    """One way of computing: `requests` of the samples are compared, `size` run side by side."""

    device: str
    threads: int
    size: int
    requests: int


@dataclass(frozen=True)
class Run:
    """Results of all steps of one sample, as fast kernels computed them."""

    sample: int
    results: Results


def silent(stage: str, done: int, of: int) -> None:
    """Tells nobody."""


def elements_of(network: Network) -> int:
    """Elements of all results of one request."""
    return sum(step.result.elements for step in network.graph.steps)


def ways(network: Network, plan: Plan, samples: int) -> list[Way]:
    """All that the plan asks for, the elements shared out evenly; each at least one request."""
    sizes = plan.sizes(network, samples)
    count = len(plan.devices) * len(plan.threads) * len(sizes)
    requests = min(samples, plan.requests, max(1, plan.elements // elements_of(network) // count))
    return [
        Way(device, threads, size, requests) for device in plan.devices for threads in plan.threads for size in sizes
    ]


def fast_runs(network: Network, plan: Plan, samples: Sequence[Request]) -> Iterator[Run]:
    """All steps of samples as the fast code computes them, in all of the plan's ways."""
    for way in ways(network, plan, len(samples)):
        left = way.requests
        for start in range(0, len(samples) - way.size + 1, way.size):
            wanted = _outermost(way.size)[:left]
            if not wanted:
                break
            batch = samples[start : start + way.size]
            with thread_count(way.threads):
                found = replay_batch(network, batch, wanted, way.device, plan.profile)
            yield from (Run(start + place, results) for place, results in zip(wanted, found, strict=True))
            left -= len(wanted)


def _outermost(size: int) -> list[int]:
    """Places of a batch, from both ends: where blocks of a kernel are whole, and where they are not."""
    return sorted(range(size), key=lambda place: min(place, size - 1 - place))
