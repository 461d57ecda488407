"""Trainings as the API tells them: phases, deadlines, commitments and their scores, curves, ends; live and by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.answers.trainings import MAX_POINTS
from api.client import AnhClient
from api.schemas import to_hex
from rollup.curves import CurvePoint
from rollup.errors import NotFound
from rollup.properties.types import TrainingId, TrainingStatus
from tests.api.stage import InProcess, Stage, serving
from tests.rollup.properties.examples import EXECUTOR, TRAINING
from tests.rollup.properties.story import POOL_KEY, RIVAL, PropertyStory

TERMS = TRAINING.terms


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


@pytest.fixture
def stage(tmp_path: Path, story: PropertyStory) -> Iterator[Stage]:
    stage = Stage(tmp_path, story=story)
    yield stage
    stage.journal.close()


@pytest.fixture
def client(stage: Stage) -> Iterator[AnhClient]:
    client = AnhClient("http://stage", b"a" * 32, InProcess(stage.app))
    yield client
    client.close()


def test_a_training__that_nobody_requested__is_not_found(client: AnhClient, http: httpx.Client) -> None:
    unknown = TrainingId(b"?" * 32)
    with pytest.raises(NotFound, match="no training 0x3f3f"):
        client.training(unknown)
    assert http.get(f"/v1/trainings/{to_hex(unknown)}/events").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "status=done"])
def test_a_page__beyond_its_limits__is_a_problem(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/v1/trainings?{query}")
    assert (answer.status_code, answer.json()["title"]) == (422, "BadInput")


def test_a_requested_training__is_told_with_its_terms_and_deadlines(client: AnhClient, story: PropertyStory) -> None:
    told = client.training(story.training())
    assert (told["status"], told["phase"], told["commits"], told["curves"]) == ("requested", "opening", [], [])
    terms = told["terms"]
    assert terms["property"] == {
        "aggregate": "mean",
        "comparison": "at_least",
        "threshold": 0.5,
        "predicate": to_hex(bytes(20)),
        "predicate_gas": 0,
    }
    assert (terms["scorer"], terms["pool_count"], terms["fee_wei"]) == (to_hex(TERMS.scorer), 12, str(TERMS.fee_wei))
    deadlines = told["deadlines"]
    assert deadlines["open_end"] == told["requested_at"] + TERMS.open
    assert deadlines["seconds_left"] == deadlines["open_end"] - story.view.now
    assert (deadlines["commit_end"], deadlines["reveal_end"], deadlines["claim_end"]) == (None, None, None)
    assert (told["model"], told["winner"], told["seed"]) == (None, None, None)


def test_a_training__through_its_life__is_told_with_every_claim(client: AnhClient, story: PropertyStory) -> None:
    id_ = story.training()
    story.opened_pool(id_)
    story.committed(id_)
    story.committed(id_, RIVAL)
    told = client.training(id_)
    assert (told["status"], told["phase"], told["opened"]) == (
        "committing", "committing", list(story.view.training(id_).draw.opened),
    )  # fmt: skip
    assert [(commit["executor"], commit["score"]) for commit in told["commits"]] == [
        (to_hex(EXECUTOR), None),
        (to_hex(RIVAL), None),
    ]
    assert told["deadlines"]["commit_end"] == story.view.training(id_).opened_at + TERMS.commit
    story.view.now = story.after(TERMS.commit)
    assert client.training(id_)["phase"] == "revealing"
    story.revealed(id_)
    claim = story.score(id_, 0, [0.5, 1.0] * 4)
    told = client.training(id_)
    assert (told["status"], told["phase"], told["pool_key"]) == ("revealed", "scoring", to_hex(POOL_KEY))
    first = told["commits"][0]
    assert (first["score"], first["progress"], first["certainty"]) == (0.75, 0.5, "provisional")
    assert (first["claim"]["id"], first["claim"]["items"], first["claim"]["disputed"]) == (to_hex(claim), 8, 0)
    assert first["claim"]["seconds_left"] == story.view.scores(claim).final_from - story.view.now
    story.contested(claim, 3)
    assert client.training(id_)["commits"][0]["claim"]["disputed"] == 1


def test_a_trained_network__is_told_with_model_winner_and_money(client: AnhClient, story: PropertyStory) -> None:
    id_ = trained(story)
    told = client.training(id_)
    assert (told["status"], told["phase"], told["winner"]) == ("trained", "ended", 0)
    assert told["model"] == to_hex(story.view.training(id_).model)
    assert (told["paid_wei"], told["refunded_wei"], told["burned_wei"]) == ("1", "2", "3")
    assert told["deadlines"]["seconds_left"] is None


def trained(story: PropertyStory) -> TrainingId:
    id_ = story.training()
    story.opened_pool(id_)
    story.committed(id_)
    story.after(TERMS.commit)
    story.revealed(id_)
    claim = story.score(id_, 0, [1.0] * 8)
    story.after(TERMS.claim)
    story.made_final(claim)
    story.ended(id_, TrainingStatus.TRAINED)
    return id_


def test_curves__are_told_by_executor_and_epoch_and_cut_to_the_newest(
    client: AnhClient, story: PropertyStory, stage: Stage
) -> None:
    id_ = story.training()
    for epoch in range(MAX_POINTS + 5):
        stage.curves.tell(id_, EXECUTOR, CurvePoint(epoch, 1.0, 0.25))
    stage.curves.tell(id_, RIVAL, CurvePoint(0, float("nan"), None))
    curves = {curve["executor"]: curve["points"] for curve in client.training(id_)["curves"]}
    assert curves[to_hex(RIVAL)] == [{"epoch": 0, "loss": "NaN", "score": None}]
    points = curves[to_hex(EXECUTOR)]
    assert [point["epoch"] for point in points] == list(range(5, MAX_POINTS + 5))
    assert points[-1] == {"epoch": MAX_POINTS + 4, "loss": 1.0, "score": 0.25}


def test_pages__hold_the_newest_first_and_can_be_asked_by_status(client: AnhClient, story: PropertyStory) -> None:
    ids = [to_hex(story.training()) for _ in range(23)]
    done = to_hex(trained(story))
    assert [told["id"] for told in client.trainings()] == [done, *reversed(ids)]
    assert [told["id"] for told in client.trainings("trained")] == [done]
    assert [told["id"] for told in client.trainings("missed")] == []


def test_follow__tells_every_epoch_and_ends_with_the_training(stage: Stage, story: PropertyStory) -> None:
    id_ = story.training()

    def go_on(state: dict[str, Any]) -> None:
        points = [point for curve in state["curves"] for point in curve["points"]]
        if not points:
            stage.curves.tell(id_, EXECUTOR, CurvePoint(0, 0.5, None))
        elif len(points) == 1:
            stage.curves.tell(id_, EXECUTOR, CurvePoint(1, 0.25, None))
        elif state["status"] == "requested":
            story.after(TERMS.open)
            story.ended(id_, TrainingStatus.CANCELLED)
        stage.window.changes.announce()

    with serving(stage.app) as url:
        client, heard = AnhClient(url, b"a" * 32), []
        for state in client.follow_training(id_, 20):
            heard.append((state["status"], sum(len(curve["points"]) for curve in state["curves"])))
            go_on(state)
        client.close()
    assert heard == [("requested", 0), ("requested", 1), ("requested", 2), ("cancelled", 2)]
