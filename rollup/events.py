"""What the contracts said, as frozen records: one for every Solidity event, fields in its order.

Pure data for whoever folds or stores it. Refuses to know how logs are fetched or decoded (rollup/chain/events.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rollup.types import (
    Address,
    BundleRoot,
    Certainty,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    DisputeStatus,
    FaultKind,
    LeafRef,
    Model,
    ModelId,
    Opening,
    PostTerms,
    Request,
    RequestBatch,
    RequestBatchId,
    RequestId,
    Signed,
    Verdict,
)


@dataclass(frozen=True, order=True)
class Place:
    """Where on the chain something was said. Ordered as the chain is; `timestamp` in seconds."""

    block: int
    log_index: int
    timestamp: int = field(compare=False)
    block_hash: bytes
    transaction: bytes = field(compare=False)
    emitter: Address = field(compare=False)


@dataclass(frozen=True)
class Event:
    """Base of all; `at` says where it was said."""

    at: Place


@dataclass(frozen=True)
class Registered(Event):
    id: ModelId
    registrant: Address
    model: Model


@dataclass(frozen=True)
class FamilyRegistered(Event):
    id: ModelId
    registrant: Address
    buckets: tuple[ModelId, ...]


@dataclass(frozen=True)
class Closed(Event):
    """`bond_held_until`: seconds; zero if the model was struck."""

    id: ModelId
    bond_held_until: int


@dataclass(frozen=True)
class Struck(Event):
    id: ModelId
    striker: Address
    step: int
    element: int
    burned_wei: int
    paid_wei: int


@dataclass(frozen=True)
class Adopted(Event):
    """A training ended in a model that somebody had registered: it is nobody's now. `bond_held_until`: seconds."""

    id: ModelId
    is_open: bool
    bond_held_until: int


@dataclass(frozen=True)
class BondReturned(Event):
    id: ModelId
    registrant: Address
    amount_wei: int


@dataclass(frozen=True)
class Requested(Event):
    id: RequestId
    batch_id: RequestBatchId
    batch: RequestBatch
    request: Request
    inputs: bytes


@dataclass(frozen=True)
class Posted(Event):
    """`reasons`: one EmptyReason byte a request."""

    batch_id: RequestBatchId
    batch: RequestBatch
    terms: PostTerms
    requests: tuple[Signed, ...]
    reasons: bytes


@dataclass(frozen=True)
class Refunded(Event):
    id: RequestId
    batch_id: RequestBatchId
    index: int
    amount_wei: int


@dataclass(frozen=True)
class Leased(Event):
    requests: RequestBatchId
    scope: int
    lessee: Address
    until: int
    deposit_wei: int


@dataclass(frozen=True)
class Claimed(Event):
    """`presence`, `live`: two words, bit i of word i / 256 is entry i of the batch."""

    id: ClaimBatchId
    batch: ClaimBatch
    requests: RequestBatch
    presence: tuple[int, ...]
    live: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Finalised(Event):
    id: ClaimBatchId
    live: int
    keeper: Address


@dataclass(frozen=True)
class ContestedFinalised(Event):
    id: ClaimId
    keeper: Address


@dataclass(frozen=True)
class Challenged(Event):
    id: ClaimId
    batch_id: ClaimBatchId
    index: int


@dataclass(frozen=True)
class Acquitted(Event):
    id: ClaimId
    final_at: int


@dataclass(frozen=True)
class Refuted(Event):
    id: ClaimId
    request: RequestId


@dataclass(frozen=True)
class Rejected(Event):
    id: ClaimId
    request: RequestId


@dataclass(frozen=True)
class Reopened(Event):
    request: RequestId
    requests: RequestBatchId
    index: int
    attempts: int
    deadline: int


@dataclass(frozen=True)
class CallbackSent(Event):
    request: RequestId
    claim: ClaimId
    certainty: Certainty
    sequence: int


@dataclass(frozen=True)
class CallbackFailed(Event):
    request: RequestId
    claim: ClaimId
    certainty: Certainty
    sequence: int


@dataclass(frozen=True)
class EndpointAnnounced(Event):
    executor: Address
    url: str


@dataclass(frozen=True)
class ChallengeMade(Event):
    id: ClaimId
    challenger: Address
    executor: Address
    bond_wei: int


@dataclass(frozen=True)
class TraceOpened(Event):
    id: ClaimId
    trace_root: BundleRoot


@dataclass(frozen=True)
class Demanded(Event):
    id: ClaimId
    page: int
    demander: Address
    refs: tuple[LeafRef, ...]
    deposit_wei: int


@dataclass(frozen=True)
class Supplied(Event):
    id: ClaimId
    page: int
    position: int
    leaf: LeafRef
    opening: Opening


@dataclass(frozen=True)
class FaultProven(Event):
    id: ClaimId
    sender: Address
    verdict: Verdict
    kind: FaultKind
    step: int
    element: int


@dataclass(frozen=True)
class Silenced(Event):
    id: ClaimId
    stage: DisputeStatus


@dataclass(frozen=True)
class Cleared(Event):
    id: ClaimId
    final_at: int


@dataclass(frozen=True)
class Slashed(Event):
    """Where a refuted claim's bond went, wei."""

    id: ClaimId
    bond_wei: int
    burned_wei: int
    challenger_wei: int
    sender_wei: int
    demanders_wei: int


@dataclass(frozen=True)
class Deposited(Event):
    account: Address
    sender: Address
    amount_wei: int


@dataclass(frozen=True)
class Withdrawn(Event):
    account: Address
    to: Address
    amount_wei: int


@dataclass(frozen=True)
class Locked(Event):
    module: Address
    account: Address
    amount_wei: int


@dataclass(frozen=True)
class Paid(Event):
    module: Address
    account: Address
    amount_wei: int


@dataclass(frozen=True)
class Moved(Event):
    sender: Address
    to: Address
    amount_wei: int


@dataclass(frozen=True)
class Burned(Event):
    module: Address
    amount_wei: int


EVENTS: tuple[type[Event], ...] = (
    *(Registered, FamilyRegistered, Closed, Struck, Adopted, BondReturned, Requested, Posted, Refunded),
    *(Leased, Claimed, Finalised, ContestedFinalised, Challenged, Acquitted, Refuted, Rejected, Reopened),
    *(CallbackSent, CallbackFailed, EndpointAnnounced),
    *(ChallengeMade, TraceOpened, Demanded, Supplied, FaultProven, Silenced, Cleared, Slashed),
    *(Deposited, Withdrawn, Locked, Paid, Moved, Burned),
)


@dataclass(frozen=True)
class Update:
    """What is new on the chain since the last update.

    keep: after a reorg the last block that still stands, all later events are undone first; None if nothing is undone.
    events: in order of the chain. block, block_hash, timestamp: up to which block all is known.
    """

    keep: int | None
    events: tuple[Event, ...]
    block: int
    block_hash: bytes
    timestamp: int
