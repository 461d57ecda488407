"""The maps that events are folded into, and the search in them. Changed only by the folds."""

from __future__ import annotations

from rollup.errors import Doubt
from rollup.properties.types import TrainingId
from rollup.types import (
    Address,
    ClaimBatchId,
    ClaimId,
    Model,
    ModelId,
    RequestBatchId,
    RequestId,
)
from rollup.view.property_records import MadeScores, OrderedGeneration, OrderedTraining
from rollup.view.records import DisputeState, HeldLease, MadeBatch, MadeClaim, OrderedBatch, OrderedRequest


class Facts:
    """All that is known of requests, claims, disputes and properties, by id."""

    def __init__(self) -> None:
        self.models: dict[ModelId, Model] = {}
        self.families: dict[ModelId, tuple[ModelId, ...]] = {}
        # Retired or struck: they take no more requests.
        self.closed: set[ModelId] = set()
        self.request_batches: dict[RequestBatchId, OrderedBatch] = {}
        self.requests: dict[RequestId, OrderedRequest] = {}
        self.leases: dict[tuple[RequestBatchId, int], HeldLease] = {}
        self.claim_batches: dict[ClaimBatchId, MadeBatch] = {}
        # Of the items of claims of scores only those that were ever challenged.
        self.claims: dict[ClaimId, MadeClaim] = {}
        self.disputes: dict[ClaimId, DisputeState] = {}
        self.endpoints: dict[Address, str] = {}
        # Requests that somebody may still claim, and claims of which something may still come; in order.
        self.open_requests: dict[RequestId, None] = {}
        self.active_claims: dict[ClaimId, None] = {}
        # Properties. `scorers`: with claimed weights; registered only when they win.
        self.scores: dict[ClaimBatchId, MadeScores] = {}
        self.scorers: dict[ModelId, Model] = {}
        self.trainings: dict[TrainingId, OrderedTraining] = {}
        self.generations: dict[RequestId, OrderedGeneration] = {}
        # What a claim of scores is about: the training and the number of the commitment, or the generation.
        self.scored_commits: dict[ClaimBatchId, tuple[TrainingId, int]] = {}
        self.scored_texts: dict[ClaimBatchId, RequestId] = {}
        # Those of which something may still come; in order.
        self.active_scores: dict[ClaimBatchId, None] = {}
        self.active_trainings: dict[TrainingId, None] = {}
        self.active_generations: dict[RequestId, None] = {}

    def item(self, id_: bytes) -> tuple[MadeScores, int] | None:
        """The claim of scores, and the index in it, of an item that has this id or whose claim has.

        The first search in a claim hashes all of its items: some tens of milliseconds for the largest.
        """
        made = self.claims.get(ClaimId(id_))
        if made is not None:
            return (self.scores[made.batch], made.index) if made.batch in self.scores else None
        # The youngest first: what is looked for is most often new.
        for scores in reversed(self.scores.values()):
            index = scores.claim.indices.get(id_)
            if index is not None:
                return scores, index
        return None


def require_same(what: str, computed: bytes | int, received: bytes | int) -> None:
    """Raises Doubt unless what the chain says is what its contents say."""
    if computed != received:
        shown = [f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for value in (received, computed)]
        raise Doubt(f"the {what} is {shown[0]} on chain and {shown[1]} by its contents")
