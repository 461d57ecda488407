"""Jobs of executors: one per request, worked on under a lease with a fencing token.

A worker that was taken for dead may still be running; its token is then stale and its result refused. Tokens rise over
the whole journal. Attempts are counted when a job is taken, so that a job which kills its worker is counted too; after
`max_attempts` it is quarantined. Knows nothing of models, of the queue or of the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_, select

from rollup.errors import Conflict, NotFound
from rollup.journal.database import Database
from rollup.journal.tables import jobs
from rollup.types import ModelId, RequestId

MAX_ATTEMPTS = 5
_TOKENS = "job tokens"
_ERROR_CHARACTERS = 1024
# SQLite takes some hundred variables at least.
_IDS_PER_QUERY = 500


class JobStatus(StrEnum):
    """QUEUED → WORKING → DONE → CLAIMED; a failed or expired WORKING is taken again, until QUARANTINED."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    CLAIMED = "claimed"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class Work:
    """What there is to do. Jobs of a model are taken in order of `place`, whose meaning is the caller's."""

    request_id: RequestId
    model: ModelId
    place: int = 0


@dataclass(frozen=True)
class Job:
    """One job as journalled. `output` is the canonical bytes of the output tensor, once DONE; if `undefined`, the
    entry of a claim that names the overflow.

    `token` is the fencing token of the last lease, zero before the first. `lease_until`: seconds since the epoch.
    """

    request_id: RequestId
    model: ModelId
    place: int
    status: JobStatus
    worker: str | None
    token: int
    lease_until: float
    attempts: int
    output: bytes | None
    undefined: bool
    error: str | None


