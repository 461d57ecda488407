"""Disputes as sentences: one claim of a liar over the toy network, seen at any point of its life."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from prover.fault_proof import Evidence, prove_step
from prover.position import Fault, Opinion, Position
from rollup.graph import FACTOR_ONE, Op
from rollup.judge.judge import judge
from rollup.tensor import DType
from rollup.types import (
    ZERO_ADDRESS,
    Address,
    BundleRoot,
    Certainty,
    ClaimId,
    Dispute,
    DisputeStatus,
    LeafRef,
    Windows,
)
from tests.parity.toy import f32, network, one_step, step_on, tampered, tensor_of_bits
from tests.rollup.judge.f32 import bits

ME, LIAR, OTHER = (Address(bytes([place]) * 20) for place in (1, 2, 3))
CLAIM = ClaimId(b"\7" * 32)
CLAIMED_AT, CHALLENGED_AT, OPENED_AT = 1000, 1050, 1080
WINDOWS = Windows(challenge=100, open=40, collect=20, supply=50, prove=60)
LEAF, LATER_LEAF = LeafRef(3, 0, 1), LeafRef(2, 1, 0)
UNTOUCHED = Dispute(DisputeStatus.NONE, ZERO_ADDRESS, 0, 0, 0, 0, 0, 0, BundleRoot(bytes(32)))
BEYOND = Opinion(deviation=3.0, second=2.5)


@cache
def wrong_trace() -> Evidence:
    """A trace with one wrong element in its convolution."""
    return tampered(network(), 1, 5, 0x42F60000)


@cache
def fault() -> Fault:
    """The proof of it, which slashes."""
    evidence = wrong_trace()
    proof = prove_step(evidence, 1, 5)
    return Fault(evidence.committed, proof, judge(evidence.committed, proof))


@cache
def slightly_wrong_trace() -> Evidence:
    """A sum of 1,024 ones, off by more than its calibrated factor of one allows and less than the worst order does."""
    ones = [tensor_of_bits(DType.F32, (1, 1024), [0x3F800000] * 1024) for _ in range(2)]
    step = step_on(Op.CONTRACT, f32(1, 1), ones, 2, (1024, 1, 1, 1, 0, 0, 1, 0, 0))
    return one_step(step, ones, [bits(1024.02)], factor=FACTOR_ONE)


@cache
def light_fault() -> Fault:
    """One that is only beyond a calibrated bound, and rejects."""
    evidence = slightly_wrong_trace()
    proof = prove_step(evidence, 0, 0)
    return Fault(evidence.committed, proof, judge(evidence.committed, proof))


def claimed(now: int = CLAIMED_AT + 1, **changes: Any) -> Position:
    """A claim that nobody has challenged."""
    position = Position(
        claim=CLAIM,
        executor=LIAR,
        eager=False,
        claimed_at=CLAIMED_AT,
        certainty=Certainty.PROVISIONAL,
        dispute=UNTOUCHED,
        windows=WINDOWS,
        now=now,
        me=ME,
        balance_wei=10_000,
        challenge_bond_wei=500,
        leaf_deposit_wei=30,
    )
    return replace(position, **changes)


def challenged(now: int = CHALLENGED_AT + 1, by: Address = ME, **changes: Any) -> Position:
    """The same, challenged."""
    dispute = replace(
        UNTOUCHED, status=DisputeStatus.CHALLENGED, challenger=by, bond_wei=500, challenged_at=CHALLENGED_AT
    )
    return claimed(now, **{"certainty": Certainty.CHALLENGED, "dispute": dispute, **changes})


def opened(now: int = OPENED_AT + 1, demanded: int = 0, supplied: int = 0, **changes: Any) -> Position:
    """The same, with a trace open: the wrong one if no `trace_root` is given."""
    trace_root = changes.pop("trace_root", fault().committed.trace_root)
    position = challenged(now, changes.pop("by", ME), **changes)
    dispute = replace(
        position.dispute,
        status=DisputeStatus.OPENED,
        opened_at=OPENED_AT,
        demanded=demanded,
        supplied=supplied,
        trace_root=trace_root,
    )
    return replace(position, dispute=dispute)


def acquitted(now: int) -> Position:
    """The same, after nothing was proven in time; not yet final."""
    position = opened(now)
    dispute = replace(position.dispute, status=DisputeStatus.ACQUITTED)
    return replace(position, certainty=Certainty.PROVISIONAL, dispute=dispute)
