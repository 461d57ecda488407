"""Live updates and counts over a real Redis that comes and goes."""

import threading
import time

import pytest

from rollup.live import Live
from rollup.processes import free_port
from rollup.redis_server import RedisServer


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


def wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_every_call__without_redis__says_so_and_raises_nothing():
    live = Live(f"redis://127.0.0.1:{free_port()}/0")
    assert live.publish("0x01", "posted") is False
    assert live.count("alice", 60) is None
    assert live.answers() is False
    live.close()


def test_count__rises_with_each_call_of_one_key(server):
    live = Live(server.url)
    assert [live.count("alice", 10**9), live.count("alice", 10**9), live.count("bob", 10**9)] == [1, 2, 1]
    live.close()


def test_listen__goes_on_after_redis_was_away(server):
    live, heard, stop = Live(server.url), [], threading.Event()
    listener = threading.Thread(target=live.listen, args=(lambda *update: heard.append(update), stop))
    listener.start()
    wait_for(lambda: live.publish("0x01", "posted") and ("0x01", "posted") in heard)
    server.stop()
    assert live.publish("0x01", "claimed") is False
    server.start()
    live._redis.publish("anh.live", "somebody else's words")
    wait_for(lambda: live.publish("0x01", "final") and ("0x01", "final") in heard)
    assert ("0x01", "claimed") not in heard
    stop.set()
    listener.join(5)
    assert not listener.is_alive()
    live.close()
