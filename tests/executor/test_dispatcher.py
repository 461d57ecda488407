"""The alarm: somebody is woken for every free job, again while nobody comes, and never in floods."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from executor.dispatcher import MAX_WAKE_SECONDS, MESSAGES_PER_MODEL, WAKE_SECONDS, Alarm
from rollup.errors import Unavailable
from rollup.journal import Jobs, Work, open_journal
from rollup.types import ModelId, RequestId

MODELS = ModelId(b"a" * 32), ModelId(b"b" * 32)
NOW = 1000.0


class Bell:
    """An alarm over a real journal, and what it rang for."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.woken: list[RequestId] = []
        self.alarm = Alarm(jobs, self.woken.append)

    def add(self, model: int, count: int) -> list[RequestId]:
        ids = [RequestId(bytes([model, number]) * 16) for number in range(count)]
        self.jobs.add([Work(id_, MODELS[model], place) for place, id_ in enumerate(ids)])
        return ids

    def ring(self, now: float) -> list[RequestId]:
        self.woken.clear()
        self.alarm.ring(now)
        return list(self.woken)


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    return Bell(open_journal(tmp_path / "journal.db").jobs)


def test_without_free_jobs__nobody_is_woken(bell: Bell) -> None:
    ids = bell.add(0, 1)
    bell.jobs.acquire(MODELS[0], 1, "w", 7, NOW)
    assert bell.ring(NOW) == []
    assert bell.ring(NOW + 7) == ids


def test_each_model__gets_a_few_messages_at_once(bell: Bell) -> None:
    first, second = bell.add(0, 100), bell.add(1, 1)
    assert sorted(bell.ring(NOW)) == sorted([*first[:MESSAGES_PER_MODEL], *second])


def test_while_nobody_comes__messages_are_repeated_ever_less_often(bell: Bell) -> None:
    bell.add(0, 1)
    rings = [tick / 10 for tick in range(100) if bell.ring(NOW + tick / 10)]
    gaps = [after - before for before, after in pairwise(rings)]
    assert rings[0] == 0
    assert gaps[0] == pytest.approx(WAKE_SECONDS)
    assert max(gaps) <= MAX_WAKE_SECONDS + 0.1
    assert gaps == sorted(gaps)
    assert len(rings) < 10


def test_a_queue_that_is_away__is_tried_again_soon(bell: Bell) -> None:
    ids = bell.add(0, 1)

    def away(_: RequestId) -> None:
        raise Unavailable("redis")

    alarm = Alarm(bell.jobs, away)
    for now in (NOW, NOW + WAKE_SECONDS):
        with pytest.raises(Unavailable):
            alarm.ring(now)
    assert bell.ring(NOW) == ids
