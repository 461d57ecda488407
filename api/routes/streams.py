"""Server-sent events of one thing: where it stands now, then every change until its end.

Events are named by status, and carry what a read of the thing answers. A client that connects again starts from the
current state, so nothing that still matters is missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.errors import documented
from api.window import Window
from rollup.errors import Overloaded

# A look without having been woken: updates over Redis may be lost.
LOOK_SECONDS = 2.0
PING_SECONDS = 15
MAX_FOLLOWERS = 500
# What the OpenAPI document says of a route that streams.
RESPONSES: Mapping[int | str, dict[str, Any]] = {
    200: {"description": "events, as they happen", "content": {"text/event-stream": {}}},
    **documented(404, 422, 429, 503),
}


class State(Protocol):
    """An answer with a status."""

    @property
    def status(self) -> str: ...

    def model_dump_json(self, *, exclude: Any = None) -> str: ...


@dataclass(frozen=True)
class Followed:
    """`look` gives the current state; `ends` are its last statuses. Changes of `clocks` alone are told, but no news."""

    look: Callable[[], State]
    ends: frozenset[Any]
    clocks: Mapping[str, Any] = field(default_factory=dict)


async def stream(window: Window, followed: Followed) -> EventSourceResponse:
    """Follows until an end, or until the client goes away. Raises Overloaded, and what a look raises at first."""
    if window.changes.followers >= MAX_FOLLOWERS:
        raise Overloaded(f"{MAX_FOLLOWERS} things are followed already", LOOK_SECONDS)
    first = await run_in_threadpool(followed.look)
    return EventSourceResponse(_changes(window, followed, first), ping=PING_SECONDS)


async def _changes(window: Window, followed: Followed, state: State) -> AsyncIterator[ServerSentEvent]:
    told = None
    while True:
        # Seconds left change with every look.
        news = state.model_dump_json(exclude=followed.clocks)
        if news != told:
            told = news
            yield ServerSentEvent(state.model_dump_json(), event=str(state.status))
        if state.status in followed.ends:
            return
        await window.changes.wait(LOOK_SECONDS)
        state = await run_in_threadpool(followed.look)
