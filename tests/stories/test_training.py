"""A network trained to order: two executors, two methods, and neither could see the items that they are paid by.

One chain for all tests; each has executors and a requester of its own, which end with it. Where nobody has anything to
do time is skipped, so that there is enough of it on a busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.tensors import from_canonical
from executor.trainer.desk import Desk
from rollup.chain.disputes import Disputes
from rollup.chain.inbox import Inbox
from rollup.chain.models import Models
from rollup.chain.sender import Sender
from rollup.chain.trainings import Trainings
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.devnet import Account, Devnet, run_folder
from rollup.errors import NotYet, Reverted, Unavailable
from rollup.properties.aggregate import ONE
from rollup.properties.scores import derived
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.types import ZERO_ADDRESS, ZERO_WORD, BundleRoot, Certainty, DisputeStatus, ModelId, Wish
from rollup.view import MadeCommit, View
from tests.stories.academy import (
    ETHER,
    HOGWILD,
    OPEN,
    POOL,
    SECOND_EXECUTOR,
    SGD,
    TERMS,
    WINDOWS,
    Academy,
    hire,
    open_academy,
    shuffled,
)

pytestmark = pytest.mark.timeout(300)
STRANGER = Account.FIRST_USER + 1
PICTURE_BYTES = 256


@pytest.fixture(scope="module")
def opened() -> Iterator[Academy]:
    # So small a network is several times slower on two threads than on one.
    with pytest.MonkeyPatch.context() as patch, Devnet(run_folder()) as net:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield open_academy(net)


@pytest.fixture
def academy(opened: Academy) -> Iterator[Academy]:
    yield opened
    for name in ("sgd", "hogwild", "requester"):
        with suppress(Unavailable):
            opened.kill(name)


def test_a_training__two_methods__one_is_paid_for_what_it_can_do(academy: Academy) -> None:
    hired = [hire(academy.net, "sgd", Account.EXECUTOR, SGD), hire(academy.net, "hogwild", SECOND_EXECUTOR, HOGWILD)]
    academy.wait_for_hired(hired)
    id_ = academy.ask(academy.describe(*shuffled(), commit=90, reveal=20, claim=30))
    academy.wait("the drawn items are open", lambda view: view.training(id_).status is not TrainingStatus.REQUESTED, 15)
    view = academy.wait("both have committed", lambda view: len(view.training(id_).commits) == 2, 80)
    academy.net.pass_until(view.training(id_).course.commit_end)
    view = academy.wait("both have claimed", lambda view: len(claimed(view, id_)) == 2, 40)

    roots = [commit.weights_root for commit in view.training(id_).commits]
    first, second = ([from_canonical(tensor) for tensor in academy.blobs.get_tensors(root)] for root in roots)
    differ = sum(int((a != b).sum()) for a, b in zip(first, second, strict=True))
    assert differ / sum(a.numel() for a in first) > 0.99
    sealed = POOL - OPEN
    assert all(commit.total >= 0.95 * sealed * ONE for commit in view.training(id_).commits)

    networks = [model_id(derived(view.model(academy.architecture), root)) for root in roots]
    for network in networks:
        require_nobodys(academy, id_, network)
    register_by_a_stranger(academy, roots[0])
    assert trained(academy, id_) == (ModelId(ZERO_WORD), Certainty.PROVISIONAL)
    require_nobodys(academy, id_, networks[1])

    view = academy.look()
    academy.net.pass_until(view.training(id_).course.claim_end)
    view = academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 60)
    ended = view.training(id_)
    assert ended.winner == max(range(2), key=lambda number: (ended.commits[number].total, -number))
    assert TERMS["fee_wei"] < ended.paid_wei <= TERMS["fee_wei"] + TERMS["bonus_wei"]
    assert ended.paid_wei + ended.refunded_wei == TERMS["fee_wei"] + TERMS["bonus_wei"]
    assert trained(academy, id_) == (ended.model, Certainty.FINAL) == (networks[ended.winner], Certainty.FINAL)
    assert ask(academy, ended.model) in academy.look().state.requests
    printed = academy.status(id_)
    assert printed.splitlines()[-1] == "0x" + ended.model.hex()
    for commit in ended.commits:
        assert f"FINAL  │ {commit.total / (sealed * ONE):<6.6g}" in printed
    # What unmasks the pool stood in no log, though it is public by now; nor did any salt.
    pledges = [Desk(folder).pledge for folder in academy.net.folder.glob(f"*-trainings/{id_.hex()}")]
    secrets = [ended.pool_key, *(pledge.salt for pledge in pledges if pledge is not None)]
    logs = "".join(log.read_text() for log in (academy.net.folder / "logs").glob("*.log"))
    assert len(secrets) == 3
    assert not any(secret.hex() in logs for secret in secrets)


def test_a_trainer__killed_in_the_middle_and_doubted_at_the_end__is_paid(academy: Academy) -> None:
    recipe = {**SGD, "epochs": 12}
    hire(academy.net, "sgd", Account.EXECUTOR, recipe)
    id_ = academy.ask(describe_little(academy, commit=90, reveal=20, claim=30))
    desk = Desk.of(academy.net.folder / "sgd-trainings", id_)
    academy.wait("it is being trained", lambda _: desk.is_prepared and bool(desk.job.curve), 60)
    academy.kill("sgd")
    hire(academy.net, "sgd", Account.EXECUTOR, recipe)
    view = academy.wait("it has committed, once", lambda view: len(view.training(id_).commits) == 1, 80)
    academy.net.pass_until(view.training(id_).course.commit_end)
    view = academy.wait("it has claimed", lambda view: len(claimed(view, id_)) == 1, 40)

    (commit,) = claimed(view, id_)
    scores = view.scores_of(commit)
    assert scores is not None
    griefer = sender_of(academy, Account.WATCHTOWER)
    disputes = Disputes(academy.net.deployment)
    doubted = scores.claim.claim_id(7)
    assert griefer.send(disputes.challenge(view.witness(doubted), ETHER)).succeeded
    academy.wait("the item is opened", lambda view: view.dispute(doubted).opened_at > 0, 30)
    academy.net.pass_until(view.now + WINDOWS.collect + WINDOWS.prove)
    view = academy.wait("nothing was proven", lambda view: bool(view.to_conclude(view.now)), 30)
    assert griefer.send(disputes.conclude(view.witness(doubted))).succeeded
    view = academy.look()
    academy.net.pass_until(max(view.training(id_).course.claim_end, view.scores(scores.id).final_from))
    view = academy.wait("it is trained", lambda view: view.training(id_).status is TrainingStatus.TRAINED, 40)
    assert view.dispute(doubted).status is DisputeStatus.ACQUITTED
    assert view.certainty_of(view.training(id_).commits[0]) is Certainty.FINAL


def test_a_requester__killed_at_every_turn__opens_once_and_reveals_in_time(academy: Academy) -> None:
    """Each kill comes when a call is signed, and before it is known what became of it."""
    before = calls_of(academy, "latest")
    known = {training.id for training in academy.look().trainings()}
    academy.start_request(describe_little(academy, open=60, commit=90, reveal=60, claim=10))
    kill_after(academy, before)
    academy.serve()
    kill_after(academy, before + 1)
    academy.serve()
    view = academy.wait("the drawn items are open", lambda view: bool(opened_of(view, known)), 40)
    (id_,) = opened_of(view, known)
    academy.kill("requester")
    commit = Trainings(academy.net.deployment).commit(view.training(id_).training, b"c" * 32)
    assert sender_of(academy, SECOND_EXECUTOR).send(commit).succeeded
    academy.net.pass_until(view.training(id_).course.commit_end)
    academy.serve()
    kill_after(academy, before + 2)
    academy.serve()
    view = academy.wait("the key", lambda view: view.training(id_).status is TrainingStatus.REVEALED, 40)
    academy.net.pass_until(view.training(id_).course.claim_end)
    view = academy.wait("the end", lambda view: view.training(id_).status is TrainingStatus.MISSED, 40)
    assert {training.id for training in view.trainings()} == known | {id_}
    # It asked, opened, revealed and had it settled, each once.
    assert calls_of(academy, "pending") == before + 4


def describe_little(academy: Academy, **periods: int) -> Path:
    """A pool of a third of the items, and a threshold that so few leave no doubt about."""
    data, pool = shuffled()
    few = {name: values[: POOL // 3] for name, values in pool.items()}
    return academy.describe(data, few, open_count=OPEN // 3, threshold=0.6, **periods)


def claimed(view: View, id_: TrainingId) -> list[MadeCommit]:
    return [commit for commit in view.training(id_).commits if commit.claim is not None]


def sender_of(academy: Academy, account: int) -> Sender:
    return Sender(academy.net.client, academy.net.key(account), MemoryStore(), poll_seconds=0.05)


# A network before it is final.


def trained(academy: Academy, id_: TrainingId) -> tuple[ModelId, Certainty]:
    return Trainings(academy.net.deployment).trained(academy.snapshot(), id_)


def ask(academy: Academy, network: ModelId) -> Any:
    """Asks a network about an empty picture; the request's id. Raises Reverted where there is no such network."""
    view, asker = academy.look(), sender_of(academy, STRANGER)
    wish = Wish(
        network, bytes(PICTURE_BYTES), BundleRoot(ZERO_WORD), 10**15, 0, 0, view.now + 600, ZERO_ADDRESS, 0
    )  # fmt: skip
    before = set(view.state.requests)
    asker.send(Inbox(academy.net.deployment).request(wish, "0"))
    (asked,) = set(academy.look().state.requests) - before
    return asked


