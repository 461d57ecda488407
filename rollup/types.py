"""Frozen records and enums that all parties share; the Python side of the structs in contracts/interfaces.

Names, order and meaning of the fields are those of the Solidity structs, in snake case. Money in wei, time in seconds.
Refuses to know how anything is hashed (codec), stored (journal) or sent (chain).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from rollup.hashing.levels import LEAF_BYTES as LEAF_BYTES

RequestId = NewType("RequestId", bytes)
RequestBatchId = NewType("RequestBatchId", bytes)
ClaimBatchId = NewType("ClaimBatchId", bytes)
ClaimId = NewType("ClaimId", bytes)
ModelId = NewType("ModelId", bytes)
TensorRoot = NewType("TensorRoot", bytes)
BundleRoot = NewType("BundleRoot", bytes)
GraphRoot = NewType("GraphRoot", bytes)
NumericsRoot = NewType("NumericsRoot", bytes)
# A 20-byte account, as bytes: checksummed text is for people.
Address = NewType("Address", bytes)

ZERO_WORD = bytes(32)
ZERO_ADDRESS = Address(bytes(20))

# The same limits as ConstantsLib.sol.
MAX_OPENED_BYTES = 128 * 1024
INLINE_OUTPUT_BYTES = 64
MAX_BATCH = 512
MAX_INLINE_INPUT_BYTES = 4096
MAX_DEMAND_LEAVES = 256
DISPUTES_PER_DOUBLING = 32
MAX_REJECTIONS = 3
MAX_CALLBACK_GAS = 1_000_000

LANE_L1 = 0
LANE_SEQUENCER = 1


class Certainty(IntEnum):
    """How sure a claim is. UNDEFINED is final, without an output: an honest run overflows."""

    NONE = 0
    PROVISIONAL = 1
    CHALLENGED = 2
    FINAL = 3
    REJECTED = 4
    REFUTED = 5
    VOID = 6
    UNDEFINED = 7


class EmptyReason(IntEnum):
    """Why a posted request was logged empty instead of taken."""

    NONE = 0
    BAD_SIGNATURE = 1
    STALE_NONCE = 2
    UNFUNDED = 3
    BAD_INPUTS = 4


class DisputeStatus(IntEnum):
    NONE = 0
    CHALLENGED = 1
    OPENED = 2
    ACQUITTED = 3
    REJECTED = 4
    REFUTED = 5


class FaultKind(IntEnum):
    STEP = 0
    LINK = 1
    UNDEFINED = 2


class Verdict(IntEnum):
    NO_FAULT = 0
    BEYOND_CALIBRATED = 1
    BEYOND_SOUND = 2


@dataclass(frozen=True)
class InputSpec:
    """One input tensor. `lo`, `hi`: f32 bits for a f32 input, the integer otherwise; inclusive."""

    header: bytes
    lo: int
    hi: int


@dataclass(frozen=True)
class Windows:
    """Seconds of each period of a claim and of its dispute."""

    challenge: int
    open: int
    collect: int
    supply: int
    prove: int


@dataclass(frozen=True)
class Model:
    """Everything registered about a model. Bands are f32 bits; `min_bond_gas` is in gas."""

    graph_root: GraphRoot
    graph_header: bytes
    weights_root: BundleRoot
    numerics_root: NumericsRoot
    numerics_header: bytes
    inputs: tuple[InputSpec, ...]
    output_header: bytes
    output_band: int
    slash_band: int
    min_bond_gas: int
    windows: Windows


@dataclass(frozen=True)
class Request:
    """A wish for a result; its id is its EIP-712 digest."""

    requester: Address
    nonce: int
    kind: int
    model: ModelId
    inputs_root: BundleRoot
    property: bytes
    parents: bytes
    fee_wei: int
    tip_wei: int
    min_bond_wei: int
    deadline: int
    callback: Address
    callback_gas: int


@dataclass(frozen=True)
class RequestBatch:
    """What all requests of a batch share, and the root over their ids."""

    lane: int
    first: int
    count: int
    root: bytes
    model: ModelId
    fee_wei: int
    tip_wei: int
    min_bond_wei: int
    deadline: int
    callback: bool


@dataclass(frozen=True)
class ClaimBatch:
    """Record of claims made in one call. `undefined`: entries name a place that overflows, in place of an output."""

    requests: RequestBatchId
    executor: Address
    first: int
    count: int
    root: bytes
    bond_wei: int
    claimed_at: int
    eager: bool
    undefined: bool = False


@dataclass(frozen=True)
class ClaimWitness:
    """One claim, shown from the two batches it lies in. `index` counts in the claim batch."""

    requests: RequestBatch
    claims: ClaimBatch
    index: int
    entry: bytes
    entry_path: tuple[bytes, ...]
    request: Request
    request_path: tuple[bytes, ...]


@dataclass(frozen=True)
class Opening:
    """A run of consecutive elements of one tensor of a bundle: whole leaves, and the siblings that prove them."""

    leaves: bytes
    siblings: tuple[bytes, ...]
    bundle_path: tuple[bytes, ...]


@dataclass(frozen=True)
class FaultProof:
    """One wrong thing in an opened trace. `factor` is in 1/256, zero if only the sound bound is claimed broken."""

    kind: FaultKind
    step: int
    element: int
    step_record: bytes
    step_path: tuple[bytes, ...]
    openings: tuple[Opening, ...]
    hint: int
    factor: int
    numerics_path: tuple[bytes, ...]


@dataclass(frozen=True)
class Committed:
    """What a trace is judged against: all of it committed before the dispute.

    `claimed_output`: inline bytes or a tensor root; if `undefined`, the place that overflows (`codec.Overflow`).
    """

    graph_root: GraphRoot
    graph_header: bytes
    inputs_root: BundleRoot
    weights_root: BundleRoot
    trace_root: BundleRoot
    numerics_root: NumericsRoot
    numerics_header: bytes
    output_header: bytes
    output_band: int
    slash_band: int
    undefined: bool
    claimed_output: bytes


@dataclass(frozen=True)
class LeafRef:
    """One leaf that somebody misses: slot 0 is the step's result, 1.. its operands.

    Slot 0 of the step after the last is the claimed output, if its claim holds only the root.
    """

    step: int
    slot: int
    leaf: int


@dataclass(frozen=True)
class StepProof:
    record: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class StepPlace:
    """A step of a graph, at one element of its result, with the proof of its record."""

    step: int
    element: int
    record: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Dispute:
    """State of one dispute, as the chain keeps it."""

    status: DisputeStatus
    challenger: Address
    bond_wei: int
    cost_wei: int
    challenged_at: int
    opened_at: int
    demanded: int
    supplied: int
    trace_root: BundleRoot


@dataclass(frozen=True)
class TraceOpening:
    """The executor's answer to the challenge of claim `index` of a batch."""

    index: int
    trace_root: BundleRoot


@dataclass(frozen=True)
class Contested:
    """A claim that left its batch because it was challenged; after acquittal not final before `final_at`."""

    certainty: Certainty
    final_at: int
    bond_wei: int


@dataclass(frozen=True)
class Terms:
    """What orders and claims need of a model. `output_bytes`: of the canonical output tensor."""

    output_bytes: int
    min_bond_gas: int
    windows: Windows


@dataclass(frozen=True)
class Wish:
    """An on-chain request's wish; `inputs` empty means that `inputs_root` names inputs kept off chain."""

    model: ModelId
    inputs: bytes
    inputs_root: BundleRoot
    fee_wei: int
    tip_wei: int
    min_bond_wei: int
    deadline: int
    callback: Address
    callback_gas: int


@dataclass(frozen=True)
class PostTerms:
    """What the signed requests of one posted batch share."""

    model: ModelId
    fee_wei: int
    tip_wei: int
    min_bond_wei: int
    deadline: int
    callback: Address
    callback_gas: int


@dataclass(frozen=True)
class Signed:
    """One signed request as posted; the rest of it stands in PostTerms."""

    requester: Address
    nonce: int
    inputs: bytes
    inputs_root: BundleRoot
    signature: bytes
