"""Generations: texts that are wished for and claimed; page by page or by id."""

from __future__ import annotations

from itertools import islice

from fastapi import APIRouter

from api.answers import generation_state
from api.dependencies import AGenerationId, ALimit, AnOffset, TheWindow
from api.errors import documented
from api.schemas import GenerationJson, GenerationPageJson, GenerationStatusText
from rollup.properties.types import GenerationStatus

router = APIRouter(prefix="/v1/generations", tags=["generations"])


@router.get("", responses=documented(422, 429, 503))
def read_page(
    window: TheWindow, limit: ALimit = 20, offset: AnOffset = 0, status: GenerationStatusText | None = None
) -> GenerationPageJson:
    """Generations, the newest first; with `status`, those that stand there."""
    with window.reading() as view:
        wanted = None if status is None else GenerationStatus[status.name]
        known = [each for each in reversed(view.generations()) if wanted in (None, each.status)]
        told = [generation_state(view, each) for each in islice(known, offset, offset + limit)]
    return GenerationPageJson(generations=told, next=offset + limit if offset + limit < len(known) else None)


@router.get("/{generation_id}", responses=documented(404, 422, 429, 503))
def read(generation_id: AGenerationId, window: TheWindow) -> GenerationJson:
    """One generation: its lease, its claim and how sure that is, and the tokens, decoded."""
    return window.generation_state(generation_id)
