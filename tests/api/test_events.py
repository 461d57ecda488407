"""Server-sent events over a real server: the current state, then every change, then the end."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from api.changes import Changes
from api.routes import streams as route
from api.schemas import to_hex
from rollup import events
from rollup.codec import request_id
from tests.api.stage import body_of, serving
from tests.rollup.story import USER
from tests.toy_lane import DOMAIN, ask


def follow(url: str, each=lambda _state: None) -> list[dict[str, Any]]:
    states = []
    with httpx.stream("GET", url, timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("data:"):
                states.append(json.loads(line[5:]))
                each(states[-1])
    return states


def test_follow__an_unknown_request__is_not_found(http):
    answer = http.get(f"/v1/requests/{to_hex(b'?' * 32)}/events")
    assert (answer.status_code, answer.json()["title"]) == (404, "NotFound")


def test_follow__beyond_the_number_of_followers__is_refused(http, stage, monkeypatch):
    monkeypatch.setattr(route, "MAX_FOLLOWERS", 0)
    answer = http.get(f"/v1/requests/{to_hex(stage.story.requested())}/events")
    assert (answer.status_code, answer.json()["title"]) == (429, "Overloaded")


def test_follow__tells_each_change_until_the_end(stage):
    story = stage.story
    id_ = story.requested()

    def go_on(state: dict[str, Any]) -> None:
        """The story goes on when the follower has heard of the last change."""
        request = story.view.request(id_)
        if state["status"] == "ordered":
            story.claimed(request.batch, [0])
        elif state["status"] == "claimed":
            story.after(10)
            story.tell(events.Finalised, story.view.claim(request.claims[0]).batch, 1, USER)
        stage.window.changes.announce()

    with serving(stage.app) as url:
        states = follow(f"{url}/v1/requests/{to_hex(id_)}/events", go_on)
    assert [state["status"] for state in states] == ["ordered", "claimed", "final"]


def test_follow__sees_a_change_that_nobody_announced(stage, monkeypatch):
    monkeypatch.setattr(route, "LOOK_SECONDS", 0.1)
    id_ = stage.story.requested()

    def refund(state: dict[str, Any]) -> None:
        if state["status"] == "ordered":
            stage.story.tell(events.Refunded, id_, stage.story.view.request(id_).batch, 0, 1)

    with serving(stage.app) as url:
        states = follow(f"{url}/v1/requests/{to_hex(id_)}/events", refund)
    assert [state["status"] for state in states] == ["ordered", "refunded"]


def test_follow__by_many__ends_for_all_when_the_server_stops(stage):
    id_ = stage.story.requested()
    with ThreadPoolExecutor(5) as pool:
        with serving(stage.app) as url:
            started = [threading.Event() for _ in range(5)]
            followers = [
                pool.submit(follow, f"{url}/v1/requests/{to_hex(id_)}/events", lambda _s, e=e: e.set()) for e in started
            ]
            assert all(event.wait(10) for event in started)
        for follower in followers:
            error = follower.exception(timeout=15)
            assert error is None or isinstance(error, httpx.RemoteProtocolError)
    assert stage.window.changes.followers == 0


def test_changes__announced_to_nobody__are_no_error():
    Changes().announce()


def test_follow__of_what_has_ended__ends_at_once(stage, http):
    signed = ask()
    id_ = request_id(signed.request, DOMAIN)
    http.post("/v1/requests", json=body_of(signed))
    stage.journal.requests.drop([id_])
    with serving(stage.app) as url:
        assert [state["status"] for state in follow(f"{url}/v1/requests/{to_hex(id_)}/events")] == ["dropped"]
