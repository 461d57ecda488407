"""What the contracts of properties said, as frozen records: the second part of rollup/events.py."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.events import Event
from rollup.properties.types import Generation, OpenedItem, Scoring, Training, TrainingId, TrainingStatus
from rollup.types import (
    Address,
    BundleRoot,
    Certainty,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    ModelId,
    RequestBatch,
    RequestId,
)


@dataclass(frozen=True)
class TrainingRequested(Event):
    id: TrainingId
    requester: Address
    training: Training


@dataclass(frozen=True)
class PoolOpened(Event):
    id: TrainingId
    seed: bytes
    items: tuple[OpenedItem, ...]


@dataclass(frozen=True)
class WeightsCommitted(Event):
    id: TrainingId
    number: int
    executor: Address
    commitment: bytes


@dataclass(frozen=True)
class PoolRevealed(Event):
    id: TrainingId
    pool_key: bytes


@dataclass(frozen=True)
class ScoresMade(Event):
    id: TrainingId
    number: int
    executor: Address
    claim: ClaimBatchId
    weights_root: BundleRoot
    total: int


@dataclass(frozen=True)
class PoolSpoiled(Event):
    id: TrainingId
    index: int


@dataclass(frozen=True)
class ItemsUnmasked(Event):
    id: TrainingId
    number: int
    item: int


@dataclass(frozen=True)
class WeightsCondemned(Event):
    id: ClaimBatchId
    sender: Address
    tensor: int
    element: int


@dataclass(frozen=True)
class TrainingEnded(Event):
    """`model` is zero unless TRAINED. `paid_wei`: to the winner, or to the first committer if UNSCORED."""

    id: TrainingId
    status: TrainingStatus
    winner: int
    model: ModelId
    paid_wei: int
    refunded_wei: int
    burned_wei: int


@dataclass(frozen=True)
class GenerationRequested(Event):
    id: RequestId
    requester: Address
    generation: Generation


@dataclass(frozen=True)
class Drawn(Event):
    id: RequestId
    seed: bytes
    anchor: int


@dataclass(frozen=True)
class Taken(Event):
    id: RequestId
    lessee: Address
    until: int
    deposit_wei: int


@dataclass(frozen=True)
class Generated(Event):
    """`tokens`, `scores`: canonical bytes; of many scores the claim itself holds only a root."""

    id: RequestId
    executor: Address
    claim: ClaimBatchId
    tokens: bytes
    scores: bytes


@dataclass(frozen=True)
class GenerationFinal(Event):
    id: RequestId
    executor: Address
    claim: ClaimBatchId


@dataclass(frozen=True)
class GenerationReopened(Event):
    id: RequestId
    claim: ClaimBatchId
    fallen: Certainty
    deadline: int


@dataclass(frozen=True)
class GenerationRefunded(Event):
    id: RequestId
    amount_wei: int


@dataclass(frozen=True)
class TextSent(Event):
    """CallbackSent of Generations: the consumer heard the text."""

    id: RequestId
    claim: ClaimBatchId


@dataclass(frozen=True)
class TextFailed(Event):
    """CallbackFailed of Generations: the consumer did not hear the text."""

    id: RequestId
    claim: ClaimBatchId


@dataclass(frozen=True)
class ScoresClaimed(Event):
    id: ClaimBatchId
    subject: bytes
    source: Address
    claims: ClaimBatch
    requests: RequestBatch
    scoring: Scoring


@dataclass(frozen=True)
class ScoresContested(Event):
    """An item is challenged. `index`: in the claim."""

    id: ClaimId
    batch_id: ClaimBatchId
    index: int


@dataclass(frozen=True)
class ScoresKeptOpen(Event):
    id: ClaimBatchId
    until: int


@dataclass(frozen=True)
class ScoreAcquitted(Event):
    id: ClaimId
    batch_id: ClaimBatchId
    final_at: int


@dataclass(frozen=True)
class ScoresFell(Event):
    id: ClaimBatchId
    item: ClaimId
    certainty: Certainty


@dataclass(frozen=True)
class ScoresFinal(Event):
    id: ClaimBatchId
    executor: Address


EVENTS: tuple[type[Event], ...] = (
    *(TrainingRequested, PoolOpened, WeightsCommitted, PoolRevealed, ScoresMade, PoolSpoiled, ItemsUnmasked),
    WeightsCondemned,
    *(TrainingEnded, GenerationRequested, Drawn, Taken, Generated, GenerationFinal, GenerationReopened),
    *(GenerationRefunded, ScoresClaimed, ScoresContested, ScoresKeptOpen, ScoreAcquitted, ScoresFell),
    ScoresFinal,
)
# Events that share their name with another contract's, by interface and name.
SAME_NAMES = {("IGenerations", "CallbackSent"): TextSent, ("IGenerations", "CallbackFailed"): TextFailed}
