"""Inbox: requests in order, with their fees. One method a function; see IInbox.sol for what each does and raises."""

from __future__ import annotations

from collections.abc import Sequence

from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.types import Address, PostTerms, Request, RequestBatch, RequestBatchId, RequestId, Signed, Wish


class Inbox(Contract):
    """Money in wei. `turn` tells a deed from an equal one of another time."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IInbox", deployment.inbox)

    def request(self, wish: Wish, turn: str) -> Intent:
        """Orders a request in lane 0 and pays its fee and tip. `turn` is best the requester's next nonce."""
        return self._intent("request", wish, value_wei=wish.fee_wei + wish.tip_wei, turn=turn)

    def post(self, terms: PostTerms, requests: Sequence[Signed]) -> Intent:
        """Sequencer only: orders signed requests, whose nonces make the call one of a kind."""
        return self._intent("post", terms, list(requests))

    def refund(self, batch: RequestBatch, index: int, request: Request, path: Sequence[bytes]) -> Intent:
        return self._intent("refund", batch, index, request, list(path))

    def nonce_of(self, at: Snapshot, requester: Address) -> int:
        """Next nonce of `requester`, as of the snapshot."""
        return int(self._read(at, "nonceOf", requester)[0])

    def lane_length(self, at: Snapshot, lane: int) -> int:
        return int(self._read(at, "laneLength", lane)[0])

    def is_ordered(self, at: Snapshot, batch: RequestBatchId) -> bool:
        return bool(self._read(at, "isOrdered", batch)[0])

    def request_id_of(self, at: Snapshot, request: Request) -> RequestId:
        return RequestId(self._read(at, "requestIdOf", request)[0])

    def sequencer(self, at: Snapshot) -> Address:
        return Address(bytes.fromhex(self._read(at, "sequencer")[0][2:]))
