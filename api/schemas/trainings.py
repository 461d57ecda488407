"""Trainings: what is wished for, who committed, what their weights are worth, and how far they say they are."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from api.schemas.scores import ScoresJson
from api.schemas.values import AddressText, Json, Real, Wei, Word


class TrainingStatusText(StrEnum):
    """Where a training stands. CANCELLED, UNSCORED, MISSED and TRAINED are the ends."""

    REQUESTED = "requested"
    COMMITTING = "committing"
    REVEALED = "revealed"
    CANCELLED = "cancelled"
    UNSCORED = "unscored"
    MISSED = "missed"
    TRAINED = "trained"


class PropertyJson(Json):
    """What a result must have to be right: an aggregate of its scores, compared with the threshold."""

    aggregate: str
    comparison: str
    threshold: Real
    predicate: AddressText
    predicate_gas: int


class TrainingTermsJson(Json):
    """A wish for a trained network. `unscored_share` in 1/10,000; periods in seconds."""

    architecture: Word
    scorer: Word
    data_root: Word
    recipe: Word
    pool_root: Word
    pool_count: int
    open_count: int
    key_hash: Word
    property: PropertyJson
    fee_wei: Wei
    bonus_wei: Wei
    full_score: Real
    commit_fee_wei: Wei
    min_bond_wei: Wei
    unscored_share: int
    open: int
    commit: int
    reveal: int
    claim: int


class DeadlinesJson(Json):
    """When each phase ends, seconds; null while that is not known. `seconds_left`: of the phase that runs now."""

    open_end: int
    commit_end: int | None
    reveal_end: int | None
    claim_end: int | None
    seconds_left: int | None


class CommitJson(Json):
    """A commitment to weights. `score`: what the property makes of its claimed scores, exact but for its last digits;
    `progress`: how far that lies from the threshold, 0, to the full score, 1. Both are null before scores are claimed.
    """

    number: int
    executor: AddressText
    commitment: Word
    committed_at: int
    certainty: str
    score: Real | None
    progress: Annotated[float, Field(ge=0, le=1)] | None
    weights_root: Word | None
    claim: ScoresJson | None


class PointJson(Json):
    """One epoch of an executor's curve, in its own words: mean loss, and the score on the opened items."""

    epoch: int
    loss: Real
    score: Real | None


class CurveJson(Json):
    executor: AddressText
    points: list[PointJson]


class TrainingJson(Json):
    """One training. `seed` from the opening on, `pool_key` from the reveal on; `model` and `winner`, the number of the
    paid commitment, once it is trained; money paid out once it has ended.
    """

    id: Word
    status: TrainingStatusText
    phase: str
    requester: AddressText
    nonce: int
    requested_at: int
    requested_block: int
    terms: TrainingTermsJson
    deadlines: DeadlinesJson
    seed: Word | None
    pool_key: Word | None
    opened: list[int] = Field(description="pool indices of the items whose keys are shown")
    spoiled: int | None = Field(description="pool index of an item whose key does not follow from the pool's")
    commits: list[CommitJson]
    model: Word | None
    winner: int | None
    paid_wei: Wei
    refunded_wei: Wei
    burned_wei: Wei


class TrainingStateJson(TrainingJson):
    """One training, and the curves that executors tell of it."""

    curves: list[CurveJson]


class TrainingPageJson(Json):
    """A page of trainings, the newest first; `next` is the offset of the next page, null at the end."""

    trainings: list[TrainingJson]
    next: int | None = Field(description="offset of the next page")
