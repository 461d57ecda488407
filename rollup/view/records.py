"""What the view says of requests, claims and disputes: frozen, replaced when something changes.

Beside the records of rollup/types.py, which are the chain's own, these are what follows from its events.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from rollup.clock import Course
from rollup.codec import claim_tree, request_tree
from rollup.merkle import Tree
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    Certainty,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    DisputeStatus,
    EmptyReason,
    LeafRef,
    Opening,
    Request,
    RequestBatch,
    RequestBatchId,
    RequestId,
    Windows,
)

NO_TRACE = BundleRoot(ZERO_WORD)


@dataclass(frozen=True)
class OrderedBatch:
    """A request batch. `requests` by index, None where one was logged empty for the reason of the same index."""

    id: RequestBatchId
    batch: RequestBatch
    requests: tuple[RequestId | None, ...]
    reasons: tuple[EmptyReason, ...]

    @cached_property
    def tree(self) -> Tree:
        return request_tree(self.requests)


@dataclass(frozen=True)
class OrderedRequest:
    """A request that was taken.

    batch, index: its place in its batch; `number` its place in the batch's lane. inputs: inline inputs, or empty.
    ordered_at: seconds. deadline: as extended by fallen claims. excluded: executors that had a claim on it rejected.
    claims: all ever made on it, oldest first; only the last can be live.
    """

    id: RequestId
    batch: RequestBatchId
    index: int
    lane: int
    number: int
    request: Request
    inputs: bytes
    ordered_at: int
    deadline: int
    refutations: int = 0
    rejections: int = 0
    excluded: frozenset[Address] = frozenset()
    claims: tuple[ClaimId, ...] = ()
    refunded: bool = False

    @property
    def attempts(self) -> int:
        """Claims on it that fell."""
        return self.refutations + self.rejections

    @property
    def scope(self) -> int:
        """Scope of the lease under which it may be claimed: the batch's, or its own once it was reopened."""
        return self.index + 1 if self.attempts else 0


@dataclass(frozen=True)
class HeldLease:
    """A lease as it was taken; it is over at `until` (seconds), or when its last request is claimed."""

    requests: RequestBatchId
    scope: int
    lessee: Address
    until: int
    deposit_wei: int


@dataclass(frozen=True)
class MadeBatch:
    """A claim batch. `entries` and `claims` by index, None where nothing became a claim."""

    id: ClaimBatchId
    batch: ClaimBatch
    entries: tuple[bytes | None, ...]
    claims: tuple[ClaimId | None, ...]

    @cached_property
    def tree(self) -> Tree:
        return claim_tree(self.entries)


class Delivery(Enum):
    """What became of a claim's callback."""

    NONE = "not fired"
    SENT = "heard"
    FAILED = "failed; may be retried"


@dataclass(frozen=True)
class MadeClaim:
    """One claim.

    index: in its claim batch. entry: output, or the place that overflows if undefined; then the trace root if eager.
    window_end: until then it may be challenged.
    contested: it was challenged once, and left its batch. final_at: after acquittal, not final before this.
    delivery, deliveries, delivered_at: state of the callback, attempts so far, seconds of the last one.
    """

    id: ClaimId
    batch: ClaimBatchId
    index: int
    request: RequestId
    executor: Address
    entry: bytes
    eager: bool
    undefined: bool
    bond_wei: int
    claimed_at: int
    window_end: int
    certainty: Certainty = Certainty.PROVISIONAL
    contested: bool = False
    final_at: int = 0
    delivery: Delivery = Delivery.NONE
    deliveries: int = 0
    delivered_at: int = 0

    @property
    def output(self) -> bytes:
        """Inline canonical bytes, or the 32-byte tensor root; if undefined, the place that overflows."""
        return self.entry[:-32] if self.eager else self.entry

    @property
    def trace_root(self) -> BundleRoot | None:
        """The eager trace root, if it has one."""
        return BundleRoot(self.entry[-32:]) if self.eager else None

    @property
    def final_from(self) -> int:
        """When it may be final, if nothing else happens (seconds)."""
        return max(self.window_end, self.final_at)


@dataclass(frozen=True)
class Page:
    """What one demand asked for, and what of it was supplied, by position."""

    number: int
    demander: Address
    deposit_wei: int
    refs: tuple[LeafRef, ...]
    supplied: tuple[tuple[int, Opening], ...] = ()

    @property
    def missing(self) -> tuple[int, ...]:
        """Positions that are not supplied yet."""
        there = {position for position, _ in self.supplied}
        return tuple(position for position in range(len(self.refs)) if position not in there)


@dataclass(frozen=True)
class DisputeState:
    """A dispute. `challenger` is the zero address where an eager trace was proven wrong without a challenge."""

    claim: ClaimId
    windows: Windows
    challenged_at: int
    status: DisputeStatus = DisputeStatus.CHALLENGED
    challenger: Address = ZERO_ADDRESS
    bond_wei: int = 0
    opened_at: int = 0
    trace_root: BundleRoot = NO_TRACE
    pages: tuple[Page, ...] = ()

    @property
    def course(self) -> Course:
        """What its clocks depend on; see rollup/clock.py."""
        missing = any(page.missing for page in self.pages)
        return Course(self.windows, self.challenged_at, self.opened_at, bool(self.pages), missing)
