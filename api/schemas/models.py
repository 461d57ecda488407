"""Registered models."""

from __future__ import annotations

from pydantic import Field

from api.schemas.claims import OutputJson
from api.schemas.values import Json, Word


class InputJson(Json):
    dtype: str
    shape: list[int]
    lo: float | int
    hi: float | int


class ModelJson(Json):
    """One registered model; windows in seconds, bands as absolute differences."""

    id: Word
    graph_root: Word
    weights_root: Word
    numerics_root: Word
    inputs: list[InputJson]
    output: OutputJson
    output_band: float
    slash_band: float
    min_bond_gas: int
    windows: dict[str, int]
    open: bool = Field(description="whether requests are taken")


class ModelPageJson(Json):
    """A page of models in order of registration; `next` is the offset of the next page, null at the end."""

    models: list[ModelJson]
    next: int | None = Field(description="offset of the next page")


class BucketsJson(Json):
    """Models that one id stands for. A request names the one whose inputs have its shapes."""

    buckets: list[ModelJson]
