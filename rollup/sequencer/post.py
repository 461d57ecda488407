"""Accepted requests, in line, into posted batches.

One transaction at a time. Its requests are bound to it in the journal before it is signed; after a crash at any point
the same transaction is continued, so that nothing is lost and nothing posted twice. Knows nothing of who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Protocol

import structlog

from rollup.codec import Domain, request_id
from rollup.errors import BadInput, NotYet, Reverted
from rollup.events import Posted
from rollup.journal import AcceptedRequest, Placement, Requests, RequestStatus
from rollup.sequencer.pace import Standing, is_due
from rollup.types import (
    MAX_BATCH,
    ZERO_WORD,
    EmptyReason,
    PostTerms,
    Request,
    RequestId,
    Signed,
)

# A node takes no transaction above 128 KiB; this leaves room for its envelope and the batch's terms.
MAX_CALLDATA_BYTES = 100_000
# Inbox's refusals of what a whole batch shares.
_TERMS_REFUSED = ("DeadlineOutOfRange", "FeeTooLow", "CallbackGasOutOfRange", "UnknownModel", "ModelClosed")
_log = structlog.get_logger()


class PosterChain(Protocol):
    """What posting asks of the chain."""

    def post(self, terms: PostTerms, requests: Sequence[Signed]) -> Posted:
        """Posts once, however often it is called, and returns what Inbox said.

        Raises NotYet (it is in flight), Unavailable, Reverted (it can never be), BadInput (it takes more gas than a
        transaction may).
        """

    def earliest_deadline(self, terms: PostTerms) -> int:
        """Deadlines before this are refused now, seconds."""


class Poster:
    """The only one that posts from a journal. `placed` is told of each request that was placed.

    `interval_seconds`: how long a request waits, first in line, for others to share its batch.
    """

    def __init__(
        self,
        requests: Requests,
        chain: PosterChain,
        domain: Domain,
        placed: Callable[[RequestId, RequestStatus], None],
        interval_seconds: float = 0.0,
    ) -> None:
        self._requests, self._chain, self._domain, self._placed = requests, chain, domain, placed
        self._interval_seconds = interval_seconds
        self._max_batch = MAX_BATCH
        self._first_in_line: tuple[RequestId, float] | None = None

    def post_once(self, now: float) -> int:
        """Continues what a crash interrupted, or posts the next batch if it is due; returns how many it placed.

        `now`: seconds of a clock that never goes back. The chain's own will not do: it stands still between blocks.
        Raises Unavailable if journal or chain do not answer: nothing is lost, call again.
        """
        batch = self._requests.find(RequestStatus.POSTING, MAX_BATCH)
        if not batch:
            batch = self._next_batch(now)
            if not batch:
                return 0
            self._requests.begin_post([request.id for request in batch])
            batch = self._requests.find(RequestStatus.POSTING, MAX_BATCH)
        return self._carry_out(batch)

    def _carry_out(self, batch: Sequence[AcceptedRequest]) -> int:
        terms = terms_of(batch[0].signed.request)
        try:
            posted = self._chain.post(terms, [signed_of(request) for request in batch])
        except NotYet:
            return 0
        except (Reverted, BadInput) as error:
            self._give_up(batch, error)
            return 0
        placements = placements_of(posted, self._domain)
        self._requests.place(placements)
        for id_, placement in placements.items():
            taken = placement.reason is EmptyReason.NONE
            self._placed(id_, RequestStatus.POSTED if taken else RequestStatus.EMPTY)
        _log.info("batch.posted", requests=len(batch), first=posted.batch.first, batch=posted.batch_id.hex())
        self._max_batch = min(MAX_BATCH, 2 * self._max_batch)
        return len(placements)

    def _give_up(self, batch: Sequence[AcceptedRequest], error: Reverted | BadInput) -> None:
        """The transaction can never be. What is too large is tried again in halves; bad terms drop a whole batch."""
        _log.warning("batch.refused", requests=len(batch), error=str(error))
        self._requests.undo_post(str(batch[0].post_key))
        if isinstance(error, Reverted) and error.name in _TERMS_REFUSED:
            self._drop(batch)
        elif isinstance(error, Reverted) and error.name != "OutOfGasForInputs":
            raise error
        elif len(batch) == 1:
            self._drop(batch)
        else:
            self._max_batch = len(batch) // 2

    def _next_batch(self, now: float) -> list[AcceptedRequest]:
        """The longest run of waiting requests, in line, that fits into one transaction; none while it is not due."""
        waiting = self._requests.find(RequestStatus.ACCEPTED, MAX_BATCH)
        while waiting:
            terms, run = _first_run(waiting)
            slack = terms.deadline - self._chain.earliest_deadline(terms)
            if slack >= 0:
                most = min(self._max_batch, _count_within(run, MAX_CALLDATA_BYTES))
                is_closed = most < len(waiting) or len(run) == self._max_batch
                standing = Standing(self._waited(run[0].id, now), is_closed, slack)
                return run[:most] if is_due(standing, self._interval_seconds) else []
            self._drop(run)
            waiting = waiting[len(run) :]
        return []

    def _waited(self, id_: RequestId, now: float) -> float:
        """How long the request that is first in line has been so, seconds; a new process counts anew."""
        if self._first_in_line is None or self._first_in_line[0] != id_:
            self._first_in_line = id_, now
        return now - self._first_in_line[1]

    def _drop(self, batch: Sequence[AcceptedRequest]) -> None:
        self._requests.drop([request.id for request in batch])
        for request in batch:
            self._placed(request.id, RequestStatus.DROPPED)


def terms_of(request: Request) -> PostTerms:
    return PostTerms(
        request.model,
        request.fee_wei,
        request.tip_wei,
        request.min_bond_wei,
        request.deadline,
        request.callback,
        request.callback_gas,
    )


def signed_of(accepted: AcceptedRequest) -> Signed:
    request, signed = accepted.signed.request, accepted.signed
    return Signed(request.requester, request.nonce, signed.inputs, request.inputs_root, signed.signature)


def request_of(terms: PostTerms, signed: Signed) -> Request:
    """The request that was signed, put together again from what was posted.

    `inputs_root` is taken as posted: this sequencer always posts it, beside inline inputs too.
    """
    return Request(
        signed.requester,
        signed.nonce,
        0,
        terms.model,
        signed.inputs_root,
        ZERO_WORD,
        ZERO_WORD,
        terms.fee_wei,
        terms.tip_wei,
        terms.min_bond_wei,
        terms.deadline,
        terms.callback,
        terms.callback_gas,
    )


def placements_of(posted: Posted, domain: Domain) -> dict[RequestId, Placement]:
    """Where each request of a posted batch is, those that were logged empty included."""
    return {
        request_id(request_of(posted.terms, signed), domain): Placement(posted.batch_id, index, EmptyReason(reason))
        for index, (signed, reason) in enumerate(zip(posted.requests, posted.reasons, strict=True))
    }


def _first_run(waiting: Sequence[AcceptedRequest]) -> tuple[PostTerms, list[AcceptedRequest]]:
    """The first requests in line that share their terms; a later one never goes before an earlier one."""
    terms = terms_of(waiting[0].signed.request)
    return terms, list(takewhile(lambda request: terms_of(request.signed.request) == terms, waiting))


def _count_within(batch: Sequence[AcceptedRequest], limit: int) -> int:
    """How many of a batch's first requests fit into `limit` bytes of calldata; at least one."""
    total = 0
    for count, request in enumerate(batch):
        # Offset, five words of head, two lengths, a padded signature; then the inputs, padded.
        total += 32 * (1 + 5 + 2 + 3) + -(-len(request.signed.inputs) // 32) * 32
        if total > limit:
            return max(1, count)
    return len(batch)
