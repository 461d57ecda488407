"""Models: what is registered, page by page or by id."""

from __future__ import annotations

from itertools import islice

from fastapi import APIRouter

from api.answers import model_state
from api.dependencies import ALimit, AModelId, AnOffset, TheWindow
from api.errors import documented
from api.schemas import BucketsJson, ModelJson, ModelPageJson

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", responses=documented(422, 429, 503))
def read_page(window: TheWindow, limit: ALimit = 20, offset: AnOffset = 0) -> ModelPageJson:
    """Registered models, in order of registration."""
    with window.reading() as view:
        models = [model_state(view, id_) for id_ in islice(view.state.models, offset, offset + limit)]
        total = len(view.state.models)
    return ModelPageJson(models=models, next=offset + limit if offset + limit < total else None)


@router.get("/{model_id}", responses=documented(404, 422, 429, 503))
def read(model_id: AModelId, window: TheWindow) -> ModelJson:
    """One registered model."""
    with window.reading() as view:
        return model_state(view, model_id)


@router.get("/{model_id}/buckets", responses=documented(404, 422, 429, 503))
def read_buckets(model_id: AModelId, window: TheWindow) -> BucketsJson:
    """The models that an id stands for: of a family one for each length of inputs, else the model itself."""
    with window.reading() as view:
        return BucketsJson(buckets=[model_state(view, bucket) for bucket in view.buckets(model_id)])
