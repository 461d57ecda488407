"""A worker: takes jobs of one model as one batch, runs them, journals the outputs. Knows no queue and no chain.

It may die at any instruction: until an output is journalled the job is under a short lease, which ends when the signs
of life do, and its fencing token makes whatever a worker taken for dead still writes void.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from executor.models import LoadedModel, Models
from executor.orders import get_order, input_tensors
from executor.overflow import find_overflow, is_suspect
from rollup.blobs import Blobs
from rollup.codec import Domain
from rollup.errors import Conflict, NotFound, Retry, RollupError
from rollup.journal import Job, Jobs
from rollup.types import Model, ModelId, RequestId

# A worker that died is replaced after this long, and whatever wakes the next one.
LEASE_SECONDS = 7.0
LIFE_SIGNS_PER_LEASE = 4
MAX_STACK = 64
# Elements of all results of one stacked batch: 4 GiB of f32.
MAX_STACK_ELEMENTS = 2**30
_log = structlog.get_logger()


@dataclass(frozen=True)
class Tools:
    """What a worker works with. `record_of` gives what the registry holds of a model; `retains`: traces are kept."""

    jobs: Jobs
    blobs: Blobs
    models: Models
    domain: Domain
    record_of: Callable[[ModelId], Model]
    retains: bool = False


class Worker:
    """Runs jobs under `name` until there are none of the model that it was woken for."""

    def __init__(self, tools: Tools, name: str, clock: Callable[[], float] = time.time) -> None:
        self._tools, self._name, self._clock = tools, name, clock

    def execute(self, request_id: RequestId) -> int:
        """Runs the named job and all others of its model that wait; returns how many outputs it journalled.

        An id that the journal does not hold is somebody else's, or an old message's: nothing is done. Raises Retry
        errors, after handing the jobs back unharmed.
        """
        try:
            model = self._tools.jobs.read(request_id).model
        except NotFound:
            _log.info("worker.unknown_job", request=request_id.hex())
            return 0
        finished = 0
        while jobs := self._acquire(model):
            finished += self._run(jobs)
        return finished

    def _acquire(self, model: ModelId) -> list[Job]:
        """A batch to run together. A job that was lost before is run alone, so that it can only take itself down."""
        jobs = self._tools.jobs.acquire(model, MAX_STACK, self._name, LEASE_SECONDS, self._clock())
        suspect = next((job for job in jobs if job.attempts > 1), None)
        if suspect is None:
            return jobs
        for job in jobs:
            if job is not suspect:
                self._release(job)
        return [suspect]

    def _run(self, jobs: Sequence[Job]) -> int:
        with self._life_signs(jobs):
            try:
                loaded = self._tools.models.load(self._tools.record_of(jobs[0].model))
                return self._run_batch(loaded, jobs)
            except Retry:
                for job in jobs:
                    self._release(job)
                raise
            except Exception as error:
                # Whatever a stranger's model or input does to this process is the job's fault, and is journalled.
                for job in jobs:
                    self._fail(job, error)
                return 0

    def _run_batch(self, loaded: LoadedModel, jobs: Sequence[Job]) -> int:
        ready: list[tuple[Job, list[bytes]]] = []
        for job in jobs:
            try:
                ready.append((job, self._inputs(loaded, job)))
            except Retry:
                raise
            except RollupError as error:
                self._fail(job, error)
        finished = 0
        size = _stack_size(loaded)
        for start in range(0, len(ready), size):
            part = ready[start : start + size]
            requests = [inputs for _, inputs in part]
            if self._tools.retains:
                outputs = loaded.run_retaining(self._tools.blobs, requests)
            else:
                outputs = loaded.runner.run(requests)
            for (job, inputs), output in zip(part, outputs, strict=True):
                overflowing = find_overflow(loaded, inputs) if is_suspect(loaded, inputs, output) else None
                if overflowing is None:
                    finished += self._complete(job, output)
                else:
                    finished += self._complete(job, overflowing.store(self._tools.blobs), undefined=True)
        return finished

    def _inputs(self, loaded: LoadedModel, job: Job) -> list[bytes]:
        order = get_order(self._tools.blobs, job.request_id, self._tools.domain)
        return [tensor.data for tensor in input_tensors(self._tools.blobs, order, loaded.record.inputs)]

    def _complete(self, job: Job, output: bytes, undefined: bool = False) -> bool:
        return self._write(job, lambda: self._tools.jobs.complete(job.request_id, job.token, output, undefined))

    def _release(self, job: Job) -> None:
        self._write(job, lambda: self._tools.jobs.release(job.request_id, job.token))

    def _fail(self, job: Job, error: Exception) -> None:
        _log.warning("worker.failed", request=job.request_id.hex(), attempts=job.attempts, error=str(error))
        self._write(job, lambda: self._tools.jobs.fail(job.request_id, job.token, f"{type(error).__name__}: {error}"))

    def _write(self, job: Job, write: Callable[[], object]) -> bool:
        """Whether the journal took it; a stale token means that another worker has the job now."""
        try:
            write()
        except Conflict as error:
            _log.info("worker.fenced", request=job.request_id.hex(), error=str(error))
            return False
        return True

    @contextmanager
    def _life_signs(self, jobs: Sequence[Job]) -> Iterator[None]:
        """Extends the leases while the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._extend, args=(jobs, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _extend(self, jobs: Sequence[Job], over: threading.Event) -> None:
        while not over.wait(LEASE_SECONDS / LIFE_SIGNS_PER_LEASE):
            for job in jobs:
                try:
                    self._tools.jobs.extend(job.request_id, job.token, self._clock() + LEASE_SECONDS)
                except Conflict:
                    # Finished already, or another worker's: either way no lease of ours.
                    continue
                except Retry as error:
                    _log.warning("worker.no_life_sign", error=str(error))


def _stack_size(loaded: LoadedModel) -> int:
    """Requests that fit into one stacked run."""
    elements = sum(value.spec.elements for value in loaded.network.program.results)
    return max(1, min(MAX_STACK, MAX_STACK_ELEMENTS // elements))
