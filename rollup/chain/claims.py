"""ClaimChain: leases, claims, finality, callbacks. One method a function; see IClaimChain.sol for what each does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.types import Address, Certainty, ClaimBatch, ClaimId, ClaimWitness, Contested, RequestBatch, RequestBatchId

# Bits in a word of a bitmap.
WORD_BITS = 256


@dataclass(frozen=True)
class Lease:
    """Who alone may claim, in time before `until` (seconds); `deposit_wei` is what is left of the deposit."""

    lessee: Address
    until: int
    deposit_wei: int


@dataclass(frozen=True)
class Claim:
    """Arguments of one `claim` call. `present` are indices in the request batch, `entries` theirs, in order."""

    batch: RequestBatch
    first: int
    count: int
    present: tuple[int, ...]
    entries: tuple[bytes, ...]
    eager: bool
    bond_wei: int

    @property
    def presence(self) -> tuple[int, int]:
        """Two words, bit i of word i / 256 for request `first + i`."""
        bits = sum(1 << (index - self.first) for index in self.present)
        return bits % 2**WORD_BITS, bits >> WORD_BITS


@dataclass(frozen=True)
class UndefinedClaim:
    """Arguments of one `claimUndefined` call. `entry`: the overflow, then the root of a trace that ends with it."""

    batch: RequestBatch
    index: int
    entry: bytes
    bond_wei: int


class Claims(Contract):
    """Money in wei; `value_wei` is added to the caller's Vault balance first."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IClaimChain", deployment.claim_chain)

    def lease(self, batch: RequestBatch, scope: int, turn: str, value_wei: int = 0) -> Intent:
        """`scope` 0 for the whole batch, index + 1 for one reopened request. `turn`: a lease may be taken again."""
        return self._intent("lease", batch, scope, value_wei=value_wei, turn=turn)

    def claim(self, claim: Claim, turn: str = "", value_wei: int = 0) -> Intent:
        """`turn`: a reopened request may be claimed again with the same words."""
        arguments = (claim.batch, claim.first, claim.count, list(claim.presence), b"".join(claim.entries))
        return self._intent("claim", *arguments, claim.eager, claim.bond_wei, value_wei=value_wei, turn=turn)

    def claim_undefined(self, claim: UndefinedClaim, turn: str = "", value_wei: int = 0) -> Intent:
        """`turn` as in `claim`."""
        arguments = (claim.batch, claim.index, claim.entry, claim.bond_wei)
        return self._intent("claimUndefined", *arguments, value_wei=value_wei, turn=turn)

    def finalise(self, requests: RequestBatch, claims: ClaimBatch) -> Intent:
        return self._intent("finalise", requests, claims)

    def finalise_contested(self, witness: ClaimWitness) -> Intent:
        return self._intent("finaliseContested", witness)

    def settle(self, witnesses: Sequence[ClaimWitness]) -> Intent:
        return self._intent("settle", list(witnesses))

    def announce(self, witness: ClaimWitness) -> Intent:
        return self._intent("announce", witness)

    def retry(self, witness: ClaimWitness, turn: str) -> Intent:
        """`turn`: a callback that failed again may be retried again."""
        return self._intent("retry", witness, turn=turn)

    def announce_endpoint(self, url: str, turn: str = "") -> Intent:
        return self._intent("announceEndpoint", url, turn=turn)

    def certainty_of(self, at: Snapshot, claims: ClaimBatch, index: int) -> tuple[Certainty, int]:
        """Certainty of a claim, and seconds until it can be final (0 if now or never)."""
        certainty, seconds_left = self._read(at, "certaintyOf", claims, index)
        return Certainty(certainty), int(seconds_left)

    def contested(self, at: Snapshot, claim: ClaimId) -> Contested:
        return to_record(Contested, self._read(at, "contested", claim)[0])

    def claimed_bits(self, at: Snapshot, requests: RequestBatchId, word: int) -> int:
        return int(self._read(at, "claimedBits", requests, word)[0])

    def attempts_of(self, at: Snapshot, requests: RequestBatchId, index: int) -> tuple[int, int]:
        """Refutations and rejections of claims on a request."""
        refutations, rejections = self._read(at, "attemptsOf", requests, index)
        return int(refutations), int(rejections)

    def lease_of(self, at: Snapshot, requests: RequestBatchId, scope: int) -> Lease:
        return to_record(Lease, self._read(at, "leaseOf", requests, scope))

    def minimum_bond(self, at: Snapshot, batch: RequestBatch, attempts: int, payer: Address) -> int:
        """Least bond of a claim at the snapshot's base fee, wei. `payer`: any account with some wei."""
        return int(self._read(at, "minimumBond", batch, attempts, payer=payer)[0])
