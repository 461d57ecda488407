"""Signed requests that were accepted, until the chain has ordered them.

Places in line (`n`) rise by one with each acceptance; a refused request takes none. Knows nothing of why a request is
good: the decision comes in as a function and is made while the journal stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eth_abi.abi import decode, encode
from sqlalchemy import Connection, and_, select

from rollup.admission import Due
from rollup.codec import REQUEST_FIELDS, values_of
from rollup.errors import Conflict, NotFound
from rollup.journal.database import Database
from rollup.journal.tables import requests
from rollup.types import Address, EmptyReason, Request, RequestBatchId, RequestId

_LINE = "requests accepted"
_POSTS = "posts"
_ABI = [type_ for _, type_ in REQUEST_FIELDS]


class RequestStatus(StrEnum):
    """ACCEPTED → POSTING → POSTED, or EMPTY where Inbox logged it so; DROPPED where Inbox would take it no more."""

    ACCEPTED = "accepted"
    POSTING = "posting"
    POSTED = "posted"
    EMPTY = "empty"
    DROPPED = "dropped"


OPEN = (RequestStatus.ACCEPTED, RequestStatus.POSTING)


@dataclass(frozen=True)
class SignedRequest:
    """A request as its requester signed it.

    `inputs`: canonical bytes of all input tensors, concatenated; empty where `inputs_root` names them.
    `signature`: 65 bytes, r | s | v.
    """

    request: Request
    inputs: bytes
    signature: bytes


@dataclass(frozen=True)
class Idempotency:
    """A key of the requester's choice, and the hash of the body it was first sent with."""

    key: str
    body_hash: bytes


@dataclass(frozen=True)
class AcceptedRequest:
    """One accepted request. `n`: its place in line. `accepted_at`: seconds since the epoch.

    `post_key` names the transaction that carries it; batch id and index are known once it is on chain.
    """

    id: RequestId
    signed: SignedRequest
    n: int
    status: RequestStatus
    accepted_at: int
    post_key: str | None
    batch_id: RequestBatchId | None
    batch_index: int | None
    empty_reason: EmptyReason | None


@dataclass(frozen=True)
class Placement:
    """Where the chain has put a request; `reason` is other than NONE where it was logged empty."""

    batch_id: RequestBatchId
    index: int
    reason: EmptyReason


Check = Callable[[Sequence[Due]], None]


class Requests:
    """The sequencer's side of the journal. Every method raises Unavailable if the journal does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(
        self, id_: RequestId, signed: SignedRequest, now: int, check: Check, idempotency: Idempotency | None = None
    ) -> AcceptedRequest:
        """Journals a request, durably, and gives it the next place in line.

        The same request again is answered with what was journalled at first. `check` gets what the requester's open
        requests will escrow, and raises what speaks against this one. Raises Conflict if the idempotency key came
        with another body, or if another open request has this nonce.
        """
        requester = signed.request.requester
        with self._database.write() as connection:
            self._database.raise_counter(connection, _LINE, 0)
            before = _accepted_before(connection, id_, requester, idempotency)
            if before is not None:
                return before
            check(_dues(connection, requester))
            n = self._database.next_value(connection, _LINE) - 1
            connection.execute(requests.insert().values(_row(id_, signed, n, now, idempotency)))
        return AcceptedRequest(id_, signed, n, RequestStatus.ACCEPTED, now, None, None, None, None)

    def find_known(
        self, id_: RequestId, requester: Address, idempotency: Idempotency | None = None
    ) -> AcceptedRequest | None:
        """What was journalled for the same request. Raises Conflict if the key came with another body."""
        with self._database.read() as connection:
            return _accepted_before(connection, id_, requester, idempotency)

    def start_line_at(self, n: int) -> None:
        """The next place in line is at least `n`: the length of the lane that an earlier journal has filled."""
        with self._database.write() as connection:
            self._database.raise_counter(connection, _LINE, n)

    def read(self, id_: RequestId) -> AcceptedRequest:
        """Raises NotFound."""
        with self._database.read() as connection:
            found = _rows(connection, requests.c.id == id_)
        if not found:
            raise NotFound(f"no request 0x{id_.hex()}")
        return found[0]

    def find(self, status: RequestStatus, limit: int) -> list[AcceptedRequest]:
        """Requests of one status, in line."""
        with self._database.read() as connection:
            return _rows(connection, requests.c.status == status, limit)

    def dues_of(self, requester: Address) -> list[Due]:
        """What one account's accepted requests that the chain has not ordered yet will escrow, in line."""
        with self._database.read() as connection:
            return _dues(connection, requester)

    def begin_post(self, ids: Sequence[RequestId]) -> str:
        """Binds accepted requests to one transaction to come; returns its intent key.

        Raises Conflict, and changes nothing, if one of them is not waiting any more.
        """
        waiting = and_(requests.c.id.in_(ids), requests.c.status == RequestStatus.ACCEPTED)
        with self._database.write() as connection:
            key = f"post:{self._database.next_value(connection, _POSTS)}"
            bound = requests.update().where(waiting).values(status=RequestStatus.POSTING, post_key=key)
            count = connection.execute(bound).rowcount
            if count != len(ids):
                raise Conflict(f"{len(ids) - count} of {len(ids)} requests are not waiting to be posted")
        return key

    def undo_post(self, key: str) -> None:
        """The transaction will never be: its requests wait again, in their places."""
        bound = and_(requests.c.post_key == key, requests.c.status == RequestStatus.POSTING)
        with self._database.write() as connection:
            connection.execute(requests.update().where(bound).values(status=RequestStatus.ACCEPTED, post_key=None))

    def place(self, placements: Mapping[RequestId, Placement]) -> None:
        """The chain has ordered these requests, whoever carried them there; unknown ids are nobody's business here."""
        with self._database.write() as connection:
            for id_, placement in placements.items():
                empty = placement.reason is not EmptyReason.NONE
                values = {
                    "status": RequestStatus.EMPTY if empty else RequestStatus.POSTED,
                    "batch_id": placement.batch_id,
                    "batch_index": placement.index,
                    "empty_reason": placement.reason,
                }
                connection.execute(requests.update().where(requests.c.id == id_).values(values))

    def drop(self, ids: Sequence[RequestId]) -> None:
        """They cannot be posted any more, as when their deadlines came too near while they waited."""
        waiting = and_(requests.c.id.in_(ids), requests.c.status == RequestStatus.ACCEPTED)
        with self._database.write() as connection:
            connection.execute(requests.update().where(waiting).values(status=RequestStatus.DROPPED))


