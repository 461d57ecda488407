"""What is told of running trainings over a real Redis: listed and streamed by the API; lost with Redis, told again."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.client import AnhClient
from api.schemas import to_hex
from executor.trainer import herald
from executor.trainer.herald import Herald
from executor.trainer.service import jobs_of
from executor.trainer.workshop import Progress, Workshop
from executor.training.checkpoint import Point
from executor.training.job import PROGRESS_FILE, Job
from rollup.curves import KEPT_SECONDS, CurvePoint, Curves
from rollup.live import Live
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.redis_server import RedisServer
from tests.api.stage import Stage, serving
from tests.executor.trainer.test_workshop import ADAM, until
from tests.executor.training.jobs import digits_job
from tests.rollup.properties.examples import EXECUTOR, TRAINING
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
    with Herald(Curves(live), EXECUTOR) as teller:
        workshop = Workshop(teller.heard)
        yield workshop
        workshop.close()
    live.close()


def job_of(folder: Path, id_: TrainingId, **recipe: Any) -> Job:
    return digits_job(folder / id_.hex() / "job", **{"items": 200, "epochs": EPOCHS, "optimiser": ADAM, **recipe})


def done_job(folder: Path, id_: TrainingId) -> Job:
    """The news of one, which is all that is told of it."""
    job = Job(folder / id_.hex() / "job")
    job.folder.mkdir(parents=True)
    for epoch in range(EPOCHS):
        job.tell(Point(epoch, 1 / (epoch + 1), 0.5, 0.01))
    return job


def points_of(job: Job) -> list[CurvePoint]:
    return [CurvePoint(point.epoch, point.loss, point.score) for point in job.curve]


def forget(redis: RedisServer) -> None:
    """FLUSHALL: Redis is there, and has lost all."""
    with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"


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


def test_a_training_that_is_done__whose_redis_forgets_it__is_told_again_and_followed_to_its_end(
    tmp_path: Path, redis: RedisServer, curves: Curves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(herald, "AGAIN_SECONDS", 0.5)
    story = PropertyStory()
    stage = Stage(tmp_path, story=story, curves=curves)
    id_ = story.training()
    job = done_job(tmp_path, id_)
    heard: list[tuple[str, int]] = []
    with Herald(curves, EXECUTOR) as teller, serving(stage.app) as url:
        client = AnhClient(url, b"a" * 32)
        teller.heard(job, job.curve[-1])
        for state in client.follow_training(id_, 60):
            heard.append((state["status"], sum(len(curve["points"]) for curve in state["curves"])))
            if heard[-1] == ("requested", EPOCHS):
                forget(redis)
                until(lambda: curves.of(id_).get(EXECUTOR) == points_of(job))
                story.after(TRAINING.terms.open)
                story.ended(id_, TrainingStatus.CANCELLED)
        client.close()
    stage.journal.close()
    assert heard[-1] == ("cancelled", EPOCHS)


def test_a_training__whose_redis_is_gone__is_followed_to_its_end(
    tmp_path: Path, redis: RedisServer, curves: Curves
) -> None:
    """What becomes of it is on chain."""
    story = PropertyStory()
    stage = Stage(tmp_path, story=story, curves=curves)
    id_ = story.training()
    curves.tell(id_, EXECUTOR, CurvePoint(0, 0.5, None))
    heard: list[tuple[str, int]] = []
    with serving(stage.app) as url:
        client = AnhClient(url, b"a" * 32)
        for state in client.follow_training(id_, 60):
            if not heard:
                redis.stop()
                story.after(TRAINING.terms.open)
                story.ended(id_, TrainingStatus.CANCELLED)
            heard.append((state["status"], len(state["curves"])))
        client.close()
    stage.journal.close()
    assert heard == [("requested", 1), ("cancelled", 0)]


def test_a_job_of_before__is_told_to_a_redis_that_never_heard_of_it(
    tmp_path: Path, redis: RedisServer, curves: Curves
) -> None:
    """Its executor was started again when it was done."""
    id_ = TrainingId(b"t" * 32)
    job = done_job(tmp_path, id_)
    with Herald(curves, EXECUTOR, jobs_of(tmp_path)):
        until(lambda: curves.of(id_).get(EXECUTOR) == points_of(job))


def test_jobs__of_which_nobody_wants_to_be_told_any_more__are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "old" / "job"
    folder.mkdir(parents=True)
    (folder / PROGRESS_FILE).touch()
    assert jobs_of(tmp_path) == [Job(folder)]
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(folder / PROGRESS_FILE, (long_ago, long_ago))
    assert jobs_of(tmp_path) == []


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
