"""Each rule is broken once, by a move that breaks nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prover.fault_proof import step_witness
from prover.position import Challenge, ClaimMove, Conclude, Demand, Fault, Opinion, Position, Prove, Stake
from prover.rules import RULES, broken_rules, require_honest
from rollup.errors import Doubt
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, Certainty, ClaimId, Verdict
from tests.parity.toy import network
from tests.prover.game import (
    BEYOND,
    CHALLENGED_AT,
    CLAIM,
    CLAIMED_AT,
    LATER_LEAF,
    LEAF,
    LIAR,
    OPENED_AT,
    WINDOWS,
    challenged,
    claimed,
    fault,
    light_fault,
    opened,
)

ELSEWHERE = ClaimId(b"\1" * 32)
OVER = OPENED_AT + WINDOWS.collect + WINDOWS.prove
MISSING = replace(BEYOND, missing=(LEAF, LATER_LEAF))
HELD = Opinion(fault=fault())
UNSEEN = Opinion(missing=(LEAF,), is_unserved=True)
# The window outlasts the dispute.
LONG = replace(WINDOWS, challenge=500)
HALF = CLAIMED_AT + WINDOWS.challenge // 2


def honest_fault() -> Fault:
    """A proof that pretends to slash, of an element that is right."""
    evidence = network()
    return Fault(evidence.committed, step_witness(evidence, 1, 5), Verdict.BEYOND_SOUND)


def garbled_fault() -> Fault:
    return replace(fault(), proof=replace(fault().proof, step_path=()))


def on_its_trace(position: Position, shown: Fault) -> Position:
    return replace(position, dispute=replace(position.dispute, trace_root=shown.committed.trace_root))


BROKEN: list[tuple[str, ClaimMove, Position, Opinion]] = [
    ("without a key", Challenge(CLAIM, 500), claimed(me=None), BEYOND),
    ("final or fallen", Conclude(CLAIM), challenged(CHALLENGED_AT + 90, certainty=Certainty.REFUTED), BEYOND),
    ("one's own claim", Challenge(CLAIM, 500), claimed(me=LIAR), BEYOND),
    ("another claim", Challenge(ELSEWHERE, 500), claimed(), BEYOND),
    ("two evaluations", Challenge(CLAIM, 500), claimed(), Opinion(2.0, 1.0)),
    ("two evaluations", Challenge(CLAIM, 500), claimed(), Opinion(2.0, None)),
    ("whose trace is served", Challenge(CLAIM, 500), claimed(eager=True), BEYOND),
    ("whose trace is served", Challenge(CLAIM, 500), claimed(eager=True), replace(HELD, missing=(LEAF,))),
    ("two evaluations", Challenge(CLAIM, 500), claimed(eager=True), Opinion(2.0, 1.0, missing=(LEAF,))),
    ("may be within reach", Demand(CLAIM, (LEAF,), 30), opened(), Opinion(2.0, 1.0, missing=(LEAF,))),
    ("may be within reach", Demand(CLAIM, (LEAF,), 30), opened(), Opinion(missing=(LEAF,))),
    ("unless told to", Challenge(CLAIM, 500), claimed(HALF), UNSEEN),
    ("unless told to", Demand(CLAIM, (LEAF,), 30), opened(), UNSEEN),
    ("first half", Challenge(CLAIM, 500), claimed(HALF - 1, challenges_unserved=True), UNSEEN),
    (
        "the money to have all of it shown",
        Challenge(CLAIM, 500),
        claimed(HALF, challenges_unserved=True, balance_wei=1299),
        replace(UNSEEN, stake=Stake(2, 10)),
    ),
    ("a second time", Challenge(CLAIM, 500), challenged(), BEYOND),
    ("after the window", Challenge(CLAIM, 500), claimed(CLAIMED_AT + WINDOWS.challenge), BEYOND),
    ("more than the balance", Challenge(CLAIM, 501), claimed(balance_wei=500), BEYOND),
    ("more than the balance", Demand(CLAIM, (LEAF,), 30), opened(balance_wei=29), MISSING),
    ("not open", Prove(CLAIM, fault(), eager=False), on_its_trace(challenged(), fault()), HELD),
    ("not open", Prove(CLAIM, fault(), eager=True), claimed(), HELD),
    ("not open", Prove(CLAIM, fault(), eager=True), opened(eager=True), HELD),
    ("what only rejects before", Prove(CLAIM, light_fault(), eager=True), claimed(eager=True), HELD),
    (
        "what only rejects before",
        Prove(CLAIM, light_fault(), eager=False),
        on_its_trace(opened(OVER - 1), light_fault()),
        HELD,
    ),
    (
        "while another of its items",
        Prove(CLAIM, light_fault(), eager=False),
        on_its_trace(opened(OVER, is_scored=True, siblings=1), light_fault()),
        HELD,
    ),
    (
        "while another of its items",
        Prove(CLAIM, light_fault(), eager=False),
        on_its_trace(opened(OVER, is_scored=True, windows=LONG), light_fault()),
        HELD,
    ),
    ("Python judge acquits", Prove(CLAIM, honest_fault(), eager=False), on_its_trace(opened(), honest_fault()), HELD),
    ("Python judge acquits", Prove(CLAIM, garbled_fault(), eager=False), opened(), HELD),
    ("another trace", Prove(CLAIM, fault(), eager=False), opened(trace_root=BundleRoot(bytes(32))), HELD),
    ("the collect period", Demand(CLAIM, (LEAF,), 30), opened(OPENED_AT + WINDOWS.collect), MISSING),
    ("the collect period", Demand(CLAIM, (LEAF,), 30), challenged(), MISSING),
    ("more than 256 leaves", Demand(CLAIM, (LEAF,), 30), opened(demanded=MAX_DEMAND_LEAVES), MISSING),
    ("demand leaves twice", Demand(CLAIM, (LEAF, LEAF), 60), opened(), MISSING),
    ("such as are served", Demand(CLAIM, (LEAF,), 30), opened(), BEYOND),
    ("none", Demand(CLAIM, (), 0), opened(), MISSING),
    ("before the clock", Conclude(CLAIM), challenged(CHALLENGED_AT + WINDOWS.open - 1), BEYOND),
    ("before the clock", Conclude(CLAIM), opened(OVER - 1), Opinion()),
    ("before the clock", Conclude(CLAIM), claimed(CLAIMED_AT + 500), Opinion()),
    ("whose fault is known", Conclude(CLAIM), opened(OVER), HELD),
]


@pytest.mark.parametrize(("never", "move", "position", "opinion"), BROKEN, ids=[case[0] for case in BROKEN])
def test_require_honest__move_that_breaks_one_rule__is_refused_by_that_rule(
    never: str, move: ClaimMove, position: Position, opinion: Opinion
) -> None:
    assert [never in rule.never for rule in broken_rules(move, position, opinion)] == [True]
    with pytest.raises(Doubt, match=f"never .*{never}.*, because"):
        require_honest(move, position, opinion)


def test_rules__every_one__is_broken_by_some_move() -> None:
    assert all(any(never in rule.never for never, *_ in BROKEN) for rule in RULES)


@pytest.mark.parametrize(
    ("move", "position", "opinion"),
    [
        (Challenge(CLAIM, 500), claimed(CLAIMED_AT + WINDOWS.challenge - 1), BEYOND),
        (Challenge(CLAIM, 500), claimed(eager=True), replace(BEYOND, missing=(LEAF,))),
        (Prove(CLAIM, fault(), eager=True), claimed(eager=True), HELD),
        (Prove(CLAIM, fault(), eager=False), opened(OVER + 50), HELD),
        (Prove(CLAIM, light_fault(), eager=False), on_its_trace(opened(OVER), light_fault()), HELD),
        (
            Prove(CLAIM, light_fault(), eager=False),
            on_its_trace(opened(OVER, is_scored=True), light_fault()),
            HELD,
        ),
        (Prove(CLAIM, fault(), eager=False), opened(is_scored=True, siblings=2), HELD),
        (Challenge(CLAIM, 500), claimed(eager=True), Opinion(fault=light_fault())),
        (Challenge(CLAIM, 500), claimed(eager=True), Opinion(fault=light_fault(), is_unserved=True)),
        (Challenge(CLAIM, 500), claimed(HALF, challenges_unserved=True), UNSEEN),
        (Demand(CLAIM, (LEAF,), 30), opened(challenges_unserved=True), UNSEEN),
        (Demand(CLAIM, (LEAF,), 30), opened(OPENED_AT + WINDOWS.collect - 1), MISSING),
        (Conclude(CLAIM), challenged(CHALLENGED_AT + WINDOWS.open), Opinion()),
        (Conclude(CLAIM), opened(OVER), Opinion()),
    ],
)
def test_require_honest__honest_move__passes(move: ClaimMove, position: Position, opinion: Opinion) -> None:
    require_honest(move, position, opinion)
