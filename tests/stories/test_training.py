"""A network trained to order: two executors, two methods, and neither could see the items that they are paid by."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.tensors import from_canonical
from executor.trainer.desk import Desk
from rollup.chain.disputes import Disputes
from rollup.chain.sender import Sender
from rollup.chain.trainings import Trainings
from rollup.chain.transactions import MemoryStore
from rollup.devnet import Account, Devnet, run_folder
from rollup.properties.aggregate import ONE
from rollup.properties.types import TrainingStatus
from rollup.types import Certainty, DisputeStatus
from rollup.view import View
from tests.stories.academy import (
    ETHER,
    HOGWILD,
    OPEN,
    POOL,
    SECOND_EXECUTOR,
    SGD,
    TERMS,
    Academy,
    open_academy,
    shuffled,
)


@pytest.fixture
def academy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Academy]:
    # So small a network is several times slower on two threads than on one.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Devnet(run_folder()) as net:
        yield open_academy(net)


@pytest.mark.timeout(300)
def test_a_training__two_methods__one_is_paid_for_what_it_can_do(academy: Academy) -> None:
    hired = [
        academy.hire("sgd", Account.EXECUTOR, SGD),
        academy.hire("hogwild", SECOND_EXECUTOR, HOGWILD),
    ]
    academy.wait_for_hired(hired)
    id_ = academy.ask(academy.describe(*shuffled()))
    academy.wait("the drawn items are open", lambda view: view.training(id_).status is not TrainingStatus.REQUESTED, 15)
    academy.wait("both have committed", lambda view: len(view.training(id_).commits) == 2, 40)
    view = academy.wait("both have claimed", lambda view: len(claimed(view, id_)) == 2, 40)

    roots = [commit.weights_root for commit in view.training(id_).commits]
    first, second = ([from_canonical(tensor) for tensor in academy.blobs.get_tensors(root)] for root in roots)
    differ = sum(int((a != b).sum()) for a, b in zip(first, second, strict=True))
    assert differ / sum(a.numel() for a in first) > 0.99
    sealed = POOL - OPEN
    assert all(commit.total >= 0.95 * sealed * ONE for commit in view.training(id_).commits)

    view = academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 40)
    ended = view.training(id_)
    assert ended.winner == max(range(2), key=lambda number: (ended.commits[number].total, -number))
    assert TERMS["fee_wei"] < ended.paid_wei <= TERMS["fee_wei"] + TERMS["bonus_wei"]
    assert ended.paid_wei + ended.refunded_wei == TERMS["fee_wei"] + TERMS["bonus_wei"]
    model, certainty = Trainings(academy.net.deployment).trained(_now(academy), id_)
    assert (model, certainty) == (ended.model, Certainty.FINAL)
    assert view.model(model).weights_root == ended.commits[ended.winner].weights_root
    # What unmasks the pool stood in no log, though it is public by now; nor did any salt.
    secrets = [ended.pool_key, *(desk.pledge.salt for desk in map(Desk, desks(academy)) if desk.pledge is not None)]
    logs = "".join(log.read_text() for log in (academy.net.folder / "logs").glob("*.log"))
    assert len(secrets) == 3
    assert not any(secret.hex() in logs for secret in secrets)


@pytest.mark.timeout(300)
def test_a_trainer__killed_in_the_middle_and_doubted_at_the_end__is_paid(academy: Academy) -> None:
    hired = [academy.hire("sgd", Account.EXECUTOR, SGD)]
    academy.wait_for_hired(hired)
    id_ = academy.ask(academy.describe(*shuffled(), commit=45))
    desk = Desk.of(academy.net.folder / "sgd-trainings", id_)
    academy.wait("it is being trained", lambda _: desk.is_prepared and bool(desk.job.curve), 40)
    killed = academy.net.process("sgd")
    os.killpg(killed.handle.pid, signal.SIGKILL)
    killed.handle.wait()
    academy.hire("sgd", Account.EXECUTOR, SGD)
    academy.wait("it has committed, once", lambda view: len(view.training(id_).commits) == 1, 60)
    view = academy.wait("it has claimed", lambda view: len(claimed(view, id_)) == 1, 40)

    (commit,) = claimed(view, id_)
    scores = view.scores(commit.claim)
    griefer = Sender(academy.net.client, academy.net.key(Account.WATCHTOWER), MemoryStore(), poll_seconds=0.05)
    disputes = Disputes(academy.net.deployment)
    doubted = scores.claim.claim_id(7)
    assert griefer.send(disputes.challenge(view.witness(doubted), ETHER)).succeeded
    academy.wait("the item is opened", lambda view: view.dispute(doubted).opened_at > 0, 30)
    view = academy.wait("nothing was proven", lambda view: bool(view.to_conclude(view.now)), 60)
    assert griefer.send(disputes.conclude(view.witness(doubted))).succeeded
    view = academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 40)
    assert view.dispute(doubted).status is DisputeStatus.ACQUITTED
    assert view.certainty_of(view.training(id_).commits[0]) is Certainty.FINAL


def claimed(view: View, id_: Any) -> list[Any]:
    return [commit for commit in view.training(id_).commits if commit.claim is not None]


def desks(academy: Academy) -> list[Path]:
    """The folders of all trainings at all executors."""
    return list(academy.net.folder.glob("*-trainings/*"))


def _now(academy: Academy) -> Any:
    return academy.net.client.at(academy.net.client.head())
