"""Overflows that no run can avoid: near the largest number nobody is accused, far beyond it no number stands."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.overflow import is_finite
from executor.reach import MovableRun, attack
from executor.registration import prepare
from executor.runner import Runner
from executor.tensors import canonical_bytes, from_bytes
from executor.trace import Results, recompute, replay
from prover import checker
from prover.checker import Checker
from prover.forced import capped_run, find_forced
from prover.position import Opinion
from prover.strategy import is_beyond_reach, may_overflow
from rollup.blobs import Blobs, open_blobs
from rollup.package import Package
from tests.prover.arena import TERMS
from tests.prover.desk import run

NAN, INF = float("nan"), float("inf")
# From here on every magnitude is rounded to infinity.
EDGE = 2.0**128


class Layers(nn.Module):
    """f32 [N, 2] of f32 [N, 4]: two sums of positive terms."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(4, 3), nn.Linear(3, 2)
        with torch.no_grad():
            for weight in self.parameters():
                weight.abs_().add_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(torch.relu(self.hidden(x)))
        return out


class Labelled(Layers):
    """i64 [N]: which of two sums is the greater."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).argmax(1)


class Twice(Layers):
    """i64 [N, 2]: which of two sums is the greater, and which of two inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([super().forward(x), x[:, :2] * 1e38], 1).argmax(2)


class Grown(Layers):
    """Exponentials of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).exp()


class Gated(Layers):
    """Two sums, of which the largest number is made if their input is above a half on average."""

    def forward(self, x: Tensor) -> Tensor:
        gate = (x.mean(1, keepdim=True) > 0.5).float()
        return super().forward(x) * (gate * 1e30 + 1.0)


class Masked(Layers):
    """Two sums, one of them masked."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.tensor([[0.0, -INF]]))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.mask


class Spread(Layers):
    """The variance of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).var(1, keepdim=True)


class Chances(Layers):
    """Logarithms of two shares, which may vanish."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1).log()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[nn.Module]], LoadedModel]:
    blobs, known = open_blobs(tmp_path_factory.mktemp("forced")), dict[type[nn.Module], LoadedModel]()

    def of(kind: type[nn.Module]) -> LoadedModel:
        if kind not in known:
            known[kind] = prepared(blobs, kind)
        return known[kind]

    return of


def prepared(blobs: Blobs, kind: type[nn.Module]) -> LoadedModel:
    torch.manual_seed(3)
    captured = capture(kind().eval(), [torch.zeros(1, 4)])
    return load_model(blobs, prepare(blobs, Package(captured.program, captured.committed), TERMS).record, 2**30)


def weighing(model: LoadedModel, weights: Sequence[Tensor]) -> LoadedModel:
    """The same architecture with other weights, as a liar chooses them."""
    network = replace(model.network, weights=tuple(weights))
    return replace(model, network=network, runner=Runner(network, "cpu"))


def scaled(model: LoadedModel, factor: float, layer: str = "") -> LoadedModel:
    """The weights of one layer, or of all, times a factor."""
    pairs = zip(model.network.program.weights, model.network.weights, strict=True)
    return weighing(model, [tensor * (factor if weight.name.startswith(layer) else 1.0) for weight, tensor in pairs])


def opinion_of(model: LoadedModel, inputs: Sequence[Tensor], output: Tensor | bytes) -> Opinion:
    """Both looks at a claim, the second if the first asks for it."""
    claimed = output if isinstance(output, bytes) else canonical_bytes(output)
    judging, data = Checker(model), [canonical_bytes(tensor) for tensor in inputs]
    (first,) = judging.deviations([data], [claimed])
    return Opinion(first, None if first <= 1 else judging.second_deviation(data, claimed))


X = [torch.tensor([[0.1, 0.2, 0.3, 0.4]])]
SUMS = 2
LIE = torch.tensor([[1.0, 0.5]])


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
    sound = replace(model.numerics, factors=(0,) * len(model.numerics.factors))
    away = recompute(model.network, inputs)[-1].sign()
    pushed = [attack(model.network, sound, inputs, way * away) for way in (-1.0, 1.0)]
    return [recompute(model.network, inputs), replay(model.network, model.runner, inputs), *pushed]


