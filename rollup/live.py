"""Live updates and rate limits over Redis, which may vanish at any time.

Updates are hints that something changed: who misses one learns it from the journal or the chain a moment later. Knows
nothing of what changed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import redis
import structlog

_CHANNEL = "anh.live"
_TIMEOUT_SECONDS = 2.0
_RETRY_SECONDS = 1.0
_log = structlog.get_logger()


class Live:
    """One connection pool. Methods never raise for an absent Redis; they say whether it was there."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS, decode_responses=True
        )

    def publish(self, topic: str, status: str) -> bool:
        """Tells whoever listens that `topic` (a request's id as 0x-text) is now in `status`."""
        try:
            self._redis.publish(_CHANNEL, json.dumps({"topic": topic, "status": status}))
        except redis.RedisError as error:
            _log.warning("live.away", error=str(error))
            return False
        return True

    def listen(self, heard: Callable[[str, str], None], stop: threading.Event) -> None:
        """Calls `heard(topic, status)` for each update until `stop` is set; connects again whenever Redis was away."""
        while not stop.is_set():
            try:
                self._listen_once(heard, stop)
            except redis.RedisError as error:
                _log.warning("live.away", error=str(error))
                stop.wait(_RETRY_SECONDS)

    def count(self, key: str, window_seconds: int) -> int | None:
        """Counts a call under `key` in the current window; None if Redis is away, and the caller counts by itself."""
        name = f"anh.calls:{key}:{int(time.time()) // window_seconds}"
        try:
            pipeline = self._redis.pipeline()
            pipeline.incr(name)
            pipeline.expire(name, 2 * window_seconds)
            return int(pipeline.execute()[0])
        except redis.RedisError:
            return None

    def keep(self, key: str, field: str, text: str, seconds: int) -> bool:
        """Keeps `text` as one field of `key`, in place of an earlier one, for so long after the last that was kept."""
        try:
            pipeline = self._redis.pipeline()
            pipeline.hset(f"anh.kept:{key}", field, text)
            pipeline.expire(f"anh.kept:{key}", seconds)
            pipeline.execute()
        except redis.RedisError as error:
            _log.warning("live.away", error=str(error))
            return False
        return True

    def kept(self, key: str) -> dict[str, str]:
        """All fields of `key`; none if Redis is away, or has forgotten."""
        try:
            found = self._redis.hgetall(f"anh.kept:{key}")
        except redis.RedisError:
            return {}
        # The client's own annotation allows for its asynchronous twin.
        return dict(cast(dict[str, str], found))

    def answers(self) -> bool:
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        self._redis.close()

    def _listen_once(self, heard: Callable[[str, str], None], stop: threading.Event) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(_CHANNEL)
            while not stop.is_set():
                message = subscription.get_message(timeout=0.5)
                if message is not None and (update := _parsed(message["data"])) is not None:
                    heard(*update)


def _parsed(data: Any) -> tuple[str, str] | None:
    """None for what is no update: others may use the same Redis."""
    try:
        update = json.loads(data)
        return str(update["topic"]), str(update["status"])
    except (ValueError, TypeError, KeyError):
        return None
