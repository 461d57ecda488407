"""Runs training jobs one after another, each in processes of its own, while the chain is watched by others.

A job's folder is all that it leaves: killed or stopped, it goes on where it stood. Knows nothing of the chain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import structlog

from executor.training.checkpoint import Point
from executor.training.job import Job
from rollup.errors import NotYet, Refused, Retry

Heard = Callable[[Job, Point], None]
_log = structlog.get_logger()


class Progress(Enum):
    """How far a job has come in this process."""

    IDLE = "nobody works on it"
    RUNNING = "it is being worked on, or waits for another one"
    DONE = "its checkpoint is the result"
    REFUSED = "it can never run"


@dataclass(frozen=True)
class Outcome:
    """`reason`: why it was refused."""

    progress: Progress
    reason: str = ""


class Workshop:
    """`at_once` jobs side by side; `heard` gets every point of every curve, in some thread."""

    def __init__(self, heard: Heard, at_once: int = 1) -> None:
        self._heard = heard
        self._seats = threading.Semaphore(at_once)
        self._stops: dict[Path, threading.Event] = {}
        self._outcomes: dict[Path, Outcome] = {}
        self._threads: dict[Path, threading.Thread] = {}

    def start(self, job: Job) -> None:
        """Works on a job unless somebody does."""
        if self.outcome(job).progress is Progress.RUNNING:
            return
        self._stops[job.folder] = threading.Event()
        self._outcomes[job.folder] = Outcome(Progress.RUNNING)
        # A daemon thread: its worker ends with this process, and the job goes on with the next one.
        thread = threading.Thread(target=self._work, args=(job, self._stops[job.folder]), daemon=True)
        self._threads[job.folder] = thread
        thread.start()

    def outcome(self, job: Job) -> Outcome:
        return self._outcomes.get(job.folder, Outcome(Progress.IDLE))

    def stop(self, job: Job) -> None:
        """Ends the work on a job, wherever it stands; returns when its processes are gone."""
        if job.folder in self._stops:
            self._stops[job.folder].set()
            self._threads[job.folder].join()

    def close(self) -> None:
        """Stops everything."""
        for folder in list(self._stops):
            self.stop(Job(folder))

    def _work(self, job: Job, stop: threading.Event) -> None:
        while not self._seats.acquire(timeout=0.2):
            if stop.is_set():
                self._outcomes[job.folder] = Outcome(Progress.IDLE)
                return
        try:
            self._outcomes[job.folder] = self._train(job, stop)
        finally:
            self._seats.release()

    def _train(self, job: Job, stop: threading.Event) -> Outcome:
        try:
            job.train(lambda point: self._heard(job, point), stop)
        except NotYet:
            return Outcome(Progress.IDLE)
        except Retry as error:
            # A worker that was lost: the next look starts it again, from its checkpoint.
            _log.warning("trainer.worker_lost", job=job.folder.parent.name, error=str(error))
            return Outcome(Progress.IDLE)
        except Refused as error:
            return Outcome(Progress.REFUSED, str(error))
        return Outcome(Progress.DONE)
