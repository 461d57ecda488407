"""Overflows that no run can avoid: near the largest number nobody is accused, far beyond it no number stands."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from executor.models import LoadedModel
from executor.reach import MovableRun, attack
from executor.tensors import canonical_bytes, from_bytes, is_finite
from executor.trace import Results, recompute, replay
from prover.checker import Checker
from prover.forced import capped_run, find_forced
from prover.strategy import is_beyond_reach, may_overflow
from tests.prover.desk import run
from tests.prover.huge import (
    EDGE,
    INF,
    LIE,
    NAN,
    SUMS,
    Chances,
    Gated,
    Grown,
    Half,
    Layers,
    Made,
    Masked,
    Spread,
    Wide,
    X,
    opinion_of,
    scaled,
    weighing,
)
from tests.prover.huge import made as made

# Around the edge.


def at_the_edge(model: LoadedModel, seed: int, bounds: float) -> tuple[LoadedModel, list[Tensor]]:
    """A network whose first output is exactly so many of its sound reaches beyond the edge, and its inputs."""
    generator, draw = torch.Generator().manual_seed(seed), random.Random(seed)
    weights = [weight + torch.rand(weight.shape, generator=generator) for weight in model.network.weights]
    inputs = [torch.rand(1, 4, generator=generator)]
    # What is made on the way is as large as it likes to be.
    first = 2.0 ** draw.uniform(4, 100)
    weights[0], weights[1], weights[3] = weights[0] * first, weights[1] * first, weights[3] * draw.choice([0.0, first])
    plain = MovableRun(weighing(model, weights).network, model.numerics, inputs)
    out = plain.results[-1].reshape(-1)[0]
    part = plain.reach(out)[0] / float(out.detach())
    scale = EDGE * (1 + bounds * part) / out.detach()
    # The other output is far from the edge.
    rows = torch.tensor([1.0, 0.01], dtype=torch.float64)
    weights[2], weights[3] = (weights[2] * scale * rows[:, None]).float(), (weights[3] * scale * rows).float()
    if draw.random() < 0.5:
        weights[2], weights[3] = -weights[2], -weights[3]
    return weighing(model, weights), inputs


def runs_of(model: LoadedModel, inputs: Sequence[Tensor]) -> list[Results]:
    """Runs of honest machines, and the two that go as far as bounds let them: towards zero, and away from it."""
    away = recompute(model.network, inputs)[-1].sign()
    pushed = [attack(model.network, model.numerics.sound, inputs, way * away) for way in (-1.0, 1.0)]
    return [recompute(model.network, inputs), replay(model.network, model.runner, inputs), *pushed]


@pytest.mark.parametrize("bounds", [-2.0, -1.0, -0.5, -0.1, 0.0, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(12))
def test_a_run_that_stays_finite_near_the_edge__is_never_accused(made: Made, seed: int, bounds: float) -> None:
    model, inputs = at_the_edge(made(Layers), seed, bounds)
    finite = [results for results in runs_of(model, inputs) if all(map(is_finite, results))]
    assert finite, "some machine may be honest about a number"
    assert find_forced(model, inputs) is None
    for results in finite:
        assert not is_beyond_reach(opinion_of(model, inputs, results[-1]))


@pytest.mark.parametrize("bounds", [1.1, 2.0, 1e3])
@pytest.mark.parametrize("seed", range(12))
def test_beyond_the_reach_of_all_runs__every_number_is_accused(made: Made, seed: int, bounds: float) -> None:
    model, inputs = at_the_edge(made(Layers), seed, bounds)
    assert not any(all(map(is_finite, results)) for results in runs_of(model, inputs))
    assert find_forced(model, inputs) is not None
    for number in (1.0, 3.4e38, -3.4e38):
        claimed = capped_run(model.network, inputs, model.numerics.profile)[-1]
        claimed[0, 0] = number
        assert is_beyond_reach(opinion_of(model, inputs, claimed))


def test_an_overflow_that_may_be_none__is_told_apart_from_a_deviation(
    made: Made,
) -> None:
    model, inputs = at_the_edge(made(Layers), 0, 0.3)
    claimed = capped_run(model.network, inputs, model.numerics.profile)[-1]
    assert not is_finite(recompute(model.network, inputs)[-1])
    opinion = opinion_of(model, inputs, claimed)
    assert may_overflow(opinion)
    assert not is_beyond_reach(opinion)


# Far beyond.


@pytest.mark.parametrize("factor", [1e20, 1e30, 1e38])
def test_any_number_of_huge_weights__is_beyond_reach_twice(made: Made, factor: float) -> None:
    model = scaled(made(Layers), factor)
    opinion = opinion_of(model, X, LIE)
    assert str(opinion.deviation) == "nan", "the first look has nothing to compare"
    assert opinion.second == INF
    found = find_forced(model, X)
    assert found is not None
    assert found.step == SUMS


def test_overflows_of_other_inputs__hide_no_deviation(made: Made) -> None:
    """Inputs that are drawn overflow, and have a reach beyond everything."""
    model, inputs = scaled(made(Layers), 1e38, "hidden.weight"), [torch.zeros(1, 4)]
    model = scaled(model, 1e3, "last.weight")
    claimed = recompute(model.network, inputs)[-1] + 100.0
    assert is_beyond_reach(opinion_of(model, inputs, claimed))


def test_a_claim_that_makes_no_number_either__is_not_accused_of_one(
    made: Made,
) -> None:
    model = scaled(made(Layers), 1e30)
    assert recompute(model.network, X)[-1].tolist() == [[INF, INF]]
    assert opinion_of(model, X, torch.full((1, 2), NAN)).deviation == 0.0


def test_a_deviation_beside_an_overflow__is_found_by_itself(made: Made) -> None:
    weights = [weight.clone() for weight in made(Layers).network.weights]
    weights[2][0] *= 2e38
    model = weighing(made(Layers), weights)
    honest = capped_run(model.network, X, model.numerics.profile)[-1]
    assert is_finite(recompute(model.network, X)[-1][0, 1])
    wrong = honest.clone()
    wrong[0, 1] = 1e37
    (first,) = Checker(model).deviations([[canonical_bytes(X[0])]], [canonical_bytes(wrong)])
    assert first > 1


def test_sums_that_cancel_beyond_the_largest_number__are_left_alone(
    made: Made,
) -> None:
    """One order of summation overflows on the way, another does not."""
    weights = [weight.clone() for weight in made(Layers).network.weights]
    weights[0][:], weights[1][:] = torch.tensor([[0.0] * 4] * 3), torch.tensor([1.0, 1.0, 1.0])
    weights[2][:], weights[3][:] = torch.tensor([[3e38, 3e38, -3e38]] * 2), torch.tensor([0.0, 0.0])
    model = weighing(made(Layers), weights)
    assert find_forced(model, X) is None
    assert not is_beyond_reach(opinion_of(model, X, torch.full((1, 2), 3e38)))


@pytest.mark.parametrize(
    ("argument", "is_known"), [(80.0, False), (88.73, False), (95.0, True), (1e6, True), (1e8, False)]
)
def test_an_exponential__overflows_by_its_argument(made: Made, argument: float, is_known: bool) -> None:
    """Float64 cannot hold it either; of the farthest the judge knows nothing."""
    weights = [torch.zeros_like(weight) for weight in made(Grown).network.weights]
    weights[3][:] = argument
    model = weighing(made(Grown), weights)
    assert (find_forced(model, X) is not None) is is_known


@pytest.mark.parametrize(("factor", "is_known"), [(100.0, False), (250.0, False), (300.0, True), (1e4, True)])
def test_a_sum_of_sixteen_bits__overflows_by_the_largest_number_of_its_own(
    made: Made, factor: float, is_known: bool
) -> None:
    weights = made(Half).network.weights
    model = weighing(made(Half), [each * factor if each.dtype is torch.float16 else each for each in weights])
    assert is_finite(recompute(model.network, X)[-1]) is not is_known
    assert (find_forced(model, X) is not None) is is_known


# What may decide otherwise.


@pytest.mark.parametrize(("mean", "is_known"), [(0.3, False), (0.5 + 2**-24, False), (0.6, True)])
def test_a_near_tie_before_an_overflow__may_avoid_it(made: Made, mean: float, is_known: bool) -> None:
    model = scaled(made(Gated), 1e10, "last")
    inputs = [torch.full((1, 4), mean)]
    assert is_finite(recompute(model.network, inputs)[-1]) is (mean < 0.5)
    assert (find_forced(model, inputs) is not None) is is_known
    assert is_beyond_reach(opinion_of(model, inputs, torch.full((1, 2), 1e38))) is (mean != 0.5 + 2**-24)


def test_a_mask__is_no_overflow(made: Made) -> None:
    model = made(Masked)
    assert find_forced(model, X) is None
    honest = run(model, X)
    assert opinion_of(model, X, honest).deviation == 0.0
    claimed = from_bytes(model.network.graph.output, honest).nan_to_num(neginf=0.0)
    assert may_overflow(opinion_of(model, X, claimed)), "a run's -Inf acquits whatever is claimed for it"


def test_an_overflow_that_the_judge_knows_nothing_of__is_left_alone(
    made: Made,
) -> None:
    """Sums of squares that overflow acquit whatever is made of them."""
    model = scaled(made(Spread), 1e25, "last")
    assert recompute(model.network, X)[-1].tolist() == [[INF]]
    assert find_forced(model, X) is None
    assert may_overflow(opinion_of(model, X, torch.ones(1, 1)))


@pytest.mark.parametrize(("second", "is_known"), [(-3e38, False), (0.0, True), (3e38, True)])
def test_a_sum_in_blocks__is_known_by_what_it_is_in_all(made: Made, second: float, is_known: bool) -> None:
    """A kernel needs none of the blocks that a trace has."""
    model, inputs = made(Wide), [torch.ones(1, Wide.width)]
    weights = torch.tensor([3e38, second]).repeat_interleave(Wide.width // 2)[None]
    model = weighing(model, [weights])
    assert not all(map(is_finite, recompute(model.network, inputs)))
    assert (find_forced(model, inputs) is not None) is is_known


def test_a_logarithm_of_nothing__is_a_pole_and_no_overflow(made: Made) -> None:
    model = scaled(made(Chances), 1e5)
    assert sorted(recompute(model.network, X)[-1].reshape(-1).tolist()) == [-INF, 0.0]
    assert find_forced(model, X) is None
    assert may_overflow(opinion_of(model, X, torch.zeros(1, 2)))
