"""How much one caller may ask for: size of a body, calls in a window. Counted in Redis where there is one, else here.

Pure ASGI, so that a body is refused before it is in memory. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from rollup.errors import Overloaded


@dataclass(frozen=True)
class Limits:
    """`calls` per `window_seconds` and caller; `body_bytes` of one request; seconds to send one."""

    calls: int = 600
    window_seconds: int = 60
    body_bytes: int = 4 * 2**20
    body_seconds: float = 20.0


# Counts a call in the current window, shared with other processes; None if that is not possible now.
SharedCount = Callable[[str, int], int | None]


class CallCounter:
    """Counts the calls of each caller. Raises Overloaded above the limit."""

    def __init__(self, limits: Limits, shared: SharedCount, clock: Callable[[], float] = time.time) -> None:
        self._limits, self._shared, self._clock = limits, shared, clock
        self._window, self._counts = -1, Counter[str]()

    def take(self, caller: str) -> None:
        count = self._shared(caller, self._limits.window_seconds)
        if count is None:
            count = self._count_here(caller)
        if count > self._limits.calls:
            wait = self._limits.window_seconds - self._clock() % self._limits.window_seconds
            raise Overloaded(
                f"more than {self._limits.calls} calls in {self._limits.window_seconds} s; wait {wait:.0f} s", wait
            )

    def _count_here(self, caller: str) -> int:
        window = int(self._clock()) // self._limits.window_seconds
        if window != self._window:
            self._window, self._counts = window, Counter()
        self._counts[caller] += 1
        return self._counts[caller]


class BodyLimit:
    """Refuses bodies above the limit with 413, whatever their Content-Length says, and slow ones with 408."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await _read(receive, self._limits.body_bytes)
        except TimeoutError:
            slow = problem(408, "BadInput", f"a body must come within {self._limits.body_seconds:g} s")
            await slow(scope, receive, send)
            return
        if body is None:
            large = problem(413, "BadInput", f"a body may have {self._limits.body_bytes} bytes")
            await large(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None as soon as it is above the limit."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, then whatever else comes, such as the disconnect that ends a stream of events."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
