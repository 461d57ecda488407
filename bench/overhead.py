"""What claiming costs a forward pass: the executor's run of a batch against the plain model's, in one process.

Both are given the same stacked input; the executor's also gives every request's canonical output bytes. A pair is the
best of a few runs of each, in turn, since whatever else the machine does only ever slows a run. The order alternates,
and the median of the pairs' ratios is reported.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.network import Network
from executor.runner import Runner
from rollup.lowering import lower

PAIRS = 50
# Of each side, for one pair.
RUNS = 3
LEAST_SECONDS = 0.2
FIRST_BATCH = 64


class Appraiser(nn.Module):
    """A network of an ordinary kind: f32 [N, 10] from f32 [N, 3, 64, 64], 36 million multiplications a request."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.hidden = nn.Linear(128 * 64, 512)
        self.scores = nn.Linear(512, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.scores(torch.relu(self.hidden(self.features(pictures).flatten(1))))
        return scores


def run() -> dict[str, Any]:
    """`ratio`: claimed forward over plain forward, median of the pairs. Times in seconds."""
    torch.manual_seed(0)
    module = Appraiser().eval()
    captured = capture(module, [torch.zeros(1, 3, 64, 64)])
    runner = Runner(Network(captured.program, lower(captured.program), tuple(captured.weights.values())))
    inputs = _batch(module)

    def plain() -> None:
        with torch.inference_mode():
            module(inputs)

    def claimed() -> None:
        runner.run_stacked([inputs])

    pairs = [_pair(plain, claimed, place % 2 == 1) for place in range(-2, PAIRS)][2:]
    return {
        "ratio": statistics.median(mine / theirs for theirs, mine in pairs),
        "pairs": PAIRS,
        "batch": len(inputs),
        "plain_seconds": statistics.median(theirs for theirs, _ in pairs),
        "claimed_seconds": statistics.median(mine for _, mine in pairs),
        "threads": torch.get_num_threads(),
    }


def _batch(module: nn.Module) -> Tensor:
    """A batch whose plain forward takes long enough."""
    size = FIRST_BATCH
    while True:
        inputs = torch.rand(size, 3, 64, 64)
        with torch.inference_mode():
            # The first of them warms up.
            if min(_seconds(partial(module, inputs)) for _ in range(4)) >= LEAST_SECONDS:
                return inputs
        size *= 2


def _pair(plain: Callable[[], None], claimed: Callable[[], None], swapped: bool) -> tuple[float, float]:
    """Seconds of both, run in turn."""
    acts = (claimed, plain) if swapped else (plain, claimed)
    runs = [[_seconds(act) for act in acts] for _ in range(RUNS)]
    first, second = (min(run[place] for run in runs) for place in range(2))
    return (second, first) if swapped else (first, second)


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
