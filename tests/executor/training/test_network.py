"""A program as something that can be trained."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.capture import capture, capture_buckets
from executor.training.network import CONSTANT_PREFIX, Trainee
from rollup.errors import BadInput


class Shifted(nn.Module):
    """Two sizes of input; the longer one is shifted by a constant that the shorter one leaves alone."""

    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.register_buffer("shift", torch.tensor([[5.0, 7.0]]))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x.unflatten(-1, (-1, 3))).mean(1)
        return y + self.shift if x.shape[-1] > 3 else y


class Causal(nn.Module):
    """Attention that sees no later position."""

    def __init__(self) -> None:
        super().__init__()
        self.joint = nn.Linear(4, 12)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.joint(x).chunk(3, -1)
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def trainee(size: int) -> Trainee:
    buckets = capture_buckets(Shifted().eval(), [[torch.zeros(1, 3)], [torch.zeros(1, 6)]])
    captured = next(each for each in buckets if each.program.inputs[0].shape == (1, size))
    return Trainee(captured.program, list(captured.weights.values()))


def test_trainee__only_frozen_weights__is_refused() -> None:
    captured = capture_buckets(nn.Linear(3, 2).eval(), [[torch.zeros(1, 3)]])[0]
    with pytest.raises(BadInput, match="all of the 2 weights are frozen or constant"):
        Trainee(captured.program, list(captured.weights.values()), ("weight", "bias"))


def test_weights__of_a_bucket_that_does_not_use_all__are_all_there_in_their_order() -> None:
    short, long = trainee(3), trainee(6)
    assert list(short.weights()) == list(long.weights())
    assert set(short.parameters) == {"linear.weight", "linear.bias"}
    short.draw(1)
    (shift,) = (tensor for name, tensor in short.weights().items() if name.startswith(CONSTANT_PREFIX))
    assert shift.flatten().tolist() == [5.0, 7.0]
    x, weights = torch.rand(4, 3), short.weights()
    assert torch.allclose(short.module(x), x @ weights["linear.weight"].T + weights["linear.bias"])


def test_weights__of_causal_attention__hold_the_mask_that_its_kernel_makes_itself() -> None:
    captured = capture(Causal().eval(), [torch.zeros(1, 5, 4)])
    attention = Trainee(captured.program, list(captured.weights.values()))
    assert set(attention.parameters) == {"joint.weight", "joint.bias"}
    for kept, given in zip(attention.weights().values(), captured.weights.values(), strict=True):
        assert torch.equal(kept, given)
