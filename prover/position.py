"""What one block shows of a claim, what my own checks say of it, and the moves there are: the words of the strategy.

Frozen values only: no chain, no torch, no clock. Money in wei, time in seconds of `block.timestamp`.
"""

from __future__ import annotations

from dataclasses import dataclass

from prover.pool_proof import Pooled
from prover.weight_proof import Trained
from rollup.clock import Course, Phase, challenge_end, is_before
from rollup.properties.stray import RevealedPool
from rollup.properties.types import BrokenWeight, PoolItem, StrayElement, TrainingId, TrainingTerms, Unmasking
from rollup.types import (
    MAX_DEMAND_LEAVES,
    Address,
    Certainty,
    ClaimBatch,
    ClaimBatchId,
    ClaimId,
    Committed,
    Dispute,
    FaultProof,
    LeafRef,
    RequestBatch,
    Verdict,
    Windows,
)


@dataclass(frozen=True)
class Position:
    """One claim and its dispute, all read from one block. `me` is None for a watchtower without a key.

    `balance_wei` is what `me` can bond: its Vault balance and what it is willing to send along. The prices are those
    of that block's base fee: `challenge_bond_wei` for this claim, `leaf_deposit_wei` for each demanded leaf.
    `challenges_unserved`: whether my operator stakes money on what nobody serves. `is_scored`: it is an item of a claim
    of scores, `siblings` of which are in dispute now beside it; `kept_open_until`: until then it may be challenged,
    even after the window of its model.
    """

    claim: ClaimId
    executor: Address
    eager: bool
    claimed_at: int
    certainty: Certainty
    dispute: Dispute
    windows: Windows
    now: int
    me: Address | None
    balance_wei: int
    challenge_bond_wei: int
    leaf_deposit_wei: int
    challenges_unserved: bool = False
    is_scored: bool = False
    siblings: int = 0
    kept_open_until: int = 0

    @property
    def course(self) -> Course:
        """The dispute's clocks; without meaning before a challenge."""
        seen = self.dispute
        missing = seen.supplied < seen.demanded
        return Course(self.windows, seen.challenged_at, seen.opened_at, seen.demanded > 0, missing)

    @property
    def phase(self) -> Phase:
        return self.course.phase(self.now)

    @property
    def challenge_end(self) -> int:
        return max(challenge_end(self.claimed_at, self.windows), self.kept_open_until)

    @property
    def may_challenge(self) -> bool:
        """Whether the clock allows a challenge."""
        return is_before(self.now, self.challenge_end)

    @property
    def is_rejectable(self) -> bool:
        """Whether a fault that only rejects is heard, by the claim that bears the bond: of scores when the challenge
        window is over, and no other item is in dispute.
        """
        return not self.is_scored or (not self.may_challenge and not self.siblings)

    @property
    def unserved_from(self) -> int:
        """From when on a claim may be challenged for what nobody serves."""
        return unserved_from(self.claimed_at, self.windows)

    @property
    def leaves_left(self) -> int:
        """How many leaves may still be demanded."""
        return MAX_DEMAND_LEAVES - self.dispute.demanded


def unserved_from(claimed_at: int, windows: Windows) -> int:
    """Half of the challenge window: until then the executor's endpoint may come up."""
    return claimed_at + windows.challenge // 2


@dataclass(frozen=True)
class Fault:
    """A fault proof, what it is judged against, and the verdict of the Python judge."""

    committed: Committed
    proof: FaultProof
    verdict: Verdict

    @property
    def slashes(self) -> bool:
        """Whether it is beyond a sound bound. One that only rejects is heard when the prove window is over."""
        return self.verdict is Verdict.BEYOND_SOUND


@dataclass(frozen=True)
class Stake:
    """What it takes to have something shown on chain: so many challenges that are still to be made, and leaves that are
    still to be demanded in all disputes together.
    """

    challenges: int = 1
    leaves: int = 0

    def price_wei(self, position: Position) -> int:
        return self.challenges * position.challenge_bond_wei + self.leaves * position.leaf_deposit_wei


@dataclass(frozen=True)
class Opinion:
    """What my checks say of a claim.

    `deviation`: the greatest difference of the claimed output from my run, in units of the model's reach; None while I
    have no run, NaN if that makes no number where one is claimed. `second`: the same from an independent evaluation,
    asked for before any bond; infinite if no run makes a number there. `missing`: leaves of the opened trace or of the
    claimed output that I need and nobody serves. `is_unserved`: nobody has shown `withheld`, so there is no deviation;
    `stake`: what it takes to have it shown.
    """

    deviation: float | None = None
    second: float | None = None
    fault: Fault | None = None
    missing: tuple[LeafRef, ...] = ()
    is_unserved: bool = False
    withheld: str = "the claimed output"
    stake: Stake = Stake()


@dataclass(frozen=True)
class PoolPosition:
    """A training and, where there is one, a claim of its scores; all read from one block.

    `claim`, `executor`: None for the pool alone. `certainty`: of the claim, NONE without one. `me` is None for a
    watchtower without a key.
    """

    training: TrainingId
    is_revealed: bool
    claim: ClaimBatchId | None
    executor: Address | None
    certainty: Certainty
    me: Address | None


@dataclass(frozen=True)
class PoolOpinion:
    """What my checks say of a pool, or of a claim's items and weights: the move that would show it, None if there is
    nothing.
    """

    spoiled: Spoil | SpoilByRange | None = None
    replaced: Unmask | None = None
    broken: Condemn | None = None


@dataclass(frozen=True)
class Challenge:
    """Demand that the claim's trace be opened, against a bond."""

    claim: ClaimId
    bond_wei: int


@dataclass(frozen=True)
class Prove:
    """Send a fault proof; `eager` for one against a trace in the claim itself, without a challenge."""

    claim: ClaimId
    fault: Fault
    eager: bool


@dataclass(frozen=True)
class Demand:
    """Ask for leaves on chain, against a deposit for their supply."""

    claim: ClaimId
    leaves: tuple[LeafRef, ...]
    deposit_wei: int


@dataclass(frozen=True)
class Conclude:
    """End a dispute whose clock has run out."""

    claim: ClaimId


@dataclass(frozen=True)
class Unmask:
    """Show that an item of a claim of scores is not what the pool holds. `number`: of the commitment."""

    claim: ClaimBatchId
    number: int
    pooled: Pooled
    shown: Unmasking


@dataclass(frozen=True)
class Condemn:
    """Show that a weight of a claim of scores is not finite where the scorer's own is.

    `requests`, `claims`: the claim's two records.
    """

    claim: ClaimBatchId
    requests: RequestBatch
    claims: ClaimBatch
    trained: Trained
    shown: BrokenWeight


@dataclass(frozen=True)
class Spoil:
    """Show that an item's key does not follow from the pool's."""

    training: TrainingId
    terms: TrainingTerms
    pool_key: bytes
    item: PoolItem


@dataclass(frozen=True)
class SpoilByRange:
    """Show that a sealed item holds an element out of its input's range."""

    training: TrainingId
    revealed: RevealedPool
    shown: StrayElement


@dataclass(frozen=True)
class Wait:
    """No move, and why; `until` is when to look again at the latest, None if only an event can change it.

    `claim`: or the training or claim of scores that it is about.
    """

    claim: bytes
    reason: str
    until: int | None = None


@dataclass(frozen=True)
class Withdraw:
    """Pull what was won out of the Vault."""

    amount_wei: int


ClaimMove = Challenge | Prove | Demand | Conclude
PoolMove = Unmask | Condemn | Spoil | SpoilByRange
Move = ClaimMove | PoolMove | Wait | Withdraw
