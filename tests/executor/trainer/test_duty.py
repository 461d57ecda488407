"""What is due when, as a table: folder, chain and time in, one duty out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from executor.trainer.duty import Duty, Standing, duty_of
from executor.trainer.pledge import Pledge
from executor.trainer.policy import Policy
from executor.trainer.workshop import Progress
from rollup.properties.types import TrainingStatus
from rollup.types import BundleRoot, Certainty, ClaimBatchId
from rollup.view import MadeCommit, OrderedTraining
from tests.executor.trainer.commission import EXECUTOR, OPENED_AT, PERIOD, REQUESTED_AT, commission

POLICY = Policy(hurry_share=0.2)
PLEDGE = Pledge(BundleRoot(b"\1" * 32), b"\2" * 32)
COMMIT_END, HURRY_AT = OPENED_AT + PERIOD, OPENED_AT + 80
REVEALED_AT = COMMIT_END + 10


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> OrderedTraining:
    return commission(Path(tmp_path_factory.mktemp("duty"))).given.training


def standing(training: OrderedTraining, **changes: Any) -> Standing:
    return replace(Standing(training, EXECUTOR, False, False, None, Progress.IDLE), **changes)


def committed(training: OrderedTraining, claim: bytes | None = None) -> OrderedTraining:
    """`training`, with a stranger's commitment and this executor's."""
    commitments = (b"\0" * 32, PLEDGE.commitment(training.id, EXECUTOR))
    made = [MadeCommit(number, EXECUTOR, commitment, OPENED_AT) for number, commitment in enumerate(commitments)]
    if claim is not None:
        made[1] = replace(made[1], claim=ClaimBatchId(claim))
    return replace(training, commits=tuple(made))


def revealed(training: OrderedTraining) -> OrderedTraining:
    return replace(training, status=TrainingStatus.REVEALED, revealed_at=REVEALED_AT)


def scores(certainty: Certainty, final_from: int, disputed: frozenset[int] = frozenset()) -> Any:
    return SimpleNamespace(certainty=certainty, final_from=final_from, disputed=disputed)


def test_before_the_opening__nothing_can_be_checked__so_nothing_is_done(opened: OrderedTraining) -> None:
    asked = replace(opened, status=TrainingStatus.REQUESTED, opened_at=0, seed=b"", opened=())
    assert duty_of(standing(asked), POLICY, REQUESTED_AT + 1) is Duty.NOTHING


@pytest.mark.parametrize(
    ("changes", "now", "duty"),
    [
        ({}, OPENED_AT, Duty.PREPARE),
        # Too late to begin.
        ({}, HURRY_AT, Duty.NOTHING),
        ({"declined": True}, OPENED_AT, Duty.NOTHING),
        ({"prepared": True}, OPENED_AT, Duty.TRAIN),
        ({"prepared": True, "progress": Progress.RUNNING}, HURRY_AT - 1, Duty.TRAIN),
        # Wherever it stands: what it has is looked at.
        ({"prepared": True, "progress": Progress.RUNNING}, HURRY_AT, Duty.PLEDGE),
        ({"prepared": True, "progress": Progress.DONE}, OPENED_AT, Duty.PLEDGE),
        ({"prepared": True, "progress": Progress.REFUSED}, OPENED_AT, Duty.PLEDGE),
        # Killed between pledge and transaction: the same commitment is sent.
        ({"prepared": True, "pledge": PLEDGE}, OPENED_AT, Duty.COMMIT),
        ({"prepared": True, "pledge": PLEDGE}, COMMIT_END - 1, Duty.COMMIT),
        ({"prepared": True, "pledge": PLEDGE}, COMMIT_END, Duty.NOTHING),
        ({"prepared": True, "pledge": PLEDGE, "declined": True}, OPENED_AT, Duty.NOTHING),
        # A job that is too late is stopped.
        ({"prepared": True, "progress": Progress.RUNNING}, COMMIT_END, Duty.DROP),
    ],
)
def test_while_weights_may_be_committed(opened: OrderedTraining, changes: dict[str, Any], now: int, duty: Duty) -> None:
    assert duty_of(standing(opened, **changes), POLICY, now) is duty


def test_a_commitment_on_chain__is_not_sent_again(opened: OrderedTraining) -> None:
    assert duty_of(standing(committed(opened), prepared=True, pledge=PLEDGE), POLICY, OPENED_AT) is Duty.NOTHING


def test_another_executors_commitment__is_not_mine(opened: OrderedTraining) -> None:
    mine = standing(committed(opened), prepared=True, pledge=replace(PLEDGE, salt=b"\3" * 32))
    assert mine.commit is None
    assert duty_of(mine, POLICY, OPENED_AT) is Duty.COMMIT


def test_a_revealed_key__scores_are_claimed_in_time_and_once(opened: OrderedTraining) -> None:
    known = revealed(committed(opened))
    assert duty_of(standing(known, pledge=PLEDGE), POLICY, REVEALED_AT) is Duty.SCORE
    assert duty_of(standing(known), POLICY, REVEALED_AT) is Duty.NOTHING
    # An honest miss is kept as one.
    assert duty_of(standing(known, pledge=PLEDGE, declined=True), POLICY, REVEALED_AT) is Duty.NOTHING
    claimed = revealed(committed(opened, b"\5" * 32))
    waiting = standing(claimed, pledge=PLEDGE, claim=scores(Certainty.PROVISIONAL, REVEALED_AT + 60))
    assert duty_of(waiting, POLICY, REVEALED_AT + 59) is Duty.NOTHING


def test_a_claim_whose_window_is_over__is_made_final_unless_an_item_is_in_dispute(opened: OrderedTraining) -> None:
    claimed = revealed(committed(opened, b"\5" * 32))
    over = standing(claimed, pledge=PLEDGE, claim=scores(Certainty.PROVISIONAL, REVEALED_AT + 60))
    assert duty_of(over, POLICY, REVEALED_AT + 60) is Duty.FINALISE
    disputed = replace(over, claim=scores(Certainty.PROVISIONAL, REVEALED_AT + 60, frozenset({3})))
    assert duty_of(disputed, POLICY, REVEALED_AT + 60) is Duty.NOTHING


@pytest.mark.parametrize("certainty", [Certainty.FINAL, Certainty.REJECTED, Certainty.REFUTED])
def test_a_claim_that_is_decided__settles_when_everybodys_is(opened: OrderedTraining, certainty: Certainty) -> None:
    decided = standing(revealed(committed(opened, b"\5" * 32)), pledge=PLEDGE, claim=scores(certainty, 0))
    assert duty_of(decided, POLICY, REVEALED_AT + PERIOD) is Duty.NOTHING
    assert duty_of(replace(decided, ripe=True), POLICY, REVEALED_AT + PERIOD) is Duty.SETTLE


def test_a_key_that_does_not_come__settles_for_the_first_committer(opened: OrderedTraining) -> None:
    unrevealed = standing(committed(opened), pledge=PLEDGE)
    assert duty_of(unrevealed, POLICY, COMMIT_END + PERIOD - 1) is Duty.NOTHING
    assert duty_of(replace(unrevealed, ripe=True), POLICY, COMMIT_END + PERIOD) is Duty.SETTLE
    # Who committed nothing leaves it to those who did.
    assert duty_of(standing(committed(opened), ripe=True), POLICY, COMMIT_END + PERIOD) is Duty.NOTHING
