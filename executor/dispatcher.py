"""The dispatcher: leases what may be claimed, puts it into the journal, and wakes workers for whatever is undone.

The queue may have lost everything and a worker may be dead: both show in the journal alone, and are mended within
seconds by waking somebody again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from executor.actor import Deeds, Office
from executor.orders import Order, put_order
from executor.purse import LeaseTerms, Purse
from rollup.chain.claims import Claims
from rollup.chain.sender import Intent
from rollup.errors import NotFound, Retry, RollupError
from rollup.journal import Jobs, JobStatus
from rollup.reconciler import Group, free_groups, groups_of, held_groups, plan_jobs
from rollup.types import ModelId, RequestId
from rollup.view import OrderedRequest

# Whoever was woken has this long to take a job before another message goes out; doubled while nobody comes.
WAKE_SECONDS = 0.5
MAX_WAKE_SECONDS = 2.0
# One message makes a worker take all jobs of its model; a few more let other workers help.
MESSAGES_PER_MODEL = 4
JOBS_AT_ONCE = 4096
_log = structlog.get_logger()

Wake = Callable[[RequestId], None]


class Dispatcher:
    """One step looks at the chain and the journal, and does what is missing."""

    def __init__(self, office: Office, wake: Wake) -> None:
        self._office = office
        self._deeds = Deeds(office.daemon)
        self._claims = Claims(office.daemon.settings.deployment)
        self._terms = LeaseTerms(office.daemon.settings.deployment)
        self._alarm = Alarm(office.journal.jobs, wake)
        self._unserved: set[ModelId] = set()

    def step(self) -> None:
        with self._office.reading() as view:
            groups = groups_of(view, self._office.address, view.now)
            is_open = set(view.state.open_requests)
        self._journal(held_groups(groups, self._office.address), is_open)
        self._alarm.ring(time.time())
        if self._deeds.are_seen():
            self._lease([group for group in free_groups(groups) if self._can_serve(group)])

    def _lease(self, groups: Sequence[Group]) -> None:
        if not groups:
            return
        client, deployment = self._office.daemon.client, self._office.daemon.settings.deployment
        at = client.at(client.head())
        purse, deposit = Purse(deployment, at, self._office.address), self._terms.deposit_wei(at)
        self._deeds.send([self._intent(group, purse.take(deposit * len(group.requests))) for group in groups])

    def _intent(self, group: Group, value_wei: int) -> Intent:
        return self._claims.lease(group.batch.batch, group.scope, group.turn, value_wei)

    def _journal(self, held: Sequence[Group], is_open: set[RequestId]) -> None:
        """Orders first, then jobs: what a worker finds in the journal can be run."""
        jobs = self._office.journal.jobs
        statuses = statuses_of(jobs, held)
        done = [job.request_id for job in jobs.find(JobStatus.DONE, JOBS_AT_ONCE)]
        plan = plan_jobs(held, statuses, done, is_open)
        new = {work.request_id for work in plan.add}
        for request in (request for group in held for request in group.requests if request.id in new):
            put_order(self._office.blobs, request.id, Order(request.request, request.inputs))
        if plan.add:
            jobs.add(plan.add)
        if plan.reopen:
            jobs.reopen(plan.reopen)
        if plan.claimed:
            jobs.mark_claimed(plan.claimed)

    def _can_serve(self, group: Group) -> bool:
        """Whether model and inputs are here: a lease that cannot be used loses its deposit."""
        model = group.batch.batch.model
        if not self._has_model(model):
            return False
        return all(self._has_inputs(request) for request in group.requests)

    def _has_inputs(self, request: OrderedRequest) -> bool:
        return bool(request.inputs) or self._office.blobs.exists(request.request.inputs_root)

    def _has_model(self, model: ModelId) -> bool:
        with self._office.reading() as view:
            record = view.model(model)
        try:
            self._office.models.load(record)
        except NotFound:
            # Its blobs may still come: not remembered.
            return False
        except Retry:
            raise
        except RollupError as error:
            if model not in self._unserved:
                _log.warning("executor.model_not_served", model=model.hex(), error=str(error))
            self._unserved.add(model)
            return False
        return True


def statuses_of(jobs: Jobs, groups: Sequence[Group]) -> dict[RequestId, JobStatus]:
    """Statuses of the jobs of these requests; no entry where there is no job."""
    return jobs.statuses([request.id for group in groups for request in group.requests])


class Alarm:
    """Wakes workers for jobs that nobody works on, and again while nobody comes."""

    def __init__(self, jobs: Jobs, wake: Wake) -> None:
        self._jobs, self._wake = jobs, wake
        # Per model: when to send again, and how long to wait after that.
        self._due: dict[ModelId, tuple[float, float]] = {}

    def ring(self, now: float) -> None:
        """`now`: seconds since the epoch. Raises Unavailable while the queue is away; nothing is lost by it."""
        waiting: dict[ModelId, list[RequestId]] = {}
        for job in self._jobs.find_free(now, JOBS_AT_ONCE):
            waiting.setdefault(job.model, []).append(job.request_id)
        self._due = {model: due for model, due in self._due.items() if model in waiting}
        for model, requests in waiting.items():
            at, pause = self._due.get(model, (now, WAKE_SECONDS))
            if now < at:
                continue
            self._due[model] = (now + pause, min(2 * pause, MAX_WAKE_SECONDS))
            for request in requests[:MESSAGES_PER_MODEL]:
                self._wake(request)
