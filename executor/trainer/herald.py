"""Tells how running jobs get on, over a Redis that may vanish at any time, and holds no job up.

What there is to tell lies in the jobs' folders, and what was told lies in Redis: so nothing is remembered here but
which jobs there are, and a Redis that comes back empty is told everything again, of jobs that are done too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from executor.training.checkpoint import Point
from executor.training.job import Job
from rollup.curves import MAX_POINTS, CurvePoint, Curves
from rollup.properties.types import TrainingId
from rollup.types import Address

# Between two looks at jobs with news, so that epochs of milliseconds are told together.
PAUSE_SECONDS = 0.3
# The same while Redis is away.
RETRY_SECONDS = 2.0
# Between two looks at jobs without news: Redis may have lost what it was told of them.
AGAIN_SECONDS = 10.0
# For the last news, when all else has stopped.
CLOSE_SECONDS = 3.0


class Herald:
    """A context: a thread of its own tells until it is left. `executor`: whose curves these are. `jobs`: of before."""

    def __init__(self, curves: Curves, executor: Address, jobs: Iterable[Job] = ()) -> None:
        self._curves, self._executor = curves, executor
        self._lock = threading.Lock()
        self._known: dict[Job, None] = dict.fromkeys(jobs)
        self._due = dict(self._known)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)

    def heard(self, job: Job, _: Point) -> None:
        """A job has news. Returns at once, whatever Redis does."""
        with self._lock:
            self._known[job] = self._due[job] = None

    def __enter__(self) -> Herald:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Tells what is left to tell, once; a Redis that does not answer is not waited for."""
        self._stop.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        pause, again = PAUSE_SECONDS, time.monotonic() + AGAIN_SECONDS
        while not self._stop.wait(pause):
            if time.monotonic() >= again:
                again = time.monotonic() + AGAIN_SECONDS
                with self._lock:
                    self._due |= self._known
            pause = PAUSE_SECONDS if self._tell_all() else RETRY_SECONDS
        self._tell_all()

    def _tell_all(self) -> bool:
        """Whether all could be told; jobs of which not are due again at the next look."""
        with self._lock:
            due, self._due = self._due, {}
        failed = {job: None for job in due if not self._tell(job)}
        with self._lock:
            self._due |= failed
        return not failed

    def _tell(self, job: Job) -> bool:
        """Tells what is missing of a curve, or is told otherwise since a lost run was done again; whether all went."""
        id_ = TrainingId(bytes.fromhex(job.folder.parent.name))
        told = set(self._curves.of(id_).get(self._executor, ()))
        points = [CurvePoint(point.epoch, point.loss, point.score) for point in job.curve[-MAX_POINTS:]]
        return all(self._curves.tell(id_, self._executor, point) for point in points if point not in told)
