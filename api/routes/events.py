"""Server-sent events of requests, trainings and generations: each one's state now, then every change until its end."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from sse_starlette.sse import EventSourceResponse

from api.answers import ENDED, ENDS, GENERATION_ENDS
from api.dependencies import AGenerationId, ARequestId, ATrainingId, TheWindow
from api.routes.streams import RESPONSES, Followed, stream

router = APIRouter(prefix="/v1", tags=["events"])


@router.get("/requests/{request_id}/events", response_class=EventSourceResponse, responses={**RESPONSES})
async def follow(request_id: ARequestId, window: TheWindow) -> EventSourceResponse:
    """Follows a request until it is final, undefined, refunded, empty or dropped, or the client goes away."""
    look, clocks = partial(window.request_state, request_id), {"seconds_left": True, "claim": {"seconds_left"}}
    return await stream(window, Followed(look, ENDS, clocks))


@router.get("/trainings/{training_id}/events", response_class=EventSourceResponse, responses={**RESPONSES})
async def follow_training(training_id: ATrainingId, window: TheWindow) -> EventSourceResponse:
    """Follows a training, and every epoch that executors tell of, until it has ended or the client goes away."""
    clocks = {"deadlines": {"seconds_left"}, "commits": {"__all__": {"claim": {"seconds_left"}}}}
    return await stream(window, Followed(partial(window.training_state, training_id), ENDED, clocks))


@router.get("/generations/{generation_id}/events", response_class=EventSourceResponse, responses={**RESPONSES})
async def follow_generation(generation_id: AGenerationId, window: TheWindow) -> EventSourceResponse:
    """Follows a generation until it is final or refunded, or the client goes away."""
    look, clocks = partial(window.generation_state, generation_id), {"claim": {"seconds_left"}}
    return await stream(window, Followed(look, GENERATION_ENDS, clocks))