@pytest.mark.parametrize("bounds", [-2.0, -1.0, -0.5, -0.1, 0.0, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(12))
def test_a_run_that_stays_finite_near_the_edge__is_never_accused(
    made: Callable[[type[nn.Module]], LoadedModel], seed: int, bounds: float
) -> None:
    model, inputs = at_the_edge(made(Layers), seed, bounds)
    finite = [results for results in runs_of(model, inputs) if all(map(is_finite, results))]
    assert finite, "some machine may be honest about a number"
    assert find_forced(model, inputs) is None
    for results in finite:
        assert not is_beyond_reach(opinion_of(model, inputs, results[-1]))


@pytest.mark.parametrize("bounds", [1.1, 2.0, 1e3])
@pytest.mark.parametrize("seed", range(12))
def test_beyond_the_reach_of_all_runs__every_number_is_accused(
    made: Callable[[type[nn.Module]], LoadedModel], seed: int, bounds: float
) -> None:
    model, inputs = at_the_edge(made(Layers), seed, bounds)
    assert not any(all(map(is_finite, results)) for results in runs_of(model, inputs))
    assert find_forced(model, inputs) is not None
    for number in (1.0, 3.4e38, -3.4e38):
        claimed = capped_run(model.network, inputs, model.numerics.profile)[-1]
        claimed[0, 0] = number
        assert is_beyond_reach(opinion_of(model, inputs, claimed))


def test_an_overflow_that_may_be_none__is_told_apart_from_a_deviation(
    made: Callable[[type[nn.Module]], LoadedModel],
) -> None:
    model, inputs = at_the_edge(made(Layers), 0, 0.3)
    claimed = capped_run(model.network, inputs, model.numerics.profile)[-1]
    assert not is_finite(recompute(model.network, inputs)[-1])
    opinion = opinion_of(model, inputs, claimed)
    assert may_overflow(opinion)
    assert not is_beyond_reach(opinion)


# Far beyond.


@pytest.mark.parametrize("factor", [1e20, 1e30, 1e38])
def test_any_number_of_huge_weights__is_beyond_reach_twice(
    made: Callable[[type[nn.Module]], LoadedModel], factor: float
) -> None:
    model = scaled(made(Layers), factor)
    opinion = opinion_of(model, X, LIE)
    assert str(opinion.deviation) == "nan", "the first look has nothing to compare"
    assert opinion.second == INF
    found = find_forced(model, X)
    assert found is not None
    assert found.step == SUMS


def test_overflows_of_other_inputs__hide_no_deviation(made: Callable[[type[nn.Module]], LoadedModel]) -> None:
    """Inputs that are drawn overflow, and have a reach beyond everything."""
    model, inputs = scaled(made(Layers), 1e38, "hidden.weight"), [torch.zeros(1, 4)]
    model = scaled(model, 1e3, "last.weight")
    claimed = recompute(model.network, inputs)[-1] + 100.0
    assert is_beyond_reach(opinion_of(model, inputs, claimed))


def test_a_claim_that_makes_no_number_either__is_not_accused_of_one(
    made: Callable[[type[nn.Module]], LoadedModel],
) -> None:
    model = scaled(made(Layers), 1e30)
    assert recompute(model.network, X)[-1].tolist() == [[INF, INF]]
    assert opinion_of(model, X, torch.full((1, 2), NAN)).deviation == 0.0


def test_a_deviation_beside_an_overflow__is_found_by_itself(made: Callable[[type[nn.Module]], LoadedModel]) -> None:
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
    made: Callable[[type[nn.Module]], LoadedModel],
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
def test_an_exponential__overflows_by_its_argument(
    made: Callable[[type[nn.Module]], LoadedModel], argument: float, is_known: bool
) -> None:
    """Float64 cannot hold it either; of the farthest the judge knows nothing."""
    weights = [torch.zeros_like(weight) for weight in made(Grown).network.weights]
    weights[3][:] = argument
    model = weighing(made(Grown), weights)
    assert (find_forced(model, X) is not None) is is_known


# What may decide otherwise.


@pytest.mark.parametrize(("mean", "is_known"), [(0.3, False), (0.5 + 2**-24, False), (0.6, True)])
def test_a_near_tie_before_an_overflow__may_avoid_it(
    made: Callable[[type[nn.Module]], LoadedModel], mean: float, is_known: bool
) -> None:
    model = scaled(made(Gated), 1e10, "last")
    inputs = [torch.full((1, 4), mean)]
    assert is_finite(recompute(model.network, inputs)[-1]) is (mean < 0.5)
    assert (find_forced(model, inputs) is not None) is is_known
    assert is_beyond_reach(opinion_of(model, inputs, torch.full((1, 2), 1e38))) is (mean != 0.5 + 2**-24)


def test_a_mask__is_no_overflow(made: Callable[[type[nn.Module]], LoadedModel]) -> None:
    model = made(Masked)
    assert find_forced(model, X) is None
    honest = run(model, X)
    assert opinion_of(model, X, honest).deviation == 0.0
    claimed = from_bytes(model.network.graph.output, honest).nan_to_num(neginf=0.0)
    assert may_overflow(opinion_of(model, X, claimed)), "a run's -Inf acquits whatever is claimed for it"


def test_an_overflow_that_the_judge_knows_nothing_of__is_left_alone(
    made: Callable[[type[nn.Module]], LoadedModel],
) -> None:
    """Sums of squares that overflow acquit whatever is made of them."""
    model = scaled(made(Spread), 1e25, "last")
    assert recompute(model.network, X)[-1].tolist() == [[INF]]
    assert find_forced(model, X) is None
    assert may_overflow(opinion_of(model, X, torch.ones(1, 1)))


def test_a_logarithm_of_nothing__is_a_pole_and_no_overflow(made: Callable[[type[nn.Module]], LoadedModel]) -> None:
    model = scaled(made(Chances), 1e5)
    assert sorted(recompute(model.network, X)[-1].reshape(-1).tolist()) == [-INF, 0.0]
    assert find_forced(model, X) is None
    assert may_overflow(opinion_of(model, X, torch.zeros(1, 2)))


# Labels.


def label(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def rows(model: LoadedModel, first: Sequence[float], second: Sequence[float]) -> LoadedModel:
    """Both logits are sums of three ones, weighted so."""
    weights = [torch.zeros_like(weight) for weight in model.network.weights]
    weights[1][:] = 1.0
    weights[2][0], weights[2][1] = torch.tensor(first), torch.tensor(second)
    return weighing(model, weights)


@pytest.mark.parametrize("weights", [(2e38, 5.0), (2e38, 2e38), (5.0, -2e38)], ids=str)
def test_labels_of_logits_that_overflow__are_beyond_reach_unless_they_are_my_own(
    made: Callable[[type[nn.Module]], LoadedModel], weights: tuple[float, float]
) -> None:
    model = rows(made(Labelled), *([weight] * 3 for weight in weights))
    own = int.from_bytes(run(model, X), "big")
    assert is_beyond_reach(opinion_of(model, X, label(1 - own)))
    assert opinion_of(model, X, label(own)).deviation == 0.0


@pytest.mark.parametrize(("hidden", "is_known"), [(3e38, True), (EDGE * (1 - 2**-25), False)])
def test_labels_of_logits_that_are_nan__are_judged_by_what_overflows_before(
    made: Callable[[type[nn.Module]], LoadedModel], hidden: float, is_known: bool
) -> None:
    model = rows(made(Labelled), [1.0, -1.0, 0.0], [1e-3, 1e-3, 1e-3])
    model.network.weights[1][:] = hidden / 2
    model.network.weights[0][:] = hidden / 2 if not is_known else hidden
    logits = recompute(model.network, X)[Checker(model)._judged].reshape(-1)
    assert logits.isnan().tolist() == [True, False]
    opinion = opinion_of(model, X, label(1))
    assert (is_beyond_reach(opinion), may_overflow(opinion)) == (is_known, not is_known)


def test_a_label_beside_logits_that_are_nan__is_doubted_by_its_own(
    made: Callable[[type[nn.Module]], LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "find_forced", lambda *_: None)
    model = scaled(made(Twice), 3e38, "hidden.bias")
    model.network.weights[1][:], model.network.weights[0][:] = 3e38, 3e38
    model.network.weights[2][:] = torch.tensor([1.0, -1.0, 0.0])
    assert recompute(model.network, X)[Checker(model)._judged][0, 0].isnan().all()
    for second, is_beyond in ((0, True), (1, False)):
        assert is_beyond_reach(opinion_of(model, X, label(0) + label(second))) is is_beyond


def test_labels_of_logits_at_the_edge__are_both_left_alone(made: Callable[[type[nn.Module]], LoadedModel]) -> None:
    """Two logits so near to each other and to the largest number that one overflows here, and the other there."""
    third = EDGE / 3
    model = rows(made(Labelled), [third] * 3, [third * (1 - 2**-24)] * 3)
    assert not is_finite(recompute(model.network, X)[Checker(model)._judged])
    for claimed in (0, 1):
        assert not is_beyond_reach(opinion_of(model, X, label(claimed)))
    assert is_beyond_reach(opinion_of(model, X, label(2)))