def require_nobodys(academy: Academy, id_: TrainingId, network: ModelId) -> None:
    """Scores stand, so the network has a name: it is not there to be asked, and the training says how sure it is."""
    assert trained(academy, id_) == (ModelId(ZERO_WORD), Certainty.PROVISIONAL)
    with pytest.raises(Reverted, match=f"UnknownModel.*{network.hex()}"):
        ask(academy, network)


def register_by_a_stranger(academy: Academy, root: BundleRoot) -> None:
    """Weights are public with their scores: whoever registers them answers for them with a bond of its own."""
    models = Models(academy.net.deployment)
    record = derived(academy.look().model(academy.architecture), root)
    register = models.register(record, models.minimum_bond(academy.snapshot()))
    assert sender_of(academy, STRANGER).send(register).succeeded


# A requester that is killed.


def calls_of(academy: Academy, which: Any) -> int:
    """Transactions of the requester, mined ("latest"), or on their way too ("pending")."""
    return academy.net.client.nonce(academy.net.address(Account.FIRST_USER), which)


def kill_after(academy: Academy, calls: int) -> None:
    """Kills the requester as soon as more than `calls` of its calls are on their way."""
    limit = time.monotonic() + 40
    while calls_of(academy, "pending") <= calls:
        if time.monotonic() > limit:
            raise NotYet(
                f"the requester's call after {calls} did not come:\n{academy.net.process('requester').last_words()}"
            )
        time.sleep(0.01)
    academy.kill("requester")


def opened_of(view: View, known: set[TrainingId]) -> list[TrainingId]:
    """Trainings that are not among `known`, and are open."""
    return [
        each.id for each in view.trainings() if each.id not in known and each.status is not TrainingStatus.REQUESTED
    ]