class Jobs:
    """The executor's side of the journal. Every method raises Unavailable if the journal does not answer."""

    def __init__(self, database: Database, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._database = database
        self._max_attempts = max_attempts

    def add(self, works: Sequence[Work]) -> list[RequestId]:
        """Adds what is not there yet; returns the ids of what was added."""
        with self._database.write() as connection:
            return [work.request_id for work in works if self._database.insert_missing(connection, jobs, _row(work))]

    def acquire(self, model: ModelId, limit: int, worker: str, lease_seconds: float, now: float) -> list[Job]:
        """Takes up to `limit` jobs of a model that are queued or whose lease is over, in order of place.

        Jobs that were taken too often are quarantined instead. Two callers never get the same job at one time.
        """
        free = and_(jobs.c.model == model, _is_free(now))
        with self._database.write() as connection:
            worn = and_(free, jobs.c.attempts >= self._max_attempts)
            connection.execute(jobs.update().where(worn).values(status=JobStatus.QUARANTINED))
            chosen = select(jobs).where(free).order_by(jobs.c.place, jobs.c.request_id).limit(limit)
            taken = []
            for row in connection.execute(chosen.with_for_update(skip_locked=True)).all():
                lease = {
                    "status": JobStatus.WORKING,
                    "worker": worker,
                    "token": self._database.next_value(connection, _TOKENS),
                    "lease_until": now + lease_seconds,
                    "attempts": row.attempts + 1,
                }
                connection.execute(jobs.update().where(jobs.c.request_id == row.request_id).values(lease))
                taken.append(_job({**row._mapping, **lease}))
        return taken

    def extend(self, request_id: RequestId, token: int, lease_until: float) -> None:
        """A sign of life of the worker. Raises Conflict if the token is stale."""
        self._change(request_id, token, {"lease_until": lease_until})

    def complete(self, request_id: RequestId, token: int, output: bytes, undefined: bool = False) -> None:
        """Journals the output, or what overflows in its place. Raises Conflict if the token is stale."""
        values = {"status": JobStatus.DONE, "output": output, "undefined": undefined, "error": None}
        self._change(request_id, token, values)

    def fail(self, request_id: RequestId, token: int, error: str) -> JobStatus:
        """Gives a job back after an error; returns QUEUED or QUARANTINED. Raises Conflict if the token is stale."""
        attempts = self.read(request_id).attempts
        status = JobStatus.QUARANTINED if attempts >= self._max_attempts else JobStatus.QUEUED
        self._change(request_id, token, {"status": status, "error": error[:_ERROR_CHARACTERS]})
        return status

    def release(self, request_id: RequestId, token: int) -> None:
        """Hands a job over unharmed, as on SIGTERM: the attempt is not counted. Raises Conflict if stale."""
        self._change(request_id, token, {"status": JobStatus.QUEUED, "attempts": jobs.c.attempts - 1})

    def mark_claimed(self, request_ids: Sequence[RequestId]) -> None:
        """The outputs are on chain."""
        self._move(request_ids, JobStatus.DONE, JobStatus.CLAIMED)

    def reopen(self, request_ids: Sequence[RequestId]) -> None:
        """The claims are gone (a reorg, a refutation): the outputs may be claimed again."""
        self._move(request_ids, JobStatus.CLAIMED, JobStatus.DONE)

    def read(self, request_id: RequestId) -> Job:
        """Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.request_id == request_id)).one_or_none()
        if row is None:
            raise NotFound(f"no job for request 0x{request_id.hex()}")
        return _job(row._mapping)

    def statuses(self, request_ids: Sequence[RequestId]) -> dict[RequestId, JobStatus]:
        """Statuses of those of the requests that have a job."""
        found: dict[RequestId, JobStatus] = {}
        with self._database.read() as connection:
            for start in range(0, len(request_ids), _IDS_PER_QUERY):
                chosen = jobs.c.request_id.in_(request_ids[start : start + _IDS_PER_QUERY])
                rows = connection.execute(select(jobs.c.request_id, jobs.c.status).where(chosen))
                found |= {RequestId(id_): JobStatus(status) for id_, status in rows}
        return found

    def find(self, status: JobStatus, limit: int, model: ModelId | None = None) -> list[Job]:
        """Jobs of one status, in order of place."""
        query = select(jobs).where(jobs.c.status == status).order_by(jobs.c.place, jobs.c.request_id).limit(limit)
        if model is not None:
            query = query.where(jobs.c.model == model)
        with self._database.read() as connection:
            return [_job(row._mapping) for row in connection.execute(query)]

    def find_free(self, now: float, limit: int) -> list[Job]:
        """Jobs that somebody should be woken for: queued, or with an expired lease."""
        query = select(jobs).where(_is_free(now)).order_by(jobs.c.place, jobs.c.request_id).limit(limit)
        with self._database.read() as connection:
            return [_job(row._mapping) for row in connection.execute(query)]

    def count(self) -> dict[JobStatus, int]:
        query = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        with self._database.read() as connection:
            return {JobStatus(status): count for status, count in connection.execute(query)}

    def _change(self, request_id: RequestId, token: int, values: dict[str, Any]) -> None:
        held = and_(jobs.c.request_id == request_id, jobs.c.token == token, jobs.c.status == JobStatus.WORKING)
        with self._database.write() as connection:
            changed = connection.execute(jobs.update().where(held).values(values)).rowcount
        if not changed:
            job = self.read(request_id)
            raise Conflict(
                f"job 0x{request_id.hex()} is {job.status} under token {job.token}, and token {token} is stale"
            )

    def _move(self, request_ids: Sequence[RequestId], before: JobStatus, after: JobStatus) -> None:
        chosen = and_(jobs.c.request_id.in_(request_ids), jobs.c.status == before)
        with self._database.write() as connection:
            connection.execute(jobs.update().where(chosen).values(status=after))


def _is_free(now: float) -> Any:
    expired = and_(jobs.c.status == JobStatus.WORKING, jobs.c.lease_until <= now)
    return or_(jobs.c.status == JobStatus.QUEUED, expired)


def _row(work: Work) -> dict[str, Any]:
    return {
        "request_id": work.request_id,
        "model": work.model,
        "place": work.place,
        "status": JobStatus.QUEUED,
        "token": 0,
        "lease_until": 0.0,
        "attempts": 0,
        "undefined": False,
    }


def _job(row: Any) -> Job:
    return Job(**{**row, "status": JobStatus(row["status"])})
