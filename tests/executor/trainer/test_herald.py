"""What is told of running trainings over a real Redis: listed and streamed by the API; lost with Redis, told again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.client import AnhClient
from api.schemas import to_hex
from executor.trainer.herald import Herald
from executor.trainer.workshop import Progress, Workshop
from executor.training.job import Job
from rollup.curves import CurvePoint, Curves
from rollup.live import Live
from rollup.properties.types import TrainingId
from rollup.redis_server import RedisServer
from tests.api.stage import Stage, serving
from tests.executor.trainer.test_workshop import ADAM, until
from tests.executor.training.jobs import digits_job
from tests.rollup.properties.examples import EXECUTOR
from tests.rollup.properties.story import PropertyStory

EPOCHS = 12


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a network is several times slower on two threads than on one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def curves(redis: RedisServer) -> Iterator[Curves]:
    """As whoever looks has them."""
    live = Live(redis.url)
    yield Curves(live)
    live.close()


@contextmanager
def working(redis: RedisServer) -> Iterator[Workshop]:
    """A workshop as a trainer has it."""
    live = Live(redis.url)
    with Herald(Curves(live), EXECUTOR) as herald:
        workshop = Workshop(herald.heard)
        yield workshop
        workshop.close()
    live.close()


def job_of(folder: Path, id_: TrainingId, **recipe: Any) -> Job:
    return digits_job(folder / id_.hex() / "job", **{"items": 200, "epochs": EPOCHS, "optimiser": ADAM, **recipe})


def points_of(job: Job) -> list[CurvePoint]:
    return [CurvePoint(point.epoch, point.loss, point.score) for point in job.curve]


def test_a_running_training__is_listed_and_streamed_by_the_api(tmp_path: Path, redis: RedisServer) -> None:
    story, live, stop = PropertyStory(), Live(redis.url), threading.Event()
    stage = Stage(tmp_path, story=story, curves=Curves(live))
    listener = threading.Thread(target=live.listen, args=(lambda *_: stage.window.changes.announce(), stop))
    listener.start()
    id_ = story.training()
    job = job_of(tmp_path, id_)
    heard: list[int] = []
    with working(redis) as workshop, serving(stage.app) as url:
        client = AnhClient(url, b"a" * 32)
        workshop.start(job)
        for state in client.follow_training(id_, 60):
            heard.append(sum(len(curve["points"]) for curve in state["curves"]))
            if heard[-1] == EPOCHS:
                break
        (curve,) = client.training(id_)["curves"]
        client.close()
    stop.set()
    listener.join()
    live.close()
    stage.journal.close()
    assert heard == sorted(set(heard))
    assert len(heard) > 2
    assert curve["executor"] == to_hex(EXECUTOR)
    told = [(point["epoch"], point["loss"], point["score"]) for point in curve["points"]]
    assert told == [(point.epoch, point.loss, point.score) for point in job.curve]


def test_a_training__whose_redis_is_killed__goes_on_and_is_told_whole_when_it_is_back(
    tmp_path: Path, redis: RedisServer, curves: Curves
) -> None:
    id_ = TrainingId(b"t" * 32)
    job = job_of(tmp_path, id_, epochs=10_000)
    with working(redis) as workshop:
        workshop.start(job)
        until(lambda: len(curves.of(id_).get(EXECUTOR, ())) > 2)
        redis.stop()
        before = len(job.curve)
        until(lambda: len(job.curve) > before + 5)
        assert workshop.outcome(job).progress is Progress.RUNNING
        # It kept nothing: what it had been told is told again.
        redis.start()
        until(lambda: len(curves.of(id_).get(EXECUTOR, ())) > before + 5)
        workshop.stop(job)
        until(lambda: curves.of(id_).get(EXECUTOR) == points_of(job))
    assert [point.epoch for point in points_of(job)] == list(range(len(job.curve)))


def test_a_training__whose_redis_hangs__is_stopped_at_once(tmp_path: Path, redis: RedisServer) -> None:
    job = job_of(tmp_path, TrainingId(b"t" * 32), epochs=10_000)
    assert redis.pid is not None
    with working(redis) as workshop:
        workshop.start(job)
        until(lambda: len(job.curve) > 1)
        os.kill(redis.pid, signal.SIGSTOP)
        until(lambda: len(job.curve) > 20)
        began = time.monotonic()
        workshop.stop(job)
        assert time.monotonic() - began < 5
        os.kill(redis.pid, signal.SIGCONT)


def test_a_lost_run__that_is_done_again__is_told_as_it_is_now(
    tmp_path: Path, redis: RedisServer, curves: Curves
) -> None:
    id_ = TrainingId(b"t" * 32)
    job = job_of(tmp_path, id_, epochs=3)
    curves.tell(id_, EXECUTOR, CurvePoint(1, 99.0, None))
    with working(redis) as workshop:
        workshop.start(job)
        until(lambda: workshop.outcome(job).progress is Progress.DONE)
        until(lambda: curves.of(id_)[EXECUTOR] == points_of(job))
