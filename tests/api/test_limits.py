"""Limits: calls in a window, size and slowness of a body."""

import socket
import time

import httpx
import pytest

from api.limits import CallCounter, Limits
from rollup.errors import Overloaded
from rollup.live import Live
from rollup.redis_server import RedisServer
from tests.api.stage import Stage, serving


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path, Limits(calls=3, window_seconds=3600, body_bytes=1000, body_seconds=0.5))
    yield stage
    stage.journal.close()


def test_calls__above_the_limit__are_told_when_to_come_back(http):
    assert [http.get("/v1/models").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = http.get("/v1/models")
    assert refused.json()["title"] == "Overloaded"
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert http.get("/v1/health").status_code == 200, "monitors are not counted"


def test_body__above_the_limit__is_refused(http):
    answer = http.post("/v1/requests", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["detail"]) == (413, "a body may have 1000 bytes")


def test_body__without_a_length__is_refused_when_it_is_too_large(stage):
    def pieces():
        for _ in range(1000):
            yield b"x" * 10

    with serving(stage.app) as url:
        assert httpx.post(f"{url}/v1/requests", content=pieces()).status_code == 413


def test_body__that_does_not_come__is_not_awaited(stage):
    with serving(stage.app) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"POST /v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow")
            before = time.monotonic()
            assert connection.recv(100).startswith(b"HTTP/1.1 408")
            assert time.monotonic() - before < 5


def test_counter__begins_anew_with_each_window():
    clock = [1000.0]
    counter = CallCounter(Limits(calls=1, window_seconds=10), lambda _key, _seconds: None, lambda: clock[0])
    counter.take("alice")
    counter.take("bob")
    clock[0] = 1003.0
    with pytest.raises(Overloaded, match="more than 1 calls in 10 s; wait 7 s") as refusal:
        counter.take("alice")
    assert refusal.value.retry_after_seconds == 7
    clock[0] = 1010.0
    counter.take("alice")


def test_counter__is_shared_through_redis_and_survives_its_loss(tmp_path):
    with RedisServer(tmp_path) as server:
        live = Live(server.url)
        first, second = (CallCounter(Limits(calls=2, window_seconds=10**6), live.count) for _ in range(2))
        first.take("alice")
        second.take("alice")
        with pytest.raises(Overloaded):
            first.take("alice")
    first.take("alice")
    live.close()
