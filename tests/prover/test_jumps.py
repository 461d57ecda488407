"""Near-ties: what an honest run may decide otherwise is no lie; what is clear is, by however little it is edited."""

from __future__ import annotations

import struct
from math import inf

import pytest
import torch
from torch import nn

from executor.models import LoadedModel
from executor.tensors import from_bytes
from prover import jumps
from prover.checker import Checker
from prover.jumps import jumps_of
from rollup.blobs import open_blobs
from rollup.graph import FACTOR_ONE, Numerics, Op
from tests.executor.nets import network_of
from tests.prover.scorers import Accuracy, Shares, TiedNet, item_of, picture_of, scorer

PICTURE, TARGET = torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long)


def made(tmp_path_factory: pytest.TempPathFactory, module: nn.Module, *examples: torch.Tensor) -> LoadedModel:
    return scorer(open_blobs(tmp_path_factory.mktemp("scorer")), module, *examples)


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    torch.manual_seed(1)
    return made(tmp_path_factory, Accuracy(TiedNet()), PICTURE, TARGET)


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    torch.manual_seed(1)
    return made(tmp_path_factory, Shares(TiedNet()), torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, dtype=torch.long))


def score(value: float) -> bytes:
    return struct.pack(">f", value)


def jumps_at(model: LoadedModel, item: list[bytes]) -> float:
    specs = model.network.program.inputs
    inputs = [from_bytes(spec, data) for spec, data in zip(specs, item, strict=True)]
    return jumps_of(model.network, model.numerics, inputs).widest


@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("claimed", [0.0, 1.0])
def test_a_label_that_a_tie_decides__is_never_doubted_twice(tied: LoadedModel, target: int, claimed: float) -> None:
    item = item_of(picture_of(3), torch.tensor([target]))
    assert jumps_at(tied, item) == 1.0
    assert Checker(tied).second_deviation(item, score(claimed)) <= 1


@pytest.mark.parametrize("target", [2, 9])
def test_a_label_that_no_tie_makes__is_beyond_everything(tied: LoadedModel, target: int) -> None:
    item, checker = item_of(picture_of(3), torch.tensor([target])), Checker(tied)
    assert checker.deviations([item], [score(1.0)])[0] > 1e5
    assert checker.second_deviation(item, score(1.0)) > 1e5
    assert checker.second_deviation(item, score(0.0)) == 0.0


@pytest.mark.parametrize(("gap", "is_open"), [(0.0, True), (1e-6, True), (1e-2, False)])
def test_a_tie__is_as_wide_as_the_reach_of_its_margin(
    tmp_path_factory: pytest.TempPathFactory, gap: float, is_open: bool
) -> None:
    torch.manual_seed(1)
    model = made(tmp_path_factory, Accuracy(TiedNet(gap)), PICTURE, TARGET)
    assert (jumps_at(model, item_of(picture_of(4), torch.tensor([1]))) > 0) is is_open


@pytest.mark.parametrize(
    ("claimed", "is_beyond"), [(0.0, False), (0.25, False), (0.5, False), (0.75, True), (1.0, True)]
)
def test_a_tie_in_one_example_of_an_item__explains_that_example_and_no_other(
    shares: LoadedModel, claimed: float, is_beyond: bool
) -> None:
    # Labels 0 and 1 tie in each: the first two targets may be met or not, the others never.
    item = item_of(torch.cat([picture_of(seed) for seed in range(4)], 1), torch.tensor([[0, 1, 6, 7]]))
    assert (Checker(shares).second_deviation(item, score(claimed)) > 1) is is_beyond


class Sides(nn.Module):
    """f32 [N] of x f32 [N, 4]: how many of its sums lie above zero, and their whole parts."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(4, 4, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.eye(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sums = self.mix(x)
        sides: torch.Tensor = (sums > 0.5).float().sum(1) + torch.floor(sums).sum(1) + torch.sign(sums).sum(1)
        return sides


@pytest.mark.parametrize(
    ("x", "down", "up"),
    [
        ([0.2, 0.7, 1.3, -0.4], 0.0, 0.0),
        ([0.5, 0.7, 1.3, -0.4], 0.0, 1.0),
        ([0.2, 0.7, 2.0, -0.4], 1.0, 0.0),
        ([0.2, 0.7, 1.9999999, -0.4], 0.0, 1.0),
        ([0.5, 0.7, 2.0, -0.4], 1.0, 1.0),
        ([0.2, 0.7, 1.3, inf], 0.0, 0.0),
    ],
)
def test_sides_and_whole_numbers__jump_where_they_are_near(x: list[float], down: float, up: float) -> None:
    network = network_of(Sides(), torch.zeros(1, 4))
    factors = [8 * FACTOR_ONE if step.op is Op.CONTRACT else 0 for step in network.graph.steps]
    jumps = jumps_of(network, Numerics(tuple(factors)), [torch.tensor([x])])
    assert (float(jumps.down), float(jumps.up)) == (down, up)


def test_more_open_decisions_than_are_looked_at__explain_everything(
    tied: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jumps, "NEAREST", 1)
    item = item_of(picture_of(3), torch.tensor([9]))
    assert jumps_at(tied, item) == inf
    assert Checker(tied).second_deviation(item, score(1.0)) == 0.0
