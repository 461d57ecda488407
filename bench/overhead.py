"""What claiming costs a forward pass: the executor's run of a batch against the plain model's, in one process.

Both are given the same stacked input; the executor's also gives every request's canonical output bytes. Pairs are
interleaved, their order alternates, and the median of their ratios is reported, so that a busy machine slows both.
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
    """Seconds of both, one right after the other."""
    if swapped:
        mine, theirs = _seconds(claimed), _seconds(plain)
    else:
        theirs, mine = _seconds(plain), _seconds(claimed)
    return theirs, mine


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
