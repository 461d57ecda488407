"""One expression as a module, captured, and held against PyTorch: alone, side by side with others, and written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from executor.capture import Captured, capture
from executor.runner import generate
from rollup.lowering import lower

Function = Callable[..., Tensor]
REQUESTS = 3
NEAR = 1e-5


class Form(nn.Module):
    """An expression of the inputs, and of what layers it is given."""

    def __init__(self, function: Function, *layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.layers = nn.ModuleList(layers)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*self.layers, *inputs)


def normal(*shape: int, seed: int = 0) -> list[Tensor]:
    """A tensor for each of several requests."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(1, *shape, generator=generator) for _ in range(REQUESTS)]


def whole(most: int, *shape: int, seed: int = 1) -> list[Tensor]:
    """i64 below `most`, for each of several requests."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(most, (1, *shape), generator=generator) for _ in range(REQUESTS)]


def require_agreement(function: Function, *inputs: Sequence[Tensor], layers: Sequence[nn.Module] = ()) -> Captured:
    """Captures `function`. The program, and the program without fused calls, must compute what PyTorch does."""
    module = Form(function, *layers).eval().requires_grad_(False)
    requests = list(zip(*inputs, strict=True))
    captured = capture(module, requests[0])
    weights = list(captured.weights.values())
    programs = [captured.program, lower(captured.program).program]
    with torch.inference_mode():
        expected = [module(*request) for request in requests]
        for program in programs:
            code = generate(program, weights)
            for request, wanted in zip(requests, expected, strict=True):
                require_near(code(*request), wanted)
            if program.batchable:
                stacked = code(*(torch.cat(list(tensors)) for tensors in inputs))
                require_near(stacked, torch.cat([torch.atleast_1d(wanted) for wanted in expected]))
    return captured


def require_near(received: Tensor, expected: Tensor) -> None:
    """Of one dtype and shape; floats differ by rounding at most."""
    assert received.dtype == expected.dtype
    assert received.shape == (expected.shape or (1,))
    if expected.is_floating_point():
        scale = expected[expected.isfinite()].abs().max() if expected.isfinite().any() else torch.ones(())
        torch.testing.assert_close(
            received, expected.reshape(received.shape), rtol=NEAR, atol=NEAR * float(scale), equal_nan=True
        )
    else:
        assert torch.equal(received, expected.reshape(received.shape))
