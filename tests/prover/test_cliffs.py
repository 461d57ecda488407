"""Cliffs: where a function is steep and flat next to each other, honest runs differ by more than their reach says."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import pytest
import torch
from torch import Tensor, nn

from executor.models import LoadedModel
from executor.reach import reach_of
from executor.tensors import canonical_bytes
from executor.trace import recompute
from prover.checker import Checker
from prover.forced import find_forced
from tests.prover.huge import Made, Net
from tests.prover.huge import made as made

STEEP = 1e12


class Gate(Net):
    """f32 [N, 1] of x f32 [N, 64]: a function of one sum, a very large number of times."""

    width = 64
    function: Callable[[Tensor], Tensor] = staticmethod(torch.sigmoid)

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(64, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.mix(x) * STEEP)


class Bent(Gate):
    function = staticmethod(torch.tanh)


class Ramp(Gate):
    function = staticmethod(torch.relu)


class Clipped(Gate):
    function = staticmethod(nn.functional.hardtanh)


class Floodgate(Gate):
    """Twice 3e38 behind a gate."""

    def forward(self, x: Tensor) -> Tensor:
        gates = super().forward(x) * 3e38
        return gates + gates


def balanced(model: LoadedModel, seed: int) -> Tensor:
    """f32 [1, 64] whose sum is nothing but what was rounded."""
    weight = weight_of(model)
    x = torch.randn(1, 64, generator=torch.Generator().manual_seed(seed))
    return x - (x @ weight.T) / (weight @ weight.T) * weight


def weight_of(model: LoadedModel) -> Tensor:
    return model.network.weights[0].reshape(1, 64)


def backwards(model: LoadedModel, kind: type[Gate], x: Tensor) -> Tensor:
    """An honest run, that adds from the last to the first."""
    return kind.function((x * weight_of(model)).flip(1).cumsum(1)[:, -1:] * STEEP)


def second(model: LoadedModel, x: Tensor, claimed: Tensor | float) -> float:
    output = claimed if isinstance(claimed, Tensor) else torch.full((1, 1), claimed)
    return Checker(model).second_deviation([canonical_bytes(x)], canonical_bytes(output))


@pytest.mark.parametrize("kind", [Gate, Bent, Ramp, Clipped])
def test_an_honest_run_beyond_an_edge__is_never_doubted_twice(made: Made, kind: type[Gate]) -> None:
    model, apart = made(kind), 0
    for seed in range(150):
        x = balanced(model, seed)
        honest, exact = backwards(model, kind, x), recompute(model.network, [x])[-1]
        reach = reach_of(model.network, model.numerics, [x]).calibrated.item()
        apart += abs(float(exact - honest)) > reach
        assert second(model, x, honest) <= 1
    assert apart > 5, "reach alone would have doubted some"


@pytest.mark.parametrize("kind", [Gate, Bent, Ramp, Clipped])
def test_what_lies_on_neither_side_of_an_edge__is_beyond_reach(made: Made, kind: type[Gate]) -> None:
    model = made(kind)
    assert second(model, balanced(model, 1), -9e9) > 1


@pytest.mark.parametrize("kind", [Gate, Bent, Clipped])
def test_far_from_an_edge__the_other_side_is_a_lie(made: Made, kind: type[Gate]) -> None:
    model = made(kind)
    x = weight_of(model).clone()
    assert second(model, x, 1.0) <= 1
    assert second(model, x, float(kind.function(torch.tensor(-STEEP)))) > 1


@pytest.mark.parametrize(("weights", "is_known"), [(1.0, True), (0.0, False)])
def test_an_overflow_behind_a_gate__is_certain_where_the_gate_is(made: Made, weights: float, is_known: bool) -> None:
    model = made(Floodgate)
    x = balanced(model, seed_of(model, is_open=True)) + weights * weight_of(model)
    assert not isfinite(float(recompute(model.network, [x])[-1]))
    assert (find_forced(model, [x]) is not None) is is_known


def seed_of(model: LoadedModel, is_open: bool) -> int:
    """Of the first balanced sum whose gate a float64 run finds open, or shut."""
    runs = (recompute(model.network, [balanced(model, seed)])[-1] for seed in range(100))
    return next(seed for seed, run in enumerate(runs) if (not isfinite(float(run))) is is_open)
