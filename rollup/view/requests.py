"""Folds what is said of requests, and checks it: ids and roots of what was ordered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatchmethod

from rollup import events
from rollup.codec import Domain, request_batch_id, request_id
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import (
    ZERO_WORD,
    BundleRoot,
    EmptyReason,
    Model,
    ModelId,
    PostTerms,
    Request,
    RequestBatchId,
    RequestId,
    Signed,
)
from rollup.view.facts import Facts, require_same
from rollup.view.records import HeldLease, OrderedBatch, OrderedRequest


class RequestFold:
    """Changes the maps of requests, their batches and leases."""

    def __init__(self, facts: Facts, domain: Domain) -> None:
        self._facts, self._domain = facts, domain

    @singledispatchmethod
    def fold(self, event: events.Event) -> None:
        """Other events say nothing of requests."""

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
        return Bundle([Tensor(spec, data).root for spec, data in _cut(self._facts.models[model], inputs)]).root

    def _order(self, ordered: OrderedBatch) -> None:
        require_same("request batch", request_batch_id(ordered.batch, self._domain), ordered.id)
        require_same("root of request batch", ordered.tree.top, ordered.batch.root)
        self._facts.request_batches[ordered.id] = ordered

    def _take(
        self, event: events.Event, batch_id: RequestBatchId, index: int, id_: RequestId, request: Request, inputs: bytes
    ) -> None:
        batch = self._facts.request_batches[batch_id].batch
        self._facts.requests[id_] = OrderedRequest(
            id_, batch_id, index, batch.lane, batch.first + index, request, inputs, event.at.timestamp, request.deadline
        )
        self._facts.open_requests[id_] = None

    @fold.register
    def _(self, event: events.Refunded) -> None:
        self._facts.requests[event.id] = replace(self._facts.requests[event.id], refunded=True)
        self._facts.open_requests.pop(event.id, None)

    @fold.register
    def _(self, event: events.Leased) -> None:
        lease = HeldLease(event.requests, event.scope, event.lessee, event.until, event.deposit_wei)
        self._facts.leases[event.requests, event.scope] = lease

    @fold.register
    def _(self, event: events.Reopened) -> None:
        self._facts.requests[event.request] = replace(self._facts.requests[event.request], deadline=event.deadline)
        self._facts.open_requests[event.request] = None


def _cut(model: Model, inputs: bytes) -> Iterator[tuple[TensorSpec, bytes]]:
    start = 0
    for item in model.inputs:
        spec = TensorSpec.from_header(item.header)
        yield spec, inputs[start : start + spec.byte_length]
        start += spec.byte_length
