"""Labels of logits that overflow: doubted by what every run makes of them, and left alone where a run may differ."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from executor.models import LoadedModel
from executor.tensors import is_finite
from executor.trace import recompute
from prover import checker
from prover.checker import Checker
from prover.strategy import is_beyond_reach, may_overflow
from tests.prover.desk import run
from tests.prover.huge import EDGE, Labelled, Made, Twice, X, opinion_of, scaled, weighing
from tests.prover.huge import made as made


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
    made: Made, weights: tuple[float, float]
) -> None:
    model = rows(made(Labelled), *([weight] * 3 for weight in weights))
    own = int.from_bytes(run(model, X), "big")
    assert is_beyond_reach(opinion_of(model, X, label(1 - own)))
    assert opinion_of(model, X, label(own)).deviation == 0.0


@pytest.mark.parametrize(("hidden", "is_known"), [(3e38, True), (EDGE * (1 - 2**-25), False)])
def test_labels_of_logits_that_are_nan__are_judged_by_what_overflows_before(
    made: Made, hidden: float, is_known: bool
) -> None:
    model = rows(made(Labelled), [1.0, -1.0, 0.0], [1e-3, 1e-3, 1e-3])
    model.network.weights[1][:] = hidden / 2
    model.network.weights[0][:] = hidden / 2 if not is_known else hidden
    logits = recompute(model.network, X)[Checker(model)._judged].reshape(-1)
    assert logits.isnan().tolist() == [True, False]
    opinion = opinion_of(model, X, label(1))
    assert (is_beyond_reach(opinion), may_overflow(opinion)) == (is_known, not is_known)


def test_a_label_beside_logits_that_are_nan__is_doubted_by_its_own(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "find_forced", lambda *_: None)
    model = scaled(made(Twice), 3e38, "hidden.bias")
    model.network.weights[1][:], model.network.weights[0][:] = 3e38, 3e38
    model.network.weights[2][:] = torch.tensor([1.0, -1.0, 0.0])
    assert recompute(model.network, X)[Checker(model)._judged][0, 0].isnan().all()
    for second, is_beyond in ((0, True), (1, False)):
        assert is_beyond_reach(opinion_of(model, X, label(0) + label(second))) is is_beyond


def test_labels_of_logits_at_the_edge__are_both_left_alone(made: Made) -> None:
    """Two logits so near to each other and to the largest number that one overflows here, and the other there."""
    third = EDGE / 3
    model = rows(made(Labelled), [third] * 3, [third * (1 - 2**-24)] * 3)
    assert not is_finite(recompute(model.network, X)[Checker(model)._judged])
    for claimed in (0, 1):
        assert not is_beyond_reach(opinion_of(model, X, label(claimed)))
    assert is_beyond_reach(opinion_of(model, X, label(2)))
