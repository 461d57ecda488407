"""Server-sent events of one request: where it stands now, then every change until its end.

Events are named by status, and carry what GET /v1/requests/{id} answers. A client that connects again starts from the
current state, so nothing that still matters is missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.answers import ENDS
from api.dependencies import ARequestId, TheWindow
from api.errors import documented
from api.schemas import RequestStateJson
from api.window import Window
from rollup.errors import Overloaded
from rollup.types import RequestId

router = APIRouter(prefix="/v1/requests", tags=["events"])
# A look without having been woken: updates over Redis may be lost.
LOOK_SECONDS = 2.0
PING_SECONDS = 15
MAX_FOLLOWERS = 500


@router.get(
    "/{request_id}/events",
    response_class=EventSourceResponse,
    responses={
        200: {"description": "events, as they happen", "content": {"text/event-stream": {}}},
        **documented(404, 422, 429, 503),
    },
)
async def follow(request_id: ARequestId, window: TheWindow) -> EventSourceResponse:
    """Follows a request until it is final, undefined, refunded, empty or dropped, or the client goes away."""
    if window.changes.followers >= MAX_FOLLOWERS:
        raise Overloaded(f"{MAX_FOLLOWERS} requests are followed already", LOOK_SECONDS)
    first = await run_in_threadpool(window.request_state, request_id)
    return EventSourceResponse(_changes(window, request_id, first), ping=PING_SECONDS)


async def _changes(window: Window, id_: RequestId, state: RequestStateJson) -> AsyncIterator[ServerSentEvent]:
    told = None
    while True:
        # Seconds left change with every look; they are told, and are no news by themselves.
        news = state.model_dump_json(exclude={"seconds_left": True, "claim": {"seconds_left"}})
        if news != told:
            told = news
            yield ServerSentEvent(state.model_dump_json(), event=state.status.value)
        if state.status in ENDS:
            return
        await window.changes.wait(LOOK_SECONDS)
        state = await run_in_threadpool(window.request_state, id_)
