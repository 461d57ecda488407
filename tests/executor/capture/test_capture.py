"""Capture: a program computes what the module computes; whatever it cannot hold is named, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture, export_to_folder
from executor.network import Network
from executor.runner import Runner
from rollup.errors import BadGraph
from rollup.package import read_folder
from tests.executor.nets import ConvNet, conv_net, tangle


class Gamma(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.lgamma(x)


class Oddly(nn.Module):
    """Three things that cannot be judged, in two places; what needs them is none."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), Gamma())
        self.outer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        bent = torch.i0(self.outer(self.inner(x)))
        return torch.relu(bent) + torch.rand(4)


class Mixer(nn.Module):
    """Adds up over the requests."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x], dim=0)


class Two(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.relu(x), x + 1


def test_every_unsupported_operator__is_named_with_its_place() -> None:
    with pytest.raises(BadGraph) as refusal:
        capture(Oddly().eval(), [torch.zeros(1, 4)])
    faults = str(refusal.value).split("; ")
    assert [fault.split(": ", 1)[1] for fault in faults] == [
        "aten.lgamma.default is not supported",
        "aten.i0.default is not supported",
        "aten.rand.default is random: no two runs of it agree",
    ]
    assert faults[0].startswith("inner.1 (File ")
    assert all("test_capture.py" in fault for fault in faults)


def test_a_module_in_training__is_refused() -> None:
    with pytest.raises(BadGraph, match="training mode"):
        capture(ConvNet().train(), [torch.zeros(1, 1, 8, 8)])


def test_requests_that_meet__are_run_one_by_one() -> None:
    assert not capture(Mixer().eval(), [torch.zeros(1, 4)]).program.batchable


class Choosy(nn.Module):
    """Does what the request's values say."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) if x.sum() > 0 else x * 2


class Counter(nn.Module):
    """Remembers the requests before."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        return x * self.seen


def test_a_path_that_depends_on_values__is_refused() -> None:
    with pytest.raises(BadGraph, match=r'cannot trace the module \(File ".*test_capture.py", line \d+, in forward\): '):
        capture(Choosy().eval(), [torch.zeros(1, 4)])


class Found(nn.Module):
    """As many as the request has."""

    def forward(self, x: Tensor) -> Tensor:
        return x.nonzero().float() * 2


def test_a_size_that_depends_on_values__is_one_fault_where_it_is_made() -> None:
    with pytest.raises(BadGraph, match=r'^forward \(File "[^;]*in forward\): aten.nonzero.default is not supported$'):
        capture(Found().eval(), [torch.zeros(1, 4)])


def test_a_module_that_remembers__is_refused() -> None:
    with pytest.raises(BadGraph, match="the module changes its buffer seen: requests would depend on each other"):
        capture(Counter().eval(), [torch.zeros(1, 4)])


def test_two_outputs__are_refused() -> None:
    with pytest.raises(BadGraph, match="returns 2 values"):
        capture(Two().eval(), [torch.zeros(1, 4)])


def test_double_precision__is_refused() -> None:
    with pytest.raises(BadGraph, match=r"torch\.float64 is none of"):
        capture(nn.Linear(4, 4).double().eval(), [torch.zeros(1, 4, dtype=torch.float64)])


@pytest.mark.parametrize(("make", "shape", "near"), [(conv_net, (5, 1, 8, 8), 0.0), (tangle, (5, 4, 6, 6), 1e-6)])
def test_a_program__computes_what_its_module_does(make: object, shape: tuple[int, ...], near: float) -> None:
    module, network = make()  # type: ignore[operator]
    inputs = torch.randn(shape)
    with torch.no_grad():
        expected = module(inputs)
        received = Runner(network).module(inputs)
    assert received.shape == expected.shape
    assert (received - expected).abs().max() <= near


def test_statistics__are_constants_and_parameters_are_none() -> None:
    _, network = tangle()
    names = {weight.name for weight in network.program.weights}
    assert {"conv.weight", "norm.weight", "norm.bias"} <= names
    assert {"constant.norm.running_mean", "constant.norm.running_var"} <= names
    assert not names & {"norm.running_mean", "norm.running_var"}


def test_a_call__knows_its_origin() -> None:
    _, network = conv_net()
    origins = {call.origin for call in network.program.calls}
    assert {"net.features.0", "features.0"} & origins
    assert network.graph.steps[-1].origin == "logits"


def test_an_exported_folder__holds_the_same_network(tmp_path: Path) -> None:
    module, network = conv_net()
    export_to_folder(module, [torch.zeros(1, 1, 8, 8)], tmp_path)
    again = Network.from_package(read_folder(tmp_path))
    assert again.graph.root == network.graph.root
    assert all(torch.equal(a, b) for a, b in zip(again.weights, network.weights, strict=True))
