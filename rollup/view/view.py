"""The questions that daemons and the API ask of the folded state, and the rewinding of it.

Everything here follows from events and a time that is handed in; nothing is read from the chain.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollup.clock import CONCLUDABLE, is_before
from rollup.codec import Domain
from rollup.events import Event, Update
from rollup.lifecycle import ENDED, STANDING
from rollup.types import (
    MAX_REJECTIONS,
    Address,
    Certainty,
    ClaimBatchId,
    ClaimId,
    ClaimWitness,
    DisputeStatus,
    Model,
    ModelId,
    RequestId,
)
from rollup.view.fold import State
from rollup.view.properties import Properties, found
from rollup.view.records import Delivery, DisputeState, HeldLease, MadeBatch, MadeClaim, OrderedBatch, OrderedRequest


class View(Properties):
    """All requests, claims and disputes as of one block; what it says of properties stands in Properties.

    Not thread-safe: one thread applies updates, others ask while it does not (see chain/follower.py). Rewinding folds
    what is left from the start, which is slow, rare and cannot go wrong.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._events: list[Event] = []
        self.state: State = State(domain)
        self.block = 0
        self.block_hash = b""
        # The chain's time, seconds: the timestamp of the last block that is known.
        self.now = 0

    def apply(self, update: Update) -> None:
        """Raises Doubt if an event contradicts what is known; the view must then not be acted on."""
        if update.keep is not None:
            self.rewind(update.keep)
        for event in update.events:
            self.state.fold(event)
            self._events.append(event)
        self.block, self.block_hash, self.now = update.block, update.block_hash, update.timestamp

    def rewind(self, block: int) -> None:
        """Undoes every event after `block`."""
        self._events = [event for event in self._events if event.at.block <= block]
        self.state = State(self._domain)
        for event in self._events:
            self.state.fold(event)

    # One thing by its name.

    def request(self, id_: RequestId) -> OrderedRequest:
        """A request, or the item of a claim of scores as one."""
        known = self.state.requests.get(id_)
        place = self.state.item(id_) if known is None else None
        return found(place[0].ordered_request(place[1]) if place else known, "request", id_)

    def claim(self, id_: ClaimId) -> MadeClaim:
        """A claim, or the item of a claim of scores as one."""
        known = self.state.claims.get(id_)
        place = self.state.item(id_) if known is None else None
        return found(place[0].made_claim(place[1]) if place else known, "claim", id_)

    def dispute(self, id_: ClaimId) -> DisputeState:
        return found(self.state.disputes.get(id_), "dispute of claim", id_)

    def model(self, id_: ModelId) -> Model:
        """A registered model, or a scorer with the weights of a claim of scores."""
        return found(self.state.models.get(id_) or self.state.scorers.get(id_), "model", id_)

    def buckets(self, id_: ModelId) -> tuple[ModelId, ...]:
        """Models that an id stands for: a family's buckets, or the model itself. Raises NotFound."""
        if id_ in self.state.families:
            return self.state.families[id_]
        self.model(id_)
        return (id_,)

    def batch_of(self, request: OrderedRequest) -> OrderedBatch:
        known = self.state.request_batches.get(request.batch)
        return known or self._scores_with(request.id).ordered_batch

    def claims_of(self, claim: MadeClaim) -> MadeBatch:
        known = self.state.claim_batches.get(claim.batch)
        return known or self.scores(claim.batch).made_batch

    def live_claim(self, request: OrderedRequest) -> MadeClaim | None:
        """The claim that stands on a request: provisional, challenged, final or undefined."""
        last = self.claim(request.claims[-1]) if request.claims else None
        return last if last is not None and last.certainty in STANDING else None

    def certainty(self, request: OrderedRequest) -> Certainty:
        """Certainty of the last claim on a request; NONE if there was none."""
        return self.claim(request.claims[-1]).certainty if request.claims else Certainty.NONE

    def witness(self, id_: ClaimId) -> ClaimWitness:
        """All that a contract wants to see of a claim, with its two Keccak paths."""
        claim = self.claim(id_)
        if claim.batch in self.state.scores:
            return self.scores(claim.batch).claim.witness(claim.index)
        made, request = self.claims_of(claim), self.request(claim.request)
        ordered = self.batch_of(request)
        return ClaimWitness(
            requests=ordered.batch,
            claims=made.batch,
            index=claim.index,
            entry=claim.entry,
            entry_path=made.tree.path(claim.index),
            request=request.request,
            request_path=ordered.tree.path(request.index),
        )

    # What waits for somebody. `now` in seconds of the chain.

    def open_requests(
        self, now: int, model: ModelId | None = None, executor: Address | None = None
    ) -> list[OrderedRequest]:
        """Requests that may be claimed (by `executor`, if given), in the order in which they came."""
        requests = (self.state.requests[id_] for id_ in self.state.open_requests)
        return [
            request
            for request in requests
            if is_before(now, request.deadline)
            and request.rejections < MAX_REJECTIONS
            and (model is None or request.request.model == model)
            and executor not in request.excluded
        ]

    def refundable(self, now: int) -> list[OrderedRequest]:
        """Requests that nobody can claim any more: their deadline is over and no claim on them is live."""
        requests = (self.state.requests[id_] for id_ in self.state.open_requests)
        return [request for request in requests if not is_before(now, request.deadline)]

    def lease_on(self, request: OrderedRequest, now: int) -> HeldLease | None:
        """The lease under which an open request may be claimed now, if somebody holds it."""
        lease = self.state.leases.get((request.batch, request.scope))
        return lease if lease is not None and is_before(now, lease.until) else None

    def to_finalise(self, now: int) -> list[MadeBatch]:
        """Claim batches with a claim that may be final now in its batch's own time."""
        found: dict[ClaimBatchId, None] = {}
        for claim in self._active():
            if claim.certainty is Certainty.PROVISIONAL and not claim.contested and now >= claim.window_end:
                found[claim.batch] = None
        return [self.state.claim_batches[id_] for id_ in found]

    def to_finalise_contested(self, now: int) -> list[MadeClaim]:
        """Acquitted claims that may be final now. Items of claims of scores are final with the whole."""
        return [
            claim
            for claim in self._active()
            if claim.certainty is Certainty.PROVISIONAL
            and claim.contested
            and now >= claim.final_from
            and claim.batch in self.state.claim_batches
        ]

    def to_settle(self) -> list[MadeClaim]:
        """Claims that are final, or undefined, and whose callback was not fired."""
        return [claim for claim in self._active() if claim.certainty in ENDED and claim.delivery is Delivery.NONE]

    def to_announce(self) -> list[MadeClaim]:
        """Refuted claims whose callback was not fired."""
        return [
            claim
            for claim in self._active()
            if claim.certainty is Certainty.REFUTED and claim.delivery is Delivery.NONE
        ]

    def to_retry(self) -> list[MadeClaim]:
        """Claims whose callback failed."""
        return [claim for claim in self._active() if claim.delivery is Delivery.FAILED]

    def open_disputes(self) -> list[DisputeState]:
        """Disputes in which something may still happen, of the oldest claim first."""
        disputes = (self.state.disputes.get(claim.id) for claim in self._active())
        running = (DisputeStatus.CHALLENGED, DisputeStatus.OPENED)
        return [dispute for dispute in disputes if dispute is not None and dispute.status in running]

    def to_conclude(self, now: int) -> list[DisputeState]:
        """Disputes whose clock has run out."""
        return [dispute for dispute in self.open_disputes() if dispute.course.phase(now) in CONCLUDABLE]

    def _active(self) -> Iterator[MadeClaim]:
        return (self.state.claims[id_] for id_ in self.state.active_claims)
