"""Jobs in real processes beside the daemon: told of, stopped, killed, gone on with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.trainer.workshop import Progress, Workshop
from executor.training.checkpoint import Point
from executor.training.job import Job
from tests.executor.training.jobs import digits_job
from tests.executor.training.test_job import workers_of

ADAM = {"kind": "adam", "learning_rate": 0.005}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a network is several times slower on two threads than on one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_start__a_job_that_can_never_run__says_why(tmp_path: Path) -> None:
    workshop = Workshop(lambda job, point: None)
    job = digits_job(tmp_path, frozen=["nothing"])
    workshop.start(job)
    until(lambda: workshop.outcome(job).progress is not Progress.RUNNING)
    assert workshop.outcome(job).progress is Progress.REFUSED
    assert "freezes 'nothing'" in workshop.outcome(job).reason


def test_start__a_job__is_told_of_and_done(tmp_path: Path) -> None:
    heard: list[tuple[Job, Point]] = []
    workshop = Workshop(lambda job, point: heard.append((job, point)))
    job = digits_job(tmp_path, items=200, epochs=3, optimiser=ADAM)
    assert workshop.outcome(job).progress is Progress.IDLE
    workshop.start(job)
    workshop.start(job)
    until(lambda: workshop.outcome(job).progress is Progress.DONE)
    assert [point.epoch for _, point in heard] == [0, 1, 2]
    assert {job for job, _ in heard} == {job}


def test_stop__in_the_middle__leaves_no_process_and_goes_on_later(tmp_path: Path) -> None:
    workshop = Workshop(lambda job, point: None)
    job = digits_job(tmp_path, epochs=10_000, optimiser=ADAM)
    workshop.start(job)
    until(lambda: job.checkpoint is not None)
    workshop.stop(job)
    assert workshop.outcome(job).progress is Progress.IDLE
    assert not workers_of(tmp_path)
    left = job.checkpoint
    assert left is not None
    workshop.start(job)
    until(lambda: len(job.curve) > left.epochs)
    workshop.close()
    assert not workers_of(tmp_path)


def test_start__a_worker_that_is_killed__is_started_again_by_the_next_look(tmp_path: Path) -> None:
    workshop = Workshop(lambda job, point: None)
    job = digits_job(tmp_path, epochs=10_000, optimiser=ADAM)
    workshop.start(job)
    until(lambda: job.checkpoint is not None)
    (worker,) = workers_of(tmp_path)
    os.kill(worker, signal.SIGKILL)
    until(lambda: workshop.outcome(job).progress is Progress.IDLE)
    left = job.checkpoint
    assert left is not None
    workshop.start(job)
    until(lambda: len(job.curve) > left.epochs)
    workshop.close()
