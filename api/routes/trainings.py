"""Trainings: what is wished for, who committed, what their weights are worth; page by page or by id."""

from __future__ import annotations

from itertools import islice

from fastapi import APIRouter

from api.answers import training_state
from api.dependencies import ALimit, AnOffset, ATrainingId, TheWindow
from api.errors import documented
from api.schemas import TrainingPageJson, TrainingStateJson, TrainingStatusText
from rollup.properties.types import TrainingStatus

router = APIRouter(prefix="/v1/trainings", tags=["trainings"])


@router.get("", responses=documented(422, 429, 503))
def read_page(
    window: TheWindow, limit: ALimit = 20, offset: AnOffset = 0, status: TrainingStatusText | None = None
) -> TrainingPageJson:
    """Trainings, the newest first; with `status`, those that stand there. Curves are told of each alone."""
    with window.reading() as view:
        wanted = None if status is None else TrainingStatus[status.name]
        known = [each for each in reversed(view.trainings()) if wanted in (None, each.status)]
        told = [training_state(view, each) for each in islice(known, offset, offset + limit)]
    return TrainingPageJson(trainings=told, next=offset + limit if offset + limit < len(known) else None)


@router.get("/{training_id}", responses=documented(404, 422, 429, 503))
def read(training_id: ATrainingId, window: TheWindow) -> TrainingStateJson:
    """One training: its phase and deadlines, commitments and their claims, curves, and the model once it is trained."""
    return window.training_state(training_id)
