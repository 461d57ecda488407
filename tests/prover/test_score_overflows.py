"""Scores of which the watchtower's own run makes no number: a lie where nobody's run makes one, else said and left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from structlog.testing import capture_logs
from structlog.typing import EventDict

from executor.models import LoadedModel
from executor.tensors import to_canonical
from prover import checker, scores
from prover.checker import Checker
from prover.scores import ScoreCase
from prover.strategy import is_beyond_reach
from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.types import BundleRoot
from tests.executor.nets import ConvNet
from tests.prover.desk import Shelf
from tests.prover.school import SEALED, Item, School, pictures
from tests.prover.scorers import Likelihood, scorer

EXAMPLES = (torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))
PERFECT = [1.0] * SEALED


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def likelihood(shelf: Shelf) -> LoadedModel:
    torch.manual_seed(1)
    return scorer(Blobs(shelf), Likelihood(ConvNet()), *EXAMPLES)


@pytest.fixture(scope="module")
def items(likelihood: LoadedModel) -> list[Item]:
    return pictures(likelihood)


@pytest.fixture
def school(likelihood: LoadedModel, shelf: Shelf, items: list[Item]) -> School:
    copy = Shelf()
    copy.blobs = dict(shelf.blobs)
    return School(likelihood, copy, items)


def huge(school: School, factor: float = 1e30) -> BundleRoot:
    weights = [to_canonical(weight * factor) for weight in school.scorer.network.weights]
    return school.blobs.put_tensors(weights)


def told(logs: Sequence[EventDict], event: str) -> list[object]:
    return [entry["items"] for entry in logs if entry["event"] == f"watchtower.{event}"]


def test_perfect_scores_of_weights_that_overflow__are_challenged(school: School) -> None:
    school.scored(replace(school.honest(), weights=huge(school), scores=PERFECT))
    watch = school.watch()
    with capture_logs() as logs:
        (item,) = school.picked(watch)
    (case,) = watch.picked.values()
    assert is_beyond_reach(case.opinion)
    assert told(logs, "items_overflow") == [SEALED]
    assert [entry["confirmed"] for entry in logs if "confirmed" in entry] == [[item]]


def test_items_that_may_overflow_or_not__are_said_once_and_left_alone(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "find_forced", lambda *_: None)
    made = school.scored(replace(school.honest(), weights=huge(school), scores=PERFECT))
    watch = school.watch()
    with capture_logs() as logs:
        looks = [school.picked(watch) for _ in range(1 + SEALED // scores.SECOND_LOOKS)]
    assert not any(looks)
    assert told(logs, "items_overflow") == [SEALED]
    assert told(logs, "scores_beyond_reach") == []
    assert made.id in watch._quiet


def test_an_item_that_deviates__comes_before_those_that_cannot_be_compared(
    school: School, likelihood: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "SECOND_LOOKS", 1)
    paper = school.honest(likelihood)
    paper.scores[5] += 0.5
    first = Checker.deviations

    def mostly_blind(own: Checker, requests: Sequence[Sequence[bytes]], claimed: Sequence[bytes]) -> list[float]:
        return [ratio if ratio > 1 else float("nan") for ratio in first(own, requests, claimed)]

    monkeypatch.setattr(Checker, "deviations", mostly_blind)
    school.scored(paper)
    watch = school.watch()
    school.look(watch)
    (case,) = watch._cases.values()
    assert list(case.confirmed) == [5]
    assert sorted(case.overflown) == [item for item in range(SEALED) if item != 5]


def test_an_item_that_only_the_second_look_cannot_run__hides_no_other(
    school: School, likelihood: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = school.honest(likelihood)
    paper.scores[3], paper.scores[5] = paper.scores[3] + 9.0, paper.scores[5] + 0.5
    first = ScoreCase.case_of

    def crashing(case: ScoreCase, item: int) -> object:
        if item == 3:
            raise BadInput("the model cannot be run here")
        return first(case, item)

    monkeypatch.setattr(ScoreCase, "case_of", crashing)
    school.scored(paper)
    with capture_logs() as logs:
        assert school.picked(school.watch()) == [5]
    assert told(logs, "items_unrunnable") == [1]
