"""One model of the zoo: how it is built and what it is asked, both from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor, nn

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Specimen:
    """`build` makes the module; `draw` makes one request's inputs (leading size 1) from a generator.

    `batchable`: whether the module itself treats the rows of a batch apart. `sizes` are the sizes of a request that it
    is asked in, for models that take several (tokens of a text); `draw` gets one of them, `sizes[0]` by default.
    """

    name: str
    build: Callable[[], nn.Module]
    draw: Callable[[Generator, int], Inputs]
    sizes: tuple[int, ...] = (0,)
    seed: int = 0

    @cached_property
    def module(self) -> nn.Module:
        """In evaluation mode; its weights come from the seed, or from a package."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self.build().eval().requires_grad_(False)

    def request(self, seed: int = 0, size: int | None = None) -> Inputs:
        """Inputs of one request."""
        return self.draw(Generator().manual_seed(seed), self.sizes[0] if size is None else size)

    def batch(self, count: int, size: int | None = None) -> Inputs:
        """Inputs of `count` different requests, stacked."""
        return stacked([self.request(seed, size) for seed in range(count)])


def stacked(requests: Sequence[Inputs]) -> Inputs:
    """Requests side by side, one tensor per input."""
    return tuple(torch.cat(parts) for parts in zip(*requests, strict=True))


def lively(module: nn.Module) -> nn.Module:
    """Fresh gains of 1, biases of 0 and statistics of an empty run, moved to where training leaves them."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * (0.1 if name.endswith("weight") else 0.02))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.2)
            elif name.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
    return module
