"""Events folded into the state of requests, claims and disputes, one handler an event.

Checks what it is told against what it can compute (roots, ids, legal moves) and raises Doubt where they differ: a view
that disagrees with the chain must not be acted on. Asks no questions of the state; view.py does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatchmethod

from rollup import events
from rollup.clock import challenge_end
from rollup.codec import Domain, claim_batch_id, claim_id, family_id, request_batch_id, request_id, split_entries
from rollup.lifecycle import ENDED, FALLEN, moved
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import (
    ZERO_WORD,
    BundleRoot,
    Certainty,
    ClaimId,
    DisputeStatus,
    EmptyReason,
    Model,
    ModelId,
    PostTerms,
    Request,
    RequestBatchId,
    RequestId,
    Signed,
    Verdict,
)
from rollup.view.facts import Facts, require_same
from rollup.view.generations import GenerationFold
from rollup.view.records import (
    Delivery,
    DisputeState,
    HeldLease,
    MadeBatch,
    MadeClaim,
    OrderedBatch,
    OrderedRequest,
    Page,
)
from rollup.view.scores import ScoreFold
from rollup.view.trainings import TrainingFold


class State(Facts):
    """All that follows from the events so far. Read its maps; change it only by `fold`."""

    def __init__(self, domain: Domain) -> None:
        super().__init__()
        self._domain = domain
        self._scores = ScoreFold(self, domain)
        self._trainings = TrainingFold(self, domain)
        self._generations = GenerationFold(self, domain)

    @singledispatchmethod
    def fold(self, event: events.Event) -> None:
        """Events without a handler here are those of properties, or say nothing of what is kept."""
        self._scores.fold(event)
        self._trainings.fold(event)
        self._generations.fold(event)

    @fold.register
    def _(self, event: events.Registered) -> None:
        self.models[event.id] = event.model

    @fold.register
    def _(self, event: events.FamilyRegistered) -> None:
        require_same("family", family_id(event.buckets), event.id)
        self.families[event.id] = event.buckets

    @fold.register
    def _(self, event: events.Closed) -> None:
        self.closed.add(event.id)

    @fold.register
    def _(self, event: events.Adopted) -> None:
        if event.is_open:
            self.closed.discard(event.id)

    @fold.register
    def _(self, event: events.EndpointAnnounced) -> None:
        self.endpoints[event.executor] = event.url

    # Requests.

    @fold.register
    def _(self, event: events.Requested) -> None:
        require_same("request", request_id(event.request, self._domain), event.id)
        ids = (event.id,)
        self._order(OrderedBatch(event.batch_id, event.batch, ids, (EmptyReason.NONE,)))
        self._take(event, event.batch_id, 0, event.id, event.request, event.inputs)

    @fold.register
    def _(self, event: events.Posted) -> None:
        reasons = tuple(EmptyReason(reason) for reason in event.reasons)
        taken = [
            self._request_of(event.terms, signed) if reason is EmptyReason.NONE else None
            for signed, reason in zip(event.requests, reasons, strict=True)
        ]
        ids = tuple(request_id(request, self._domain) if request else None for request in taken)
        self._order(OrderedBatch(event.batch_id, event.batch, ids, reasons))
        for index, (id_, request) in enumerate(zip(ids, taken, strict=True)):
            if id_ is not None and request is not None:
                self._take(event, event.batch_id, index, id_, request, event.requests[index].inputs)

    def _request_of(self, terms: PostTerms, signed: Signed) -> Request:
        root = self._root_of(terms.model, signed.inputs) if signed.inputs else signed.inputs_root
        return Request(
            requester=signed.requester, nonce=signed.nonce, kind=0, model=terms.model, inputs_root=root,
            property=ZERO_WORD, parents=ZERO_WORD, fee_wei=terms.fee_wei, tip_wei=terms.tip_wei,
            min_bond_wei=terms.min_bond_wei, deadline=terms.deadline, callback=terms.callback,
            callback_gas=terms.callback_gas,
        )  # fmt: skip

    def _root_of(self, model: ModelId, inputs: bytes) -> BundleRoot:
        """Bundle root of inline inputs: the canonical bytes of all input tensors, one after another."""
        return Bundle([Tensor(spec, data).root for spec, data in _cut(self.models[model], inputs)]).root

    def _order(self, ordered: OrderedBatch) -> None:
        require_same("request batch", request_batch_id(ordered.batch, self._domain), ordered.id)
        require_same("root of request batch", ordered.tree.top, ordered.batch.root)
        self.request_batches[ordered.id] = ordered

    def _take(
        self, event: events.Event, batch_id: RequestBatchId, index: int, id_: RequestId, request: Request, inputs: bytes
    ) -> None:
        batch = self.request_batches[batch_id].batch
        self.requests[id_] = OrderedRequest(
            id_, batch_id, index, batch.lane, batch.first + index, request, inputs, event.at.timestamp, request.deadline
        )
        self.open_requests[id_] = None

    @fold.register
    def _(self, event: events.Refunded) -> None:
        self.requests[event.id] = replace(self.requests[event.id], refunded=True)
        self.open_requests.pop(event.id, None)

    @fold.register
    def _(self, event: events.Leased) -> None:
        lease = HeldLease(event.requests, event.scope, event.lessee, event.until, event.deposit_wei)
        self.leases[event.requests, event.scope] = lease

    @fold.register
    def _(self, event: events.Reopened) -> None:
        self.requests[event.request] = replace(self.requests[event.request], deadline=event.deadline)
        self.open_requests[event.request] = None

    # Claims.

    @fold.register
    def _(self, event: events.Claimed) -> None:
        require_same("claim batch", claim_batch_id(event.batch, self._domain), event.id)
        ordered = self.request_batches[event.batch.requests]
        model = self.models[ordered.batch.model]
        entries = _live_entries(event, TensorSpec.from_header(model.output_header).byte_length)
        ids = tuple(None if entry is None else claim_id(event.id, i) for i, entry in enumerate(entries))
        made = MadeBatch(event.id, event.batch, entries, ids)
        require_same("root of claim batch", made.tree.top, event.batch.root)
        self.claim_batches[event.id] = made
        end = challenge_end(event.batch.claimed_at, model.windows)
        for index, (id_, entry) in enumerate(zip(ids, entries, strict=True)):
            request = ordered.requests[event.batch.first + index]
            if id_ is not None and entry is not None and request is not None:
                self._claim(made, id_, index, entry, request, end)

    def _claim(
        self, made: MadeBatch, id_: ClaimId, index: int, entry: bytes, request: RequestId, window_end: int
    ) -> None:
        batch = made.batch
        self.claims[id_] = MadeClaim(
            id_, made.id, index, request, batch.executor, entry, batch.eager, batch.undefined, batch.bond_wei,
            batch.claimed_at, window_end,
        )  # fmt: skip
        self.active_claims[id_] = None
        ordered = self.requests[request]
        self.requests[request] = replace(ordered, claims=(*ordered.claims, id_))
        self.open_requests.pop(request, None)

    @fold.register
    def _(self, event: events.Challenged) -> None:
        self._move(event.id, Certainty.CHALLENGED)
        self.claims[event.id] = replace(self.claims[event.id], contested=True)
        windows = self._model_of(event.id).windows
        self.disputes[event.id] = DisputeState(event.id, windows, event.at.timestamp)

    @fold.register
    def _(self, event: events.Acquitted) -> None:
        self._move(event.id, Certainty.PROVISIONAL)
        self.claims[event.id] = replace(self.claims[event.id], final_at=event.final_at)

    @fold.register
    def _(self, event: events.Refuted) -> None:
        self._move(event.id, Certainty.REFUTED)
        ordered = self.requests[event.request]
        self.requests[event.request] = replace(ordered, refutations=ordered.refutations + 1)

    @fold.register
    def _(self, event: events.Rejected) -> None:
        self._move(event.id, Certainty.REJECTED)
        ordered, executor = self.requests[event.request], self.claims[event.id].executor
        self.requests[event.request] = replace(
            ordered, rejections=ordered.rejections + 1, excluded=ordered.excluded | {executor}
        )

    @fold.register
    def _(self, event: events.Finalised) -> None:
        for id_ in self.claim_batches[event.id].claims:
            if id_ is not None and not self.claims[id_].contested:
                self._end(id_)

    @fold.register
    def _(self, event: events.ContestedFinalised) -> None:
        self._end(event.id)

    @fold.register
    def _(self, event: events.CallbackSent) -> None:
        self._deliver(event, Delivery.SENT)

    @fold.register
    def _(self, event: events.CallbackFailed) -> None:
        self._deliver(event, Delivery.FAILED)

    def _deliver(self, event: events.CallbackSent | events.CallbackFailed, delivery: Delivery) -> None:
        claim = self.claims[event.claim]
        self.claims[event.claim] = replace(
            claim, delivery=delivery, deliveries=claim.deliveries + 1, delivered_at=event.at.timestamp
        )
        if delivery is Delivery.SENT:
            self.active_claims.pop(event.claim, None)

    def _end(self, id_: ClaimId) -> None:
        self._move(id_, Certainty.UNDEFINED if self.claims[id_].undefined else Certainty.FINAL)

    def _move(self, id_: ClaimId, after: Certainty) -> None:
        claim = self.claims[id_]
        self.claims[id_] = replace(claim, certainty=moved(claim.certainty, after, claim.contested))
        is_over = after in ENDED or after in FALLEN
        announced = (after in ENDED or after is Certainty.REFUTED) and self._has_callback(claim)
        if is_over and not announced:
            self.active_claims.pop(id_, None)

    def _has_callback(self, claim: MadeClaim) -> bool:
        return any(self.requests[claim.request].request.callback)

    def _model_of(self, id_: ClaimId) -> Model:
        return self.models[self.requests[self.claims[id_].request].request.model]

    # Disputes.

    @fold.register
    def _(self, event: events.ChallengeMade) -> None:
        self._dispute(event.id, challenger=event.challenger, bond_wei=event.bond_wei)

    @fold.register
    def _(self, event: events.TraceOpened) -> None:
        self._dispute(event.id, status=DisputeStatus.OPENED, trace_root=event.trace_root, opened_at=event.at.timestamp)

    @fold.register
    def _(self, event: events.Demanded) -> None:
        page = Page(event.page, event.demander, event.deposit_wei, event.refs)
        self._dispute(event.id, pages=(*self.disputes[event.id].pages, page))

    @fold.register
    def _(self, event: events.Supplied) -> None:
        pages = tuple(
            replace(page, supplied=(*page.supplied, (event.position, event.opening)))
            if page.number == event.page
            else page
            for page in self.disputes[event.id].pages
        )
        self._dispute(event.id, pages=pages)

    @fold.register
    def _(self, event: events.FaultProven) -> None:
        beyond_sound = event.verdict is Verdict.BEYOND_SOUND
        self._end_dispute(event.id, DisputeStatus.REFUTED if beyond_sound else DisputeStatus.REJECTED)

    @fold.register
    def _(self, event: events.Silenced) -> None:
        self._end_dispute(event.id, DisputeStatus.REFUTED)

    @fold.register
    def _(self, event: events.Cleared) -> None:
        self._end_dispute(event.id, DisputeStatus.ACQUITTED)

    def _end_dispute(self, id_: ClaimId, status: DisputeStatus) -> None:
        self._dispute(id_, status=status)
        self._scores.end_dispute(id_, status)

    def _dispute(self, id_: ClaimId, **changes: object) -> None:
        self.disputes[id_] = replace(self.disputes[id_], **changes)  # type: ignore[arg-type]


def _cut(model: Model, inputs: bytes) -> Iterator[tuple[TensorSpec, bytes]]:
    start = 0
    for item in model.inputs:
        spec = TensorSpec.from_header(item.header)
        yield spec, inputs[start : start + spec.byte_length]
        start += spec.byte_length


def _live_entries(event: events.Claimed, output_bytes: int) -> tuple[bytes | None, ...]:
    """Entries by index in the claim batch; None where none was given, or its request was claimed already."""
    given = iter(split_entries(event.data, output_bytes, event.batch))
    entries: list[bytes | None] = []
    for index in range(event.batch.count):
        entry = next(given) if _bit(event.presence, index) else None
        entries.append(entry if _bit(event.live, index) else None)
    return tuple(entries)


def _bit(words: tuple[int, ...], index: int) -> bool:
    return bool(words[index // 256] >> (index % 256) & 1)
