"""Every state of a dispute, what an honest watchtower does in it, and that it never breaks its own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.position import Challenge, Conclude, Demand, Fault, Opinion, Position, Prove, Stake, Wait, Withdraw
from prover.rules import broken_rules
from prover.strategy import LEAVES_PER_DEMAND, collect, decide
from rollup.types import MAX_DEMAND_LEAVES, Certainty, DisputeStatus, LeafRef
from tests.prover.game import (
    BEYOND,
    CHALLENGED_AT,
    CLAIM,
    CLAIMED_AT,
    LATER_LEAF,
    LEAF,
    LIAR,
    OPENED_AT,
    OTHER,
    WINDOWS,
    acquitted,
    challenged,
    claimed,
    fault,
    light_fault,
    opened,
)

OPEN_END = CHALLENGED_AT + WINDOWS.open
COLLECT_END = OPENED_AT + WINDOWS.collect
SUPPLY_END = COLLECT_END + WINDOWS.supply
PROVE_END = COLLECT_END + WINDOWS.prove
NAN, INF = float("nan"), float("inf")


def waits(position: Position, opinion: Opinion) -> str:
    """The reason to wait; fails if there is a move."""
    move = decide(position, opinion)
    assert isinstance(move, Wait), move
    return move.reason


@pytest.mark.parametrize(
    ("changes", "opinion", "reason"),
    [
        ({"me": None}, BEYOND, "watching only"),
        ({"me": LIAR}, BEYOND, "the claim is my own"),
        ({"certainty": Certainty.FINAL}, BEYOND, "the claim is FINAL"),
        ({"certainty": Certainty.REFUTED}, BEYOND, "the claim is REFUTED"),
        ({"now": CLAIMED_AT + WINDOWS.challenge}, BEYOND, "the challenge window is over"),
        ({"balance_wei": 499}, BEYOND, "a bond of 500 wei is above the balance of 499 wei"),
        ({}, Opinion(), "my own run is not done"),
        ({}, Opinion(1.0), "within reach"),
        ({}, Opinion(1.1), "a second evaluation is needed"),
        ({}, Opinion(1.1, 0.9), "in doubt"),
        ({}, Opinion(NAN), "a second evaluation is needed"),
        ({}, Opinion(NAN, 0.9), "in doubt: my own run overflows"),
        ({"eager": True}, BEYOND, "no fault is known in its trace"),
    ],
)
def test_decide__unchallenged_without_good_reason__waits(
    changes: dict[str, Any], opinion: Opinion, reason: str
) -> None:
    assert reason in waits(replace(claimed(), **changes), opinion)


def test_decide__an_item_that_is_kept_open__is_challenged_after_the_window_of_its_model() -> None:
    end = CLAIMED_AT + WINDOWS.challenge
    kept = replace(claimed(end + 49), is_scored=True, kept_open_until=end + 50)
    move = decide(kept, BEYOND)
    assert move == Challenge(CLAIM, 500)
    assert not broken_rules(move, kept, BEYOND)
    over = replace(kept, now=end + 50)
    assert "the challenge window is over" in waits(over, BEYOND)
    assert [rule.never for rule in broken_rules(move, over, BEYOND)] == ["challenge after the window"]


def test_decide__an_item_that_is_kept_open__is_not_rejected_before_the_end() -> None:
    end = PROVE_END + 50
    held = {"is_scored": True, "kept_open_until": end}
    opinion = Opinion(2.0, 2.0, light_fault())
    root = light_fault().committed.trace_root
    early = opened(end - 1, trace_root=root, **held)
    assert isinstance(decide(early, opinion), Wait)
    move = Prove(CLAIM, light_fault(), eager=False)
    assert any("another of its items may be challenged" in rule.never for rule in broken_rules(move, early, opinion))
    assert decide(opened(end, trace_root=root, **held), opinion) == move


@pytest.mark.parametrize("opinion", [BEYOND, Opinion(NAN, NAN), Opinion(NAN, INF), Opinion(INF, 9.0)])
def test_decide__beyond_reach_twice__challenges(opinion: Opinion) -> None:
    last = CLAIMED_AT + WINDOWS.challenge - 1
    assert decide(claimed(last, balance_wei=500), opinion) == Challenge(CLAIM, 500)


def test_decide__eager_trace_with_a_fault__is_proven_without_a_challenge() -> None:
    late = CLAIMED_AT + WINDOWS.challenge + 5
    assert decide(claimed(late, eager=True), Opinion(fault=fault())) == Prove(CLAIM, fault(), eager=True)


def test_decide__eager_trace_that_nobody_serves__is_challenged_to_be_demanded() -> None:
    assert decide(claimed(eager=True), replace(BEYOND, missing=(LEAF,))) == Challenge(CLAIM, 500)
    assert isinstance(decide(claimed(eager=True), Opinion(2.0, 0.9, missing=(LEAF,))), Wait)


@pytest.mark.parametrize(("now", "ends"), [(OPEN_END - 1, False), (OPEN_END, True), (OPEN_END + 1, True)])
def test_decide__challenged_and_silent__is_concluded_at_the_deadline_and_not_before(now: int, ends: bool) -> None:
    move = decide(challenged(now, by=OTHER), BEYOND)
    assert move == Conclude(CLAIM) if ends else isinstance(move, Wait) and move.until == OPEN_END


@pytest.mark.parametrize("now", [OPENED_AT, COLLECT_END, PROVE_END - 1, PROVE_END + 100])
@pytest.mark.parametrize("missing", [(), (LEAF,)])
def test_decide__opened_with_a_sound_fault__is_proven_at_any_time(now: int, missing: tuple[LeafRef, ...]) -> None:
    assert decide(opened(now, by=OTHER), Opinion(fault=fault(), missing=missing)) == Prove(CLAIM, fault(), eager=False)


def test_decide__fault_that_only_rejects__waits_for_what_may_slash() -> None:
    light = replace(BEYOND, fault=light_fault(), missing=(LEAF,))
    root = light_fault().committed.trace_root
    assert decide(opened(trace_root=root), light) == Demand(CLAIM, (LEAF,), 30)
    for now in (COLLECT_END, PROVE_END - 1):
        move = decide(opened(now, trace_root=root), light)
        assert move == Wait(CLAIM, "a fault that only rejects is heard later", PROVE_END)
    for now in (PROVE_END, PROVE_END + 1):
        assert decide(opened(now, trace_root=root), light) == Prove(CLAIM, light_fault(), eager=False)
    assert decide(acquitted(PROVE_END + 2), light) == Prove(CLAIM, light_fault(), eager=False)


@pytest.mark.parametrize("changes", [{"siblings": 1}, {"windows": replace(WINDOWS, challenge=500)}])
def test_decide__scores_with_a_fault_that_only_rejects__wait_for_every_other_item(changes: dict[str, Any]) -> None:
    light, root = replace(BEYOND, fault=light_fault()), light_fault().committed.trace_root
    assert isinstance(decide(opened(PROVE_END, trace_root=root, is_scored=True, **changes), light), Wait)
    assert isinstance(decide(replace(acquitted(PROVE_END + 2), is_scored=True, **changes), light), Wait)
    alone = opened(PROVE_END, trace_root=root, is_scored=True)
    assert decide(alone, light) == Prove(CLAIM, light_fault(), eager=False)
    # What slashes waits for nobody.
    sound = opened(is_scored=True, **changes)
    assert decide(sound, replace(BEYOND, fault=fault())) == Prove(CLAIM, fault(), eager=False)


def test_decide__eager_trace_with_a_fault_that_only_rejects__is_challenged() -> None:
    assert decide(claimed(eager=True), Opinion(fault=light_fault())) == Challenge(CLAIM, 500)


@pytest.mark.parametrize(
    ("demanded", "balance_wei", "leaves"),
    [
        (0, 60, (LEAF, LATER_LEAF)),
        (0, 59, (LEAF,)),
        (MAX_DEMAND_LEAVES - 1, 60, (LEAF,)),
        (MAX_DEMAND_LEAVES, 60, ()),
        (0, 29, ()),
    ],
)
def test_decide__missing_leaves__are_demanded_as_far_as_money_and_limit_go(
    demanded: int, balance_wei: int, leaves: tuple[LeafRef, ...]
) -> None:
    position = opened(demanded=demanded, supplied=demanded, balance_wei=balance_wei)
    move = decide(position, replace(BEYOND, missing=(LEAF, LATER_LEAF)))
    if leaves:
        assert move == Demand(CLAIM, leaves, 30 * len(leaves))
    else:
        assert isinstance(move, Wait)
        assert "no more can be demanded or paid for" in move.reason


@pytest.mark.parametrize(
    ("now", "supplied", "expected"),
    [
        (COLLECT_END, 1, Wait),
        (SUPPLY_END - 1, 1, Wait),
        (SUPPLY_END, 1, Conclude),
        (SUPPLY_END, 2, Wait),
        (SUPPLY_END + WINDOWS.prove, 2, Conclude),
    ],
)
def test_decide__demanded_leaves__are_awaited_until_their_time_is_over(
    now: int, supplied: int, expected: type[Wait] | type[Conclude]
) -> None:
    assert isinstance(decide(opened(now, demanded=2, supplied=supplied), Opinion()), expected)


def test_decide__nothing_proven_in_time__is_ended_by_its_challenger_only() -> None:
    assert decide(opened(PROVE_END), Opinion()) == Conclude(CLAIM)
    assert "its parties may end it" in waits(opened(PROVE_END, by=OTHER), Opinion())


def test_decide__acquitted__is_still_proven_until_it_is_final() -> None:
    position = acquitted(PROVE_END + 5)
    assert decide(position, Opinion(fault=fault())) == Prove(CLAIM, fault(), eager=False)
    assert "no fault is known" in waits(position, Opinion())
    assert "the claim is FINAL" in waits(replace(position, certainty=Certainty.FINAL), Opinion(fault=fault()))


def test_collect__what_is_above_the_reserve__is_pulled() -> None:
    assert collect(100, 40) == Withdraw(60)
    assert collect(40, 40) is None
    assert collect(45, 40) == Withdraw(5)
    assert collect(44, 40) is None


@pytest.mark.parametrize("opinion", [Opinion(), Opinion(0.9, 0.9), Opinion(2.0, 0.9), Opinion(2.0)])
def test_decide__missing_leaves_of_what_may_be_honest__are_not_demanded(opinion: Opinion) -> None:
    assert "within reach" in waits(opened(by=OTHER), replace(opinion, missing=(LEAF,)))


HALF = CLAIMED_AT + WINDOWS.challenge // 2


@pytest.mark.parametrize("eager", [False, True])
def test_decide__output_that_nobody_serves__is_challenged_from_half_of_the_window_on_if_told_to(eager: bool) -> None:
    unseen = Opinion(missing=(LEAF,), is_unserved=True)
    assert "I am not told to" in waits(claimed(HALF, eager=eager), unseen)
    told = {"eager": eager, "challenges_unserved": True}
    assert decide(claimed(HALF - 1, **told), unseen) == Wait(CLAIM, "nobody serves the claimed output yet", HALF)
    assert decide(claimed(HALF, **told), unseen) == Challenge(CLAIM, 500)
    assert "the challenge window is over" in waits(claimed(CLAIMED_AT + WINDOWS.challenge, **told), unseen)


def test_decide__what_cannot_be_paid_for_to_the_end__is_not_begun() -> None:
    """A bond that no demand follows is lost."""
    unseen = Opinion(missing=(LEAF,), is_unserved=True, withheld="the weights", stake=Stake(2, 10))
    told = {"challenges_unserved": True}
    reason = waits(claimed(HALF, balance_wei=1299, **told), unseen)
    assert reason == "the weights would cost 1300 wei to be shown, the balance is 1299 wei"
    assert decide(claimed(HALF, balance_wei=1300, **told), unseen) == Challenge(CLAIM, 500)
    # Of somebody else's dispute neither; of my own what can be paid for.
    poor = {"balance_wei": 1299, **told}
    assert isinstance(decide(opened(by=OTHER, **poor), unseen), Wait)
    assert decide(opened(**poor), unseen) == Demand(CLAIM, (LEAF,), 30)


def test_decide__many_leaves__are_demanded_in_calls_that_nodes_pass_on() -> None:
    leaves = tuple(LeafRef(0, 1, leaf) for leaf in range(LEAVES_PER_DEMAND + 3))
    unseen = Opinion(missing=leaves, is_unserved=True)
    position = opened(challenges_unserved=True)
    first = decide(position, unseen)
    assert first == Demand(CLAIM, leaves[:LEAVES_PER_DEMAND], 30 * LEAVES_PER_DEMAND)
    later = replace(position, dispute=replace(position.dispute, demanded=LEAVES_PER_DEMAND))
    assert decide(later, replace(unseen, missing=leaves[LEAVES_PER_DEMAND:])) == Demand(
        CLAIM, leaves[LEAVES_PER_DEMAND:], 90
    )


def test_decide__leaves_of_an_output_that_nobody_serves__are_demanded_if_told_to() -> None:
    unseen = Opinion(missing=(LEAF, LATER_LEAF), is_unserved=True)
    assert "unseen" in waits(opened(by=OTHER), unseen)
    position = opened(by=OTHER, challenges_unserved=True)
    assert decide(position, unseen) == Demand(CLAIM, (LEAF, LATER_LEAF), 60)


def test_decide__fault_in_a_trace__is_proven_also_where_the_output_is_unseen() -> None:
    opinion = Opinion(fault=fault(), missing=(LEAF,), is_unserved=True)
    assert decide(opened(), opinion) == Prove(CLAIM, fault(), eager=False)
    assert decide(claimed(eager=True), opinion) == Prove(CLAIM, fault(), eager=True)


ratios = st.sampled_from([None, 0.2, 1.0, 1.5, NAN])
faults = st.sampled_from([None, fault(), light_fault()])
missings = st.sampled_from([(), (LEAF,), (LEAF, LATER_LEAF)])
seen = st.builds(Opinion, ratios, ratios, faults, missings)
stakes = st.builds(Stake, st.integers(0, 3), st.integers(0, 40))
unseens = st.builds(Opinion, st.none(), st.none(), faults, missings.filter(bool), st.just(True), stake=stakes)
opinions = seen | unseens


@st.composite
def positions(draw: st.DrawFn, held: Fault | None) -> Position:
    make = draw(st.sampled_from([claimed, challenged, opened, acquitted]))
    position = make(draw(st.integers(CLAIMED_AT, PROVE_END + 80)))
    root = held.committed.trace_root if held else position.dispute.trace_root
    demanded = draw(st.integers(0, MAX_DEMAND_LEAVES))
    if position.dispute.status is DisputeStatus.OPENED:
        supplied = draw(st.integers(0, demanded))
        dispute = replace(position.dispute, demanded=demanded, supplied=supplied, trace_root=root)
        position = replace(position, dispute=dispute)
    return replace(
        position,
        dispute=replace(position.dispute, trace_root=root),
        eager=draw(st.booleans()),
        challenges_unserved=draw(st.booleans()),
        is_scored=draw(st.booleans()),
        siblings=draw(st.integers(0, 2)),
        kept_open_until=draw(st.sampled_from([0, PROVE_END, PROVE_END + 60])),
        me=draw(st.sampled_from([None, LIAR, OTHER, position.me])),
        balance_wei=draw(st.sampled_from([0, 29, 30, 500, 10_000])),
        certainty=draw(st.sampled_from([position.certainty, position.certainty, *Certainty])),
    )


@settings(deadline=None)
@given(st.data(), opinions)
def test_decide__any_position_and_opinion__breaks_no_rule(data: st.DataObject, opinion: Opinion) -> None:
    position = data.draw(positions(opinion.fault))
    move = decide(position, opinion)
    if isinstance(move, Wait):
        assert move.reason
        assert move.until is None or move.until > CLAIMED_AT
    else:
        assert [rule.never for rule in broken_rules(move, position, opinion)] == []


@given(st.integers(CLAIMED_AT, PROVE_END + 80), st.sampled_from([claimed, challenged, opened, acquitted]))
def test_decide__honest_claim__is_never_fought(now: int, make: Any) -> None:
    position = make(now)
    if position.dispute.challenger != position.me:
        assert isinstance(decide(position, Opinion(deviation=0.9, second=0.9)), Wait)
    assert not isinstance(decide(position, Opinion(deviation=0.9, second=0.9)), Challenge | Prove | Demand)
