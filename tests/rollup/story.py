"""Builds what a chain would say, event by event, and lets a view listen: a story in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollup import events
from rollup.codec import (
    Domain,
    Overflow,
    claim_batch_id,
    claim_id,
    claim_tree,
    model_id,
    request_batch_id,
    request_id,
    request_tree,
)
from rollup.events import Event, Place, Update
from rollup.graph import NUMERICS_HEADER_FP32
from rollup.tensor import DType, TensorSpec
from rollup.types import (
    LANE_L1,
    LANE_SEQUENCER,
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    Certainty,
    ClaimBatch,
    ClaimId,
    EmptyReason,
    GraphRoot,
    InputSpec,
    LeafRef,
    Model,
    NumericsRoot,
    Opening,
    PostTerms,
    Request,
    RequestBatch,
    RequestBatchId,
    RequestId,
    Signed,
    Verdict,
    Windows,
)
from rollup.view import View

HONEST, LIAR, USER, KEEPER, CONSUMER = (Address(bytes([number]) * 20) for number in range(1, 6))
DOMAIN = Domain(31337, Address(b"i" * 20), Address(b"c" * 20))
WINDOWS = Windows(challenge=10, open=8, collect=6, supply=4, prove=12)
OUTPUT = TensorSpec(DType.F32, (1, 2))
MODEL = Model(
    graph_root=GraphRoot(b"g" * 32),
    # One input, no weight, one step.
    graph_header=bytes.fromhex("000000010000000000000001").ljust(32, b"\0"),
    weights_root=BundleRoot(b"w" * 32),
    numerics_root=NumericsRoot(b"n" * 32),
    numerics_header=NUMERICS_HEADER_FP32,
    inputs=(InputSpec(TensorSpec(DType.F32, (1, 4)).header, 0, 0x3F800000),),
    output_header=OUTPUT.header,
    output_band=1,
    slash_band=2,
    min_bond_gas=1_000_000,
    windows=WINDOWS,
)
START = 1_000
FAR = 10_000


class Story:
    """One block an event; `now` is the chain's time. Starts with the model registered."""

    def __init__(self) -> None:
        self.view = View(DOMAIN)
        self.block, self.now, self._nonce = 0, START, 0
        self.model = model_id(MODEL)
        self.tell(events.Registered, self.model, USER, MODEL)

    def tell(self, cls: type[Event], *fields: Any) -> None:
        """The next block says one thing."""
        self.block += 1
        at = Place(self.block, 0, self.now, self.block_hash(), b"t" * 32, b"e" * 20)  # type: ignore[arg-type]
        self.view.apply(Update(None, (cls(at, *fields),), self.block, self.block_hash(), self.now))

    def block_hash(self) -> bytes:
        return self.block.to_bytes(32, "big")

    def after(self, seconds: int) -> int:
        """Time passes; returns the new time."""
        self.now += seconds
        return self.now

    def requested(self, callback: bool = False, deadline: int = FAR) -> RequestId:
        """A contract asks in lane 0."""
        request = self._request(deadline, callback, BundleRoot(b"r" * 32))
        id_ = request_id(request, DOMAIN)
        batch = self._batch(LANE_L1, [id_], request)
        self.tell(events.Requested, id_, request_batch_id(batch, DOMAIN), batch, request, b"")
        return id_

    def posted(self, inputs: Sequence[bytes | None], callback: bool = False) -> RequestBatchId:
        """The sequencer posts signed requests; None is one that is logged empty."""
        requests = [self._request(FAR, callback, BundleRoot(b"r" * 32)) for _ in inputs]
        ids = [request_id(r, DOMAIN) if given is not None else None for r, given in zip(requests, inputs, strict=True)]
        batch = self._batch(LANE_SEQUENCER, ids, requests[0])
        first = requests[0]
        terms = PostTerms(
            self.model, first.fee_wei, first.tip_wei, first.min_bond_wei, FAR, first.callback, first.callback_gas
        )
        signed = tuple(Signed(USER, request.nonce, b"", request.inputs_root, b"s" * 65) for request in requests)
        reasons = bytes(EmptyReason.UNFUNDED if id_ is None else EmptyReason.NONE for id_ in ids)
        batch_id = request_batch_id(batch, DOMAIN)
        self.tell(events.Posted, batch_id, batch, terms, signed, reasons)
        return batch_id

    def claimed(
        self, batch_id: RequestBatchId, present: Sequence[int], executor: Address = HONEST, eager: bool = False
    ) -> list[ClaimId]:
        """`executor` claims requests by index; those that have a claim already become empty entries."""
        ordered = self.view.state.request_batches[batch_id]
        first, count = min(present), max(present) - min(present) + 1
        entry = b"o" * 8 + (b"t" * 32 if eager else b"")
        live = [index for index in present if ordered.requests[index] in self.view.state.open_requests]
        entries = [entry if first + i in live else None for i in range(count)]
        batch = ClaimBatch(batch_id, executor, first, count, claim_tree(entries).top, 10**18, self.now, eager)
        id_ = claim_batch_id(batch, DOMAIN)
        presence, alive = (_bits(first, indices) for indices in (present, live))
        self.tell(events.Claimed, id_, batch, ordered.batch, presence, alive, entry * len(present))
        return [claim_id(id_, index - first) for index in live]

    def claimed_undefined(self, batch_id: RequestBatchId, index: int) -> ClaimId:
        """The honest executor claims that a request overflows at element 5 of step 2."""
        ordered = self.view.state.request_batches[batch_id]
        entry = Overflow(2, 5).encoded + b"t" * 32
        batch = ClaimBatch(batch_id, HONEST, index, 1, claim_tree([entry]).top, 10**18, self.now, True, True)
        id_ = claim_batch_id(batch, DOMAIN)
        self.tell(events.Claimed, id_, batch, ordered.batch, (1, 0), (1, 0), entry)
        return claim_id(id_, 0)

    def challenged(self, id_: ClaimId) -> None:
        self.tell(events.Challenged, id_, self.view.claim(id_).batch, self.view.claim(id_).index)
        self.tell(events.ChallengeMade, id_, USER, self.view.claim(id_).executor, 10**17)

    def opened(self, id_: ClaimId) -> None:
        self.tell(events.TraceOpened, id_, BundleRoot(b"t" * 32))

    def demanded(self, id_: ClaimId, leaves: int) -> None:
        page = len(self.view.dispute(id_).pages)
        self.tell(events.Demanded, id_, page, USER, tuple(LeafRef(0, 0, leaf) for leaf in range(leaves)), 10**15)

    def supplied(self, id_: ClaimId, page: int, position: int) -> None:
        self.tell(events.Supplied, id_, page, position, LeafRef(0, 0, position), Opening(b"", (), ()))

    def acquitted(self, id_: ClaimId, final_at: int) -> None:
        self.tell(events.Acquitted, id_, final_at)
        self.tell(events.Cleared, id_, final_at)

    def fallen(self, id_: ClaimId, verdict: Verdict = Verdict.BEYOND_SOUND) -> None:
        """A proof is found good; the request reopens for another term."""
        request = self.view.request(self.view.claim(id_).request)
        self.tell(events.FaultProven, id_, USER, verdict, 0, 0, 0)
        cls = events.Refuted if verdict is Verdict.BEYOND_SOUND else events.Rejected
        self.tell(cls, id_, request.id)
        deadline = max(request.deadline, self.now + 30)
        self.tell(events.Reopened, request.id, request.batch, request.index, request.attempts + 1, deadline)

    def called_back(self, id_: ClaimId, certainty: Certainty, heard: bool = True) -> None:
        cls = events.CallbackSent if heard else events.CallbackFailed
        self.tell(cls, self.view.claim(id_).request, id_, certainty, 1)

    def _request(self, deadline: int, callback: bool, inputs_root: BundleRoot) -> Request:
        self._nonce += 1
        return Request(
            USER, self._nonce, 0, self.model, inputs_root, ZERO_WORD, ZERO_WORD, 10**15, 10**14, 10**16, deadline,
            CONSUMER if callback else ZERO_ADDRESS, 200_000 if callback else 0,
        )  # fmt: skip

    def _batch(self, lane: int, ids: Sequence[RequestId | None], like: Request) -> RequestBatch:
        return RequestBatch(
            lane, self._nonce - 1, len(ids), request_tree(ids).top, self.model, like.fee_wei, like.tip_wei,
            like.min_bond_wei, like.deadline, like.callback != ZERO_ADDRESS,
        )  # fmt: skip


def _bits(first: int, indices: Sequence[int]) -> tuple[int, int]:
    bits = sum(1 << (index - first) for index in indices)
    return bits % 2**256, bits >> 256