def _accepted_before(
    connection: Connection, id_: RequestId, requester: Address, idempotency: Idempotency | None
) -> AcceptedRequest | None:
    if idempotency is not None:
        used = and_(requests.c.requester == requester, requests.c.idempotency_key == idempotency.key)
        row = connection.execute(select(requests.c.id, requests.c.body_hash).where(used)).one_or_none()
        if row is not None and row.body_hash != idempotency.body_hash:
            raise Conflict(f"idempotency key {idempotency.key!r} came before with another body: 0x{row.id.hex()}")
    found = _rows(connection, requests.c.id == id_)
    return found[0] if found else None


def _dues(connection: Connection, requester: Address) -> list[Due]:
    """Read from columns of their own: records take too long to decode for a requester with hundreds of them."""
    are_open = and_(requests.c.requester == requester, requests.c.status.in_(OPEN))
    query = select(requests.c.nonce, requests.c.due_wei).where(are_open).order_by(requests.c.n)
    return [Due(row.nonce, int(row.due_wei)) for row in connection.execute(query)]


def _rows(connection: Connection, condition: Any, limit: int | None = None) -> list[AcceptedRequest]:
    query = select(requests).where(condition).order_by(requests.c.n).limit(limit)
    return [_accepted(row) for row in connection.execute(query)]


def _row(id_: RequestId, signed: SignedRequest, n: int, now: int, idempotency: Idempotency | None) -> dict[str, Any]:
    return {
        "id": id_,
        "requester": signed.request.requester,
        "nonce": signed.request.nonce,
        "due_wei": str(signed.request.fee_wei + signed.request.tip_wei),
        "record": encode(_ABI, values_of(signed.request)),
        "inputs": signed.inputs,
        "signature": signed.signature,
        "n": n,
        "status": RequestStatus.ACCEPTED,
        "accepted_at": now,
        "idempotency_key": idempotency.key if idempotency else None,
        "body_hash": idempotency.body_hash if idempotency else None,
    }


def _accepted(row: Any) -> AcceptedRequest:
    return AcceptedRequest(
        id=RequestId(row.id),
        signed=SignedRequest(_request(row.record), row.inputs, row.signature),
        n=row.n,
        status=RequestStatus(row.status),
        accepted_at=row.accepted_at,
        post_key=row.post_key,
        batch_id=None if row.batch_id is None else RequestBatchId(row.batch_id),
        batch_index=row.batch_index,
        empty_reason=None if row.empty_reason is None else EmptyReason(row.empty_reason),
    )


def _request(record: bytes) -> Request:
    values = decode(_ABI, record)
    parsed: list[Any] = [
        bytes.fromhex(value[2:]) if type_ == "address" else value for type_, value in zip(_ABI, values, strict=True)
    ]
    return Request(*parsed)
