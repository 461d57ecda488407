"""Training jobs in real processes: every method, the early stop, what a worker refuses, and kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from executor.training.checkpoint import Checkpoint, Point
from executor.training.job import Job
from rollup.errors import BadEncoding, BadInput, Unavailable
from tests.executor.training.jobs import digits_job

ADAM = {"kind": "adam", "learning_rate": 0.005}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a network is several times slower on two threads than on one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_train__a_loss_that_is_no_number__is_refused(tmp_path: Path) -> None:
    job = digits_job(tmp_path, items=200, epochs=3)
    endless = {"input_0": torch.full((4, 1, 8, 8), torch.inf), "targets": torch.tensor([1, 2, 3, 4])}
    save_file(endless, tmp_path / "shown.safetensors")
    with pytest.raises(BadInput, match=r"the loss is (nan|inf) after epoch 0: a lower learning rate than 0.001"):
        job.train()
    assert job.checkpoint is None


def test_train__frozen_name_that_is_unknown__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="freezes 'nothing'"):
        digits_job(tmp_path, frozen=["nothing"]).train()


def test_train__score_to_reach_without_items_to_score__is_refused(tmp_path: Path) -> None:
    job = digits_job(tmp_path, enough={"score": 0.9})
    (tmp_path / "check.safetensors").unlink()
    with pytest.raises(BadInput, match="no check"):
        job.train()


def test_train__checkpoint_that_is_none__is_refused(tmp_path: Path) -> None:
    job = digits_job(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"rubbish")
    with pytest.raises(BadEncoding, match="is no checkpoint"):
        job.train()


@pytest.mark.parametrize(("method", "processes"), [("single", 1), ("distributed", 2), ("hogwild", 2)])
def test_train__every_method__learns_and_tells_of_every_epoch(tmp_path: Path, method: str, processes: int) -> None:
    job = digits_job(tmp_path, method=method, processes=processes, epochs=6, optimiser=ADAM, batch_size=32)
    heard: list[Point] = []
    done = job.train(heard.append)
    assert [point.epoch for point in heard] == list(range(6))
    assert tuple(heard) == done.curve == job.curve
    score = done.curve[-1].score
    assert score is not None
    assert score > 0.75


def test_train__enough__stops_early(tmp_path: Path) -> None:
    done = digits_job(tmp_path, epochs=100, optimiser=ADAM, enough={"score": 0.7, "patience": 2}).train()
    scores = [point.score or 0.0 for point in done.curve]
    assert len(scores) < 40
    assert min(scores[-2:]) >= 0.7
    # It was not enough before.
    assert min(scores[-3:-1]) < 0.7


def test_train__frozen_weights__stay_to_the_bit(tmp_path: Path) -> None:
    job = digits_job(tmp_path, items=300, epochs=1, initial="pushed", frozen=["conv1.weight"])
    before = job.prepare().trainee.weights()
    after = job.train().weights
    assert torch.equal(before["conv1.weight"], after["conv1.weight"])
    assert not torch.equal(before["conv2.weight"], after["conv2.weight"])


def test_train__worker_killed__goes_on_where_it_stood(tmp_path: Path) -> None:
    # Items enough for an epoch to take a while: a checkpoint is kept every second.
    job = digits_job(tmp_path, epochs=20, optimiser=ADAM, batch_size=8)

    def kill(point: Point) -> None:
        if job.checkpoint is not None:
            (worker,) = workers_of(tmp_path)
            os.kill(worker, signal.SIGKILL)

    with pytest.raises(Unavailable, match="ended with -9"):
        job.train(kill)
    left = job.checkpoint
    assert left is not None
    assert 1 <= left.epochs < 20
    heard: list[Point] = []
    assert job.train(heard.append).epochs == 20
    assert [point.epoch for point in heard] == list(range(left.epochs, 20))


def test_train__whoever_started_it_is_killed__no_worker_is_left(tmp_path: Path) -> None:
    digits_job(tmp_path, epochs=10_000)
    body = f"from pathlib import Path; from executor.training.job import Job; Job(Path({str(tmp_path)!r})).train()"
    starter = subprocess.Popen([sys.executable, "-c", body])
    wait_until(lambda: Job(tmp_path).curve != ())
    starter.kill()
    starter.wait()
    wait_until(lambda: not workers_of(tmp_path))


def test_curve__line_that_is_being_written__is_not_read(tmp_path: Path) -> None:
    point = {"epoch": 0, "loss": 1.0, "score": None, "seconds": 0.5}
    (tmp_path / "progress.jsonl").write_text(json.dumps(point) + "\n" + json.dumps(point | {"epoch": 1}))
    assert Job(tmp_path).curve == (Point(0, 1.0, None, 0.5),)


def test_checkpoint__killed_while_writing__leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    old = Checkpoint({"w": torch.ones(2)}, {"0.step": torch.tensor(3.0)}, (Point(0, 1.0, 0.5, 0.1),))
    old.write(path)
    # What another writer left behind half-way has another name.
    path.with_name(f"{path.name}.1").write_bytes(b"half")
    kept = Checkpoint.read(path)
    assert kept is not None
    assert kept.curve == old.curve
    assert torch.equal(kept.weights["w"], torch.ones(2))
    assert torch.equal(kept.optimiser["0.step"], torch.tensor(3.0))


def workers_of(folder: Path) -> list[int]:
    """Process ids of the workers of the job in `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"executor.training.worker" in words and str(folder).encode() in words:
                found.append(int(entry.name))
    return found


def wait_until(ready: object, seconds: float = 60.0) -> None:
    assert callable(ready)
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit
        threading.Event().wait(0.05)
