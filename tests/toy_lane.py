"""An Inbox in memory: what the sequencer asks the chain, and a lane that takes batches by Inbox's rules."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rollup.admission import Account, Circumstances
from rollup.chain.keys import Key
from rollup.codec import Domain, model_id, request_batch_id, request_id, request_tree
from rollup.errors import NotFound
from rollup.events import Place, Posted
from rollup.graph import NUMERICS_HEADER_FP32
from rollup.inputs import inputs_root
from rollup.journal import SignedRequest
from rollup.sequencer.post import request_of
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import (
    LANE_SEQUENCER,
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    EmptyReason,
    GraphRoot,
    InputSpec,
    Model,
    ModelId,
    NumericsRoot,
    PostTerms,
    Request,
    RequestBatch,
    Signed,
    Windows,
)

DOMAIN = Domain(31337, Address(b"i" * 20), Address(b"c" * 20))
NOW = 1_800_000_000
MIN_FEE_WEI = 1000
SEQUENCER, ALICE, BOB = (Key.from_bytes(letter * 32) for letter in (b"s", b"a", b"b"))
INPUT = TensorSpec(DType.F32, (1, 4))
# Too large to travel inline.
LARGE_INPUT = TensorSpec(DType.F32, (1, 2048))


def model_of(spec: TensorSpec) -> Model:
    """A model of one f32 input between -1 and 1, and two f32 outputs."""
    return Model(
        graph_root=GraphRoot(b"g" * 32),
        graph_header=bytes.fromhex("000000010000000000000001").ljust(32, b"\0"),
        weights_root=BundleRoot(b"w" * 32),
        numerics_root=NumericsRoot(b"n" * 32),
        numerics_header=NUMERICS_HEADER_FP32,
        inputs=(InputSpec(spec.header, 0xBF800000, 0x3F800000),),
        output_header=TensorSpec(DType.F32, (1, 2)).header,
        output_band=1,
        slash_band=2,
        min_bond_gas=1_000_000,
        windows=Windows(10, 8, 6, 4, 12),
    )


MODEL, LARGE_MODEL = model_of(INPUT), model_of(LARGE_INPUT)
MODEL_ID, LARGE_MODEL_ID = model_id(MODEL), model_id(LARGE_MODEL)


def picture(*values: float, spec: TensorSpec = INPUT) -> Tensor:
    """An input tensor: the values, then zeros."""
    return Tensor(spec, struct.pack(f">{len(values)}f", *values).ljust(spec.byte_length, b"\0"))


def ask(
    key: Key = ALICE, nonce: int = 0, tensor: Tensor | None = None, domain: Domain = DOMAIN, **changes: Any
) -> SignedRequest:
    """A signed request that keeps every rule but those that `changes` break."""
    tensor = tensor or picture(0.5, nonce / 1000)
    request = Request(
        requester=key.address,
        nonce=nonce,
        kind=0,
        model=LARGE_MODEL_ID if tensor.spec == LARGE_INPUT else MODEL_ID,
        inputs_root=inputs_root([tensor]),
        property=ZERO_WORD,
        parents=ZERO_WORD,
        fee_wei=MIN_FEE_WEI,
        tip_wei=10,
        min_bond_wei=0,
        deadline=NOW + 600,
        callback=ZERO_ADDRESS,
        callback_gas=0,
    )
    request = replace(request, **changes)
    return SignedRequest(request, tensor.data, key.sign_digest(request_id(request, domain)))


@dataclass
class ToyLane:
    """SequencerChain and PosterChain. `trouble` is raised by the next posts, one each, before they take effect if
    `early`, else after: a crash of the one who asked looks like either.
    """

    now: int = NOW
    balances: dict[Address, int] = field(default_factory=lambda: {ALICE.address: 10**9, BOB.address: 10**9})
    nonces: dict[Address, int] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    early: bool = True

    def circumstances(self, model: ModelId, requester: Address) -> Circumstances:
        known = {MODEL_ID: MODEL, LARGE_MODEL_ID: LARGE_MODEL}
        if model not in known:
            raise NotFound(f"no model 0x{model.hex()} is registered")
        return Circumstances(known[model], self.account(requester), MIN_FEE_WEI, self.now)

    def account(self, requester: Address) -> Account:
        return Account(self.nonces.get(requester, 0), self.balances.get(requester, 0))

    def min_fee_wei(self) -> int:
        return MIN_FEE_WEI

    def sequencer(self) -> Address:
        return SEQUENCER.address

    def earliest_deadline(self, terms: PostTerms) -> int:
        return self.now + MODEL.windows.challenge

    def post(self, terms: PostTerms, requests: Sequence[Signed]) -> Posted:
        if self.trouble and self.early:
            raise self.trouble.pop(0)
        said = next((each for each in self.posted if each.requests == tuple(requests)), None)
        if said is None:
            said = self._take(terms, requests)
            self.posted.append(said)
        if self.trouble:
            raise self.trouble.pop(0)
        return said

    def _take(self, terms: PostTerms, requests: Sequence[Signed]) -> Posted:
        reasons = [self._reason(terms, signed) for signed in requests]
        ids = [
            request_id(request_of(terms, signed), DOMAIN) if reason is EmptyReason.NONE else None
            for signed, reason in zip(requests, reasons, strict=True)
        ]
        batch = RequestBatch(
            LANE_SEQUENCER,
            sum(len(each.requests) for each in self.posted),
            len(requests),
            request_tree(ids).top,
            terms.model,
            terms.fee_wei,
            terms.tip_wei,
            terms.min_bond_wei,
            terms.deadline,
            terms.callback != ZERO_ADDRESS,
        )
        number = len(self.posted) + 1
        at = Place(number, 0, self.now, number.to_bytes(32, "big"), b"t" * 32, DOMAIN.inbox)
        return Posted(at, request_batch_id(batch, DOMAIN), batch, terms, tuple(requests), bytes(reasons))

    def _reason(self, terms: PostTerms, signed: Signed) -> EmptyReason:
        account, due = self.account(signed.requester), terms.fee_wei + terms.tip_wei
        if signed.nonce != account.nonce:
            return EmptyReason.STALE_NONCE
        if account.balance_wei < due:
            return EmptyReason.UNFUNDED
        self.nonces[signed.requester] = account.nonce + 1
        self.balances[signed.requester] = account.balance_wei - due
        return EmptyReason.NONE
