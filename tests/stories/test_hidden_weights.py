"""An honest executor whose endpoint nobody reaches: its weights are demanded, supplied, looked through; it is paid."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollup.devnet import Account, Devnet, Part, run_folder
from rollup.processes import free_port
from rollup.properties.types import TrainingStatus
from rollup.types import MAX_DEMAND_LEAVES, Certainty, DisputeStatus
from tests.digits import trained
from tests.stories.exam import WINDOWS, Exam

KEEPS = {"initial": "pushed", "epochs": 1, "optimiser": {"kind": "sgd", "learning_rate": 1e-6}}
COMMIT_SECONDS = 60


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Iterator[Devnet]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Devnet(run_folder()) as net:
        yield net


def hired(net: Devnet, exam: Exam) -> None:
    """Its blobs are served under another name of this machine than the chain is."""
    recipe = net.folder / "recipe.json"
    recipe.write_text(json.dumps(KEEPS))
    options = ("--train", str(net.folder / "trainings"), "--recipe", str(recipe))
    settings = {"blobs_url": f"http://localhost:{free_port()}"}
    net.start_part(Part("executor", Account.EXECUTOR, options, settings))
    executor = net.address(Account.EXECUTOR)
    exam.wait("the executor is there", lambda view: executor in view.state.endpoints, 60)


def start_stranger(net: Devnet, blobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchtower with a store of its own, that reaches the chain and no endpoint."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    net.start_part(Part("watch", Account.WATCHTOWER, ("--challenge-unserved",), {"blobs": str(blobs)}))
    monkeypatch.delenv("HTTP_PROXY")


@pytest.mark.timeout(300)
def test_weights_that_nobody_can_reach__are_supplied_on_chain_and_their_executor_is_paid(
    net: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = Exam(net, trained())
    # What was registered, and the pool; but nothing of what will be trained.
    shown = exam.shows()
    shutil.copytree(net.folder / "blobs", net.folder / "stranger")
    start_stranger(net, net.folder / "stranger", monkeypatch)
    hired(net, exam)
    exam.ask(data_root=shown, commit=COMMIT_SECONDS)
    exam.wait("a commitment", lambda view: bool(view.training(exam.id).commits), COMMIT_SECONDS + 10)
    exam.reveal()
    view = exam.wait("a claim", lambda view: view.training(exam.id).commits[0].claim is not None)
    claim = view.training(exam.id).commits[0].claim
    assert claim is not None

    # Before that the stranger waits for somebody to serve them.
    net.pass_until(view.scores(claim).claimed_at + WINDOWS.challenge // 2)
    view = exam.wait("a challenge", lambda view: bool(view.scores(claim).disputed))
    (item,) = view.scores(claim).disputed
    doubted = view.scores(claim).claim.claim_id(item)
    exam.wait("a demand", lambda view: bool(view.dispute(doubted).pages))
    view = exam.wait("the supply", lambda view: not any(page.missing for page in view.dispute(doubted).pages))
    pages = view.dispute(doubted).pages
    asked = [ref for page in pages for ref in page.refs]
    assert (
        len(set(asked))
        == len(asked)
        == sum(tensor.spec.leaf_count for tensor in exam.blobs.get_tensors(exam.scorer.weights_root))
    )
    assert len(asked) < MAX_DEMAND_LEAVES
    assert view.scores(claim).window_end > view.scores(claim).claimed_at + view.dispute(doubted).windows.challenge

    # The stranger looks through what it has been shown; then nobody has anything to do but conclude, finalise, settle.
    course = view.dispute(doubted).course
    exam.wait("the end of the supply", lambda view: view.now >= course.supply_end)
    net.pass_until(course.prove_end)
    view = exam.wait("an acquittal", lambda view: view.dispute(doubted).status is DisputeStatus.ACQUITTED)
    net.pass_until(max(view.training(exam.id).course.claim_end, view.scores(claim).final_from))
    view = exam.wait("the end", lambda view: view.training(exam.id).status is TrainingStatus.TRAINED)
    assert view.scores(claim).certainty is Certainty.FINAL
    assert view.scores(claim).contested == {item}
