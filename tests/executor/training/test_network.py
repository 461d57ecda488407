"""What of a program is trained: parameters, and neither constants nor what norms divide by, nor what no code takes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from executor.capture import capture, capture_buckets
from executor.network import Network
from executor.tensors import from_canonical, to_canonical
from executor.trace import recompute
from executor.training.network import CONSTANT_PREFIX, Trainee
from rollup.errors import BadInput
from rollup.package import Package

PICTURE = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))


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


def normed() -> Package:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    captured = capture(net.eval(), [PICTURE])
    return Package(captured.program, captured.committed)


def trainee(package: Package, frozen: tuple[str, ...] = ()) -> Trainee:
    return Trainee(package.program, [from_canonical(tensor) for tensor in package.weights], frozen)


def bucket(size: int) -> Trainee:
    buckets = capture_buckets(Shifted().eval(), [[torch.zeros(1, 3)], [torch.zeros(1, 6)]])
    captured = next(each for each in buckets if each.program.inputs[0].shape == (1, size))
    return Trainee(captured.program, list(captured.weights.values()))


def test_trainee__nothing_to_train__is_refused() -> None:
    everything = ("0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias")
    with pytest.raises(BadInput, match="frozen or constant: there is nothing to train"):
        trainee(normed(), everything)


def test_trainee__norm_over_a_batch__keeps_its_statistics() -> None:
    made = trainee(normed())
    assert set(made.parameters) == {"0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"}


def test_trainee__norm_over_a_batch__trained_is_what_its_steps_make() -> None:
    package = normed()
    made = trainee(package)
    optimiser = torch.optim.SGD(made.parameters.values(), lr=0.1)
    for _ in range(5):
        optimiser.zero_grad()
        made.module(PICTURE).square().sum().backward()
        optimiser.step()
    trained = Package(package.program, tuple(to_canonical(weight) for weight in made.weights().values()))
    with torch.no_grad():
        output = made.module(PICTURE)
    torch.testing.assert_close(recompute(Network.from_package(trained), [PICTURE])[-1], output, rtol=1e-4, atol=1e-6)


def test_weights__of_a_bucket_that_does_not_use_all__are_all_there_in_their_order() -> None:
    short, long = bucket(3), bucket(6)
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
