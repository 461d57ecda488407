"""What of a program is trained: parameters, and neither constants nor what norms divide by."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from executor.capture import capture
from executor.network import Network
from executor.tensors import from_canonical, to_canonical
from executor.trace import recompute
from executor.training.network import Trainee
from rollup.errors import BadInput
from rollup.package import Package

PICTURE = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def normed() -> Package:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    captured = capture(net.eval(), [PICTURE])
    return Package(captured.program, captured.committed)


def trainee(package: Package, frozen: tuple[str, ...] = ()) -> Trainee:
    return Trainee(package.program, [from_canonical(tensor) for tensor in package.weights], frozen)


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
