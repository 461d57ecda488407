"""The models that the harnesses measure, each at one size of request. Knows no measurement.

A model that cannot be captured is left out of what is measured, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from executor.calibration import Calibration, calibrate
from executor.capture import capture
from executor.network import Network
from rollup.lowering import lower
from tests.executor.nets import ConvNet, Tangle

Request = Sequence[Tensor]
CALIBRATION_SAMPLES = 2


@dataclass(frozen=True)
class Subject:
    """`draw` gives the inputs of one request, other ones for each seed."""

    name: str
    module: nn.Module
    draw: Callable[[int], Request]

    @cached_property
    def network(self) -> Network:
        captured = capture(self.module, self.draw(0))
        return Network(captured.program, lower(captured.program), tuple(captured.weights.values()))

    @cached_property
    def calibration(self) -> Calibration:
        return calibrate(self.network, [self.draw(seed) for seed in range(CALIBRATION_SAMPLES)])


def subjects() -> list[Subject]:
    return [
        Subject("digits", _seeded(ConvNet), _pictures(1, 1, 8, 8)),
        Subject("tangle", _seeded(Tangle), _pictures(1, 4, 6, 6)),
    ]


def _seeded(kind: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind().eval()


def _pictures(*shape: int) -> Callable[[int], Request]:
    """Pictures with elements from 0 to 1."""
    return lambda seed: [torch.rand(shape, generator=torch.Generator().manual_seed(seed))]
