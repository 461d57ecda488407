"""Events folded into the state of all there is, one handler an event; those of models and claims here.

Checks what it is told against what it can compute (roots, ids, legal moves) and raises Doubt where they differ: a view
that disagrees with the chain must not be acted on. Asks no questions of the state; view.py does.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod

from rollup import events
from rollup.clock import challenge_end
from rollup.codec import Domain, claim_batch_id, claim_id, family_id, split_entries
from rollup.lifecycle import ENDED, FALLEN, moved
from rollup.tensor import TensorSpec
from rollup.types import Certainty, ClaimId, Model, RequestId
from rollup.view.disputes import DisputeFold
from rollup.view.facts import Facts, require_same
from rollup.view.generations import GenerationFold
from rollup.view.records import Delivery, DisputeState, MadeBatch, MadeClaim
from rollup.view.requests import RequestFold
from rollup.view.scores import ScoreFold
from rollup.view.trainings import TrainingFold


class State(Facts):
    """All that follows from the events so far. Read its maps; change it only by `fold`."""

    def __init__(self, domain: Domain) -> None:
        super().__init__()
        self._domain = domain
        scores = ScoreFold(self, domain)
        self._others = (
            RequestFold(self, domain),
            DisputeFold(self, scores),
            scores,
            TrainingFold(self, domain),
            GenerationFold(self, domain),
        )

    @singledispatchmethod
    def fold(self, event: events.Event) -> None:
        """Events without a handler here are those of the others, or say nothing of what is kept."""
        for other in self._others:
            other.fold(event)

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
