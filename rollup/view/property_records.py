"""What the view says of trainings, generations and claims of scores: frozen, replaced when something changes."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.properties.clock import TrainingCourse, TrainingPhase
from rollup.properties.draw import Draw
from rollup.properties.scores import ScoreClaim
from rollup.properties.types import (
    Generation,
    GenerationStatus,
    OpenedItem,
    Training,
    TrainingId,
    TrainingStatus,
)
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    Certainty,
    ClaimBatchId,
    EmptyReason,
    ModelId,
    RequestId,
)
from rollup.view.records import Delivery, MadeBatch, MadeClaim, OrderedBatch, OrderedRequest

NO_MODEL = ModelId(ZERO_WORD)
NO_WEIGHTS = BundleRoot(ZERO_WORD)


@dataclass(frozen=True)
class MadeScores:
    """A claim of scores. Its items are claims and requests of their own, made when they are asked for.

    window_end: until then items may be challenged. certainty: of the whole. final_at: of acquitted items the latest.
    disputed, contested: items in dispute now, and ever. inputs, output: canonical bytes, of a text, all of which stands
    on chain.
    """

    claim: ScoreClaim
    window_end: int
    certainty: Certainty = Certainty.PROVISIONAL
    final_at: int = 0
    disputed: frozenset[int] = frozenset()
    contested: frozenset[int] = frozenset()
    inputs: bytes = b""
    output: bytes = b""

    @property
    def id(self) -> ClaimBatchId:
        return self.claim.id

    @property
    def executor(self) -> Address:
        return self.claim.claims.executor

    @property
    def claimed_at(self) -> int:
        return self.claim.claims.claimed_at

    @property
    def final_from(self) -> int:
        """When it may be final, if nothing else happens (seconds)."""
        return max(self.window_end, self.final_at)

    def made_claim(self, index: int) -> MadeClaim:
        """Item `index` as a claim that nobody challenged."""
        batch = self.claim.claims
        return MadeClaim(
            self.claim.claim_id(index), self.id, index, self.claim.item_id(index), batch.executor,
            self.claim.entry(index), batch.eager, batch.undefined, batch.bond_wei, batch.claimed_at, self.window_end,
            self.certainty,
        )  # fmt: skip

    def ordered_request(self, index: int) -> OrderedRequest:
        """Item `index` as a request, which nobody can lease, claim or refund."""
        batch = self.claim.requests
        return OrderedRequest(
            self.claim.item_id(index), self.claim.claims.requests, index, batch.lane, index, self.claim.item(index),
            self.inputs, self.claimed_at, batch.deadline, claims=(self.claim.claim_id(index),),
        )  # fmt: skip

    @property
    def made_batch(self) -> MadeBatch:
        return MadeBatch(self.id, self.claim.claims, self.claim.entries, self.claim.claim_ids)

    @property
    def ordered_batch(self) -> OrderedBatch:
        reasons = (EmptyReason.NONE,) * self.claim.count
        return OrderedBatch(self.claim.claims.requests, self.claim.requests, self.claim.item_ids, reasons)


@dataclass(frozen=True)
class MadeCommit:
    """A commitment to weights. What is not known before scores are claimed is zero, `claim` None."""

    number: int
    executor: Address
    commitment: bytes
    committed_at: int
    claim: ClaimBatchId | None = None
    total: int = 0
    weights_root: BundleRoot = NO_WEIGHTS


@dataclass(frozen=True)
class OrderedTraining:
    """A training request and all that came of it.

    opened: of each stratum the item that was drawn, in order. seed, pool_key: empty until known. spoiled: pool index
    of an item whose key does not follow from the pool's. model, winner: if TRAINED. Money in wei.
    """

    id: TrainingId
    training: Training
    status: TrainingStatus = TrainingStatus.REQUESTED
    opened_at: int = 0
    revealed_at: int = 0
    seed: bytes = b""
    pool_key: bytes = b""
    opened: tuple[OpenedItem, ...] = ()
    commits: tuple[MadeCommit, ...] = ()
    spoiled: int | None = None
    model: ModelId = NO_MODEL
    winner: int = 0
    paid_wei: int = 0
    refunded_wei: int = 0
    burned_wei: int = 0

    @property
    def draw(self) -> Draw:
        """Which items are open and which sealed; only after the opening."""
        return Draw(self.seed, self.training.terms.pool_count, self.training.terms.open_count)

    @property
    def course(self) -> TrainingCourse:
        return TrainingCourse(self.training, self.status, self.opened_at, self.revealed_at, len(self.commits))

    def phase(self, now: int) -> TrainingPhase:
        return self.course.phase(now)

    def commits_of(self, executor: Address) -> tuple[MadeCommit, ...]:
        return tuple(commit for commit in self.commits if commit.executor == executor)


@dataclass(frozen=True)
class OrderedGeneration:
    """A generation request and all that came of it.

    anchor: the beacon is the hash of the block after it. seed: empty until drawn. deadline: as extended by fallen
    claims. attempts: claims that fell, `rejections` of them by a rejection; the executors of those are `excluded`.
    claims: all ever made, oldest first; `claim` is the one that stands. tokens: canonical bytes, of that one.
    """

    id: RequestId
    generation: Generation
    anchor: int
    deadline: int
    status: GenerationStatus = GenerationStatus.OPEN
    seed: bytes = b""
    lessee: Address = ZERO_ADDRESS
    leased_until: int = 0
    attempts: int = 0
    rejections: int = 0
    excluded: frozenset[Address] = frozenset()
    claims: tuple[ClaimBatchId, ...] = ()
    claim: ClaimBatchId | None = None
    tokens: bytes = b""
    delivery: Delivery = Delivery.NONE
    deliveries: int = 0
    delivered_at: int = 0

    @property
    def refutations(self) -> int:
        """Claims that fell by a refutation: each doubles the minimum bond of the next."""
        return self.attempts - self.rejections

    @property
    def is_drawn(self) -> bool:
        """Whether it may be taken and claimed: the uniforms are known, or none are needed."""
        return bool(self.seed) or not self.generation.terms.sampled

    @property
    def has_callback(self) -> bool:
        return any(self.generation.terms.callback)
