"""The checked graph: ordered steps, each one operator applied once, as the judge reads them (PROTOCOL.md, 2.4 and 3).

Without torch. Building a Graph checks all that can be checked of it, and names every fault at once, so that no graph
fails for the first time in a dispute. Knows nothing of the fast path: rollup/program.py holds what executors run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property

from rollup.errors import BadEncoding, BadGraph
from rollup.merkle import Tree, keccak256, sha256
from rollup.numerics import FP32, Profile
from rollup.tensor import TensorSpec
from rollup.types import GraphRoot, NumericsRoot, StepProof

STEP_TAG = keccak256(b"anh.v1.step")
GRAPH_TAG = keccak256(b"anh.v1.graph")
NUMERICS_TAG = keccak256(b"anh.v1.numerics")
NUMERICS_HEADER_FP32 = FP32.header
# `c` is registered in units of 1/256.
FACTOR_ONE = 256
MAX_STEPS = 65_536
# Elements of a row that one proof opens: wider rows are split when a graph is built.
MAX_ROW = 8_192


class Op(IntEnum):
    """Operators; the value is the code in a step record."""

    CONTRACT = 1
    ADD = 2
    MUL = 3
    RELU = 4
    AMAX = 5
    ARGMAX = 6
    STRIDED = 7
    CAT = 8
    PATCHES = 9
    SUB = 10
    DIV = 11
    MAXIMUM = 12
    MINIMUM = 13
    POW = 14
    COMPARE = 15
    LOGICAL = 16
    WHERE = 17
    PAD = 18
    GATHER = 19
    NEG = 32
    ABS = 33
    CLAMP = 34
    FLOOR = 35
    CEIL = 36
    ROUND = 37
    TRUNC = 38
    SIGN = 39
    NOT = 40
    CAST = 41
    EXP = 48
    LOG = 49
    TANH = 50
    SIGMOID = 51
    SQRT = 52
    RSQRT = 53
    ERF = 54
    GELU = 55
    GELU_TANH = 56
    SILU = 57
    SIN = 58
    COS = 59
    EXPM1 = 60
    LOG1P = 61
    SUM = 64
    SPREAD = 65
    EXPSUM = 66
    SOFTMAX = 72
    LOG_SOFTMAX = 73
    NORM = 74


class Source(IntEnum):
    """Which bundle an operand lies in."""

    INPUT = 0
    WEIGHT = 1
    STEP = 2


@dataclass(frozen=True)
class Operand:
    """A tensor that a step reads: bundle, place in it, dtype and shape."""

    source: Source
    index: int
    spec: TensorSpec


@dataclass(frozen=True)
class Step:
    """One operator applied once.

    `rank` is the number of axes in the attributes of operators that have axes, else 0. `origin` says which place of
    the user's module made the step; it is for people and is not committed.
    """

    op: Op
    result: TensorSpec
    operands: tuple[Operand, ...]
    rank: int = 0
    attributes: tuple[int, ...] = ()
    origin: str = field(default="", compare=False)

    def spec(self, slot: int) -> TensorSpec:
        """Dtype and shape of a slot: 0 the result, 1.. the operands."""
        return self.operands[slot - 1].spec if slot else self.result

    @property
    def record(self) -> bytes:
        """Canonical bytes of the step."""
        head = bytes([self.op, self.rank, len(self.operands), len(self.attributes)]) + self.result.header
        operands = b"".join(
            bytes([operand.source]) + operand.index.to_bytes(4, "big") + operand.spec.header
            for operand in self.operands
        )
        return head + operands + b"".join(value.to_bytes(8, "big", signed=True) for value in self.attributes)

    @classmethod
    def from_record(cls, record: bytes) -> Step:
        """Raises BadEncoding unless `record` is canonical, BadGraph if an operand lies in no bundle."""
        if len(record) < 36 or record[0] not in Op.__members__.values():
            raise BadEncoding(f"{len(record)} bytes are not a step record")
        op, rank, operands, attributes = Op(record[0]), record[1], record[2], record[3]
        expected = 36 + 37 * operands + 8 * attributes
        if len(record) != expected:
            raise BadEncoding(f"a step record of {operands} operands has {expected} bytes, got {len(record)}")
        tail = 36 + 37 * operands
        return cls(
            op,
            TensorSpec.from_header(record[4:36]),
            tuple(_operand(record[36 + 37 * i : 73 + 37 * i]) for i in range(operands)),
            rank,
            tuple(int.from_bytes(record[i : i + 8], "big", signed=True) for i in range(tail, expected, 8)),
        )


def _operand(data: bytes) -> Operand:
    if data[0] not in Source.__members__.values():
        raise BadGraph(f"operand source {data[0]} is unknown")
    return Operand(Source(data[0]), int.from_bytes(data[1:5], "big"), TensorSpec.from_header(data[5:37]))


def tree_of_records(records: Sequence[bytes]) -> Tree:
    return Tree([sha256(STEP_TAG + record) for record in records])


def root_of_records(header: bytes, records: Sequence[bytes]) -> GraphRoot:
    """Of a graph with these records, whatever they are. Raises BadEncoding unless the header says as many."""
    steps = int.from_bytes(header[8:12], "big")
    if not records or len(records) != steps:
        raise BadEncoding(f"{len(records)} records are not a graph of {steps} steps")
    return GraphRoot(sha256(GRAPH_TAG + header + tree_of_records(records).top))


@dataclass(frozen=True)
class Graph:
    """An ordered list of steps over inputs and weights; the last step is the output."""

    inputs: tuple[TensorSpec, ...]
    weights: tuple[TensorSpec, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        faults = [
            f"step {number} ({step.origin or step.op.name}): operand {place} is not {operand.source.name} "
            f"{operand.index} of its shape"
            for number, step in enumerate(self.steps)
            for place, operand in enumerate(step.operands)
            if not self._is_known(number, operand)
        ]
        if not self.inputs or not 1 <= len(self.steps) <= MAX_STEPS:
            faults.append(f"a graph needs an input and 1 to {MAX_STEPS} steps, got {len(self.steps)}")
        if faults:
            raise BadGraph("; ".join(faults))

    def _is_known(self, number: int, operand: Operand) -> bool:
        """Whether an operand of step `number` names an input, a weight or an earlier result, in its own shape."""
        if operand.source is Source.STEP:
            return operand.index < number and self.steps[operand.index].result == operand.spec
        known = self.inputs if operand.source is Source.INPUT else self.weights
        return operand.index < len(known) and known[operand.index] == operand.spec

    @property
    def output(self) -> TensorSpec:
        return self.steps[-1].result

    @property
    def header(self) -> bytes:
        """inputs:u32 | weights:u32 | steps:u32 | zero:u160."""
        counts = (len(self.inputs), len(self.weights), len(self.steps))
        return b"".join(count.to_bytes(4, "big") for count in counts).ljust(32, b"\0")

    @cached_property
    def tree(self) -> Tree:
        return tree_of_records([step.record for step in self.steps])

    @property
    def root(self) -> GraphRoot:
        return GraphRoot(sha256(GRAPH_TAG + self.header + self.tree.top))

    def step_path(self, number: int) -> tuple[bytes, ...]:
        return self.tree.path(number)

    def step_proof(self, number: int) -> StepProof:
        """Proof of a step's record; empty for the place after the last step, which names the claimed output."""
        if number == len(self.steps):
            return StepProof(b"", ())
        return StepProof(self.steps[number].record, self.step_path(number))


@dataclass(frozen=True)
class Numerics:
    """Calibrated factors, one per step, in 1/256 (zero where the step's bound is exact), and what they rest on."""

    factors: tuple[int, ...]
    profile: Profile = FP32

    @property
    def sound(self) -> Numerics:
        """The same profile without factors: every step at its sound bound."""
        return replace(self, factors=(0,) * len(self.factors))

    @property
    def header(self) -> bytes:
        return self.profile.header

    @cached_property
    def tree(self) -> Tree:
        return Tree([factor.to_bytes(32, "big") for factor in self.factors])

    @property
    def root(self) -> NumericsRoot:
        return NumericsRoot(sha256(NUMERICS_TAG + self.header + self.tree.top))

    def path(self, number: int) -> tuple[bytes, ...]:
        return self.tree.path(number)
