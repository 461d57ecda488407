"""Frozen records and enums of properties, trainings and generations: the structs of contracts/interfaces in Python.

Names, order and meaning of the fields are those of the Solidity structs, in snake case. Money in wei, time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from rollup.types import (
    ZERO_ADDRESS,
    Address,
    BundleRoot,
    Certainty,
    ClaimBatchId,
    ModelId,
    Opening,
)

TrainingId = NewType("TrainingId", bytes)

# The lane of claims of scores: their items are requests that nobody orders, leases or pays for one by one.
LANE_SCORES = 2
# Kind of such a request.
KIND_SCORE = 1
# The same limits as ConstantsLib.sol.
MAX_SCORES = 16_384
MAX_SCORED_ITEMS = 2_048
MAX_COMMITS = 32
MAX_OPENED_ITEMS = 64


class Aggregate(IntEnum):
    """What is made of the scores. MEAN, MIN and SUM give one number, which is compared; ALL compares every score."""

    MEAN = 0
    MIN = 1
    SUM = 2
    ALL = 3


class Comparison(IntEnum):
    AT_LEAST = 0
    AT_MOST = 1
    ABOVE = 2
    BELOW = 3


@dataclass(frozen=True)
class Property:
    """What a result must have to be right.

    threshold: f32 bits. predicate: an IProperty that is asked besides, zero for none, with exactly `predicate_gas`.
    """

    aggregate: Aggregate
    comparison: Comparison
    threshold: int
    predicate: Address = ZERO_ADDRESS
    predicate_gas: int = 0


@dataclass(frozen=True)
class Outcome:
    """What scores come to.

    total: MEAN, SUM: their exact sum in units of 2^-149; MIN: the least one, in those units; ALL: how many meet the
    threshold. count: scores.
    """

    holds: bool
    total: int
    count: int


@dataclass(frozen=True)
class Scoring:
    """A claim of scores: that a scorer, with these weights, gives these items these scores.

    subject: binds request, executor and claimed result. items: bundle roots of the items' inputs, in order. scores:
    the scorer's outputs, one an item, in order: whole up to 64 bytes each, else by tensor root.
    """

    subject: bytes
    executor: Address
    scorer: ModelId
    weights_root: BundleRoot
    items: tuple[BundleRoot, ...]
    scores: bytes
    bond_wei: int


@dataclass(frozen=True)
class Standing:
    """Where a claim of scores stands: PROVISIONAL until finalised or fallen, whatever is disputed of it.

    disputes: items in dispute now. final_at: not final before this.
    """

    certainty: Certainty
    disputes: int
    bond_wei: int
    final_at: int


@dataclass(frozen=True)
class TrainingTerms:
    """A wish for a trained network; what each field means stands in ITrainings.sol.

    full_score: f32 bits. unscored_share: in 1/10,000. The last four are periods in seconds.
    """

    architecture: ModelId
    scorer: ModelId
    data_root: BundleRoot
    recipe: bytes
    pool_root: bytes
    pool_count: int
    open_count: int
    key_hash: bytes
    property: Property
    fee_wei: int
    bonus_wei: int
    full_score: int
    commit_fee_wei: int
    min_bond_wei: int
    unscored_share: int
    open: int
    commit: int
    reveal: int
    claim: int


@dataclass(frozen=True)
class Training:
    """A training request as it was made; its hash is its id. The beacon: hash of the block after `requested_block`."""

    requester: Address
    nonce: int
    requested_at: int
    requested_block: int
    terms: TrainingTerms


class TrainingStatus(IntEnum):
    """REQUESTED: the drawn part is awaited. COMMITTING: weights, then the key. REVEALED: scores. Then the ends."""

    NONE = 0
    REQUESTED = 1
    COMMITTING = 2
    REVEALED = 3
    CANCELLED = 4
    UNSCORED = 5
    MISSED = 6
    TRAINED = 7


@dataclass(frozen=True)
class TrainingState:
    """Where a training request stands, as the chain keeps it; what is not known yet is zero.

    seed: of the draw. model: the trained one, and winner: the number of the paid commitment, if TRAINED.
    """

    status: TrainingStatus
    opened_at: int
    revealed_at: int
    commits: int
    winner: int
    seed: bytes
    pool_key: bytes
    model: ModelId


@dataclass(frozen=True)
class Commit:
    """A commitment to weights. claim: zero until scores are claimed; total: what they come to, as in Outcome."""

    executor: Address
    commitment: bytes
    claim: ClaimBatchId
    total: int
    weights_root: BundleRoot


@dataclass(frozen=True)
class OpenedItem:
    """A drawn item, opened. masked_root: bundle root of its masked tensors. path: from its leaf to the pool's root."""

    key: bytes
    masked_root: BundleRoot
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class PoolItem:
    """An item's leaf in the pool, shown."""

    index: int
    key_hash: bytes
    masked_root: BundleRoot
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class StrayElement:
    """One element of a sealed item, as the pool has it. item: number among the sealed items. element: flat."""

    item: int
    pooled: PoolItem
    tensor: int
    element: int
    masked: Opening


@dataclass(frozen=True)
class Unmasking:
    """The same leaf of the same tensor of one item, as the pool has it and as the claim has it.

    item: number among the sealed items. item_path: from the item's id to the root of the claim's items.
    """

    item: int
    inputs_root: BundleRoot
    item_path: tuple[bytes, ...]
    pooled: PoolItem
    tensor: int
    leaf: int
    masked: Opening
    claimed: Opening


@dataclass(frozen=True)
class BrokenWeight:
    """One element of one weight, as the scorer was registered with it and as it is claimed: another, and not finite."""

    header: bytes
    tensor: int
    element: int
    own: Opening
    claimed: Opening


@dataclass(frozen=True)
class GenerationTerms:
    """A wish for a text; what each field means stands in IGenerations.sol.

    prompt: canonical bytes of the first tokens. delta: f32 bits, not negative: every score is at least -delta.
    """

    scorer: ModelId
    prompt: bytes
    new_tokens: int
    sampled: bool
    delta: int
    fee_wei: int
    min_bond_wei: int
    deadline: int
    callback: Address
    callback_gas: int


@dataclass(frozen=True)
class Generation:
    """A generation request as it was made; its hash is its id."""

    requester: Address
    nonce: int
    requested_at: int
    terms: GenerationTerms


class GenerationStatus(IntEnum):
    """OPEN: to be drawn for, taken and claimed. CLAIMED: a claim stands. FINAL, REFUNDED: ended."""

    NONE = 0
    OPEN = 1
    CLAIMED = 2
    FINAL = 3
    REFUNDED = 4


@dataclass(frozen=True)
class GenerationState:
    """Where a generation request stands, as the chain keeps it.

    anchor: the beacon is the hash of the block after it. executor: whose claim stands, zero without one. attempts:
    claims that fell. output: Keccak of the claimed tokens, zero without a claim. heard: whether the callback was fired
    and succeeded.
    """

    status: GenerationStatus
    anchor: int
    executor: Address
    seed: bytes
    lessee: Address
    leased_until: int
    deadline: int
    attempts: int
    claim: ClaimBatchId
    output: bytes
    heard: bool
