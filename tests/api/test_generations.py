"""Generations as the API tells them: leases, claims and certainty, tokens, ends; live and by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from api.client import AnhClient
from api.schemas import to_hex
from rollup.errors import NotFound
from rollup.properties import events
from rollup.types import RequestId
from tests.api.stage import InProcess, Stage, serving
from tests.rollup.properties.examples import EXECUTOR, GENERATION
from tests.rollup.properties.story import PropertyStory

TERMS = GENERATION.terms
TOKENS = np.array([5, 6, 7, 8], dtype=">i8").tobytes()


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


def final(story: PropertyStory, id_: RequestId) -> None:
    claim = story.generated(id_, TOKENS)
    story.after(100)
    story.made_final(claim)
    story.tell(events.GenerationFinal, id_, EXECUTOR, claim)


def test_a_generation__that_nobody_requested__is_not_found(client: AnhClient, http: httpx.Client) -> None:
    unknown = RequestId(b"?" * 32)
    with pytest.raises(NotFound, match="no generation 0x3f3f"):
        client.generation(unknown)
    assert http.get(f"/v1/generations/{to_hex(unknown)}/events").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "status=done"])
def test_a_page__beyond_its_limits__is_a_problem(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/v1/generations?{query}")
    assert (answer.status_code, answer.json()["title"]) == (422, "BadInput")


def test_an_open_generation__is_told_with_its_terms_and_its_prompt(client: AnhClient, story: PropertyStory) -> None:
    id_ = story.generation()
    told = client.generation(id_)
    assert (told["status"], told["certainty"], told["seed"], told["lessee"]) == ("open", "none", None, None)
    assert (told["prompt"]["values"], told["prompt"]["dtype"]) == ([0, 0], "i64")
    terms = told["terms"]
    assert (terms["new_tokens"], terms["sampled"], terms["fee_wei"]) == (4, True, str(TERMS.fee_wei))
    assert terms["delta"] == pytest.approx(1e-5)
    assert (told["tokens"], told["claim"], told["callback"]) == (None, None, "none")


def test_a_lease__is_told_while_it_lasts(client: AnhClient, story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    story.taken(id_, term=20)
    told = client.generation(id_)
    assert (told["lessee"], told["leased_until"]) == (to_hex(EXECUTOR), story.view.generation(id_).leased_until)
    assert told["seed"] == to_hex(story.view.generation(id_).seed)
    story.view.now = story.after(20)
    assert client.generation(id_)["lessee"] is None


def test_a_claimed_text__is_told_with_its_tokens_and_how_sure_they_are(client: AnhClient, story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    claim = story.generated(id_, TOKENS)
    told = client.generation(id_)
    assert (told["status"], told["certainty"], told["tokens"]["values"]) == ("claimed", "provisional", [5, 6, 7, 8])
    assert (told["claim"]["id"], told["claim"]["executor"]) == (to_hex(claim), to_hex(EXECUTOR))
    assert told["claim"]["seconds_left"] == story.view.scores(claim).final_from - story.view.now
    item = story.contested(claim, 0)
    assert client.generation(id_)["claim"]["disputed"] == 1
    story.proven(item)
    told = client.generation(id_)
    assert (told["certainty"], told["claim"]["seconds_left"]) == ("refuted", None)


def test_pages__hold_the_newest_first_and_can_be_asked_by_status(client: AnhClient, story: PropertyStory) -> None:
    ids = [story.generation() for _ in range(22)]
    story.drawn(ids[3])
    story.generated(ids[3], TOKENS)
    assert [told["id"] for told in client.generations()] == [to_hex(id_) for id_ in reversed(ids)]
    assert [told["id"] for told in client.generations("claimed")] == [to_hex(ids[3])]


def test_follow__tells_each_change_until_the_end(stage: Stage, story: PropertyStory) -> None:
    id_ = story.generation()

    def go_on(state: dict[str, Any]) -> None:
        if state["seed"] is None:
            story.drawn(id_)
        elif state["lessee"] is None and state["status"] == "open":
            story.taken(id_)
        elif state["status"] == "open":
            final(story, id_)
        stage.window.changes.announce()

    with serving(stage.app) as url:
        client, heard = AnhClient(url, b"a" * 32), []
        for state in client.follow_generation(id_, 20):
            heard.append((state["status"], state["certainty"], state["lessee"] is not None))
            go_on(state)
        client.close()
    assert heard == [
        ("open", "none", False),
        ("open", "none", False),
        ("open", "none", True),
        ("final", "final", False),
    ]
