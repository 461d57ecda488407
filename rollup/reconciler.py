"""Journal against chain: what an executor should lease, run, claim or put back. Pure: it decides, others act.

Everything follows from the view, the jobs' states and the chain's time, so after any crash the same decisions come out
again. Knows nothing of models, queues or money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollup.journal import JobStatus, Work
from rollup.types import Address, Certainty, RequestId
from rollup.view import HeldLease, OrderedBatch, OrderedRequest, View

_FALLEN = (Certainty.REFUTED, Certainty.REJECTED)
_UNFINISHED = (None, JobStatus.QUEUED, JobStatus.WORKING)


@dataclass(frozen=True)
class Group:
    """Open requests that one lease covers: a batch (scope 0), or one reopened request (scope index + 1).

    `lease`: who holds it now. `turn` tells this need of a lease from earlier ones on the same group.
    """

    batch: OrderedBatch
    scope: int
    lease: HeldLease | None
    turn: str
    requests: tuple[OrderedRequest, ...]


@dataclass(frozen=True)
class JobPlan:
    """Jobs to add, jobs whose claims are gone, and jobs that nothing more can come of."""

    add: tuple[Work, ...]
    reopen: tuple[RequestId, ...]
    claimed: tuple[RequestId, ...]


@dataclass(frozen=True)
class ClaimPlan:
    """Requests of one lease to be claimed in one call, in order of index."""

    group: Group
    requests: tuple[OrderedRequest, ...]

    @property
    def first(self) -> int:
        return self.requests[0].index

    @property
    def count(self) -> int:
        return self.requests[-1].index - self.first + 1

    @property
    def attempts(self) -> int:
        """Fallen claims that the bond has to answer for."""
        return max(request.refutations for request in self.requests)


Statuses = Mapping[RequestId, JobStatus]


def groups_of(view: View, executor: Address, now: int) -> list[Group]:
    """All requests that `executor` may claim at `now` (seconds of the chain), by lease, oldest first."""
    found: dict[tuple[bytes, int], list[OrderedRequest]] = {}
    for request in view.open_requests(now, executor=executor):
        if not _fell_here(view, request, executor):
            found.setdefault((request.batch, request.scope), []).append(request)
    return [_group(view, requests, now) for requests in found.values()]


def _fell_here(view: View, request: OrderedRequest, executor: Address) -> bool:
    """Whether a claim of this executor fell: answering the same again would only lose another bond."""
    claims = (view.claim(id_) for id_ in request.claims)
    return any(claim.executor == executor and claim.certainty in _FALLEN for claim in claims)


def _group(view: View, requests: Sequence[OrderedRequest], now: int) -> Group:
    first = requests[0]
    last = view.state.leases.get((first.batch, first.scope))
    ordered = tuple(sorted(requests, key=lambda request: request.index))
    turn = str(last.until if last else 0)
    return Group(view.batch_of(first), first.scope, view.lease_on(first, now), turn, ordered)


def free_groups(groups: Sequence[Group]) -> list[Group]:
    """Groups that nobody has leased."""
    return [group for group in groups if group.lease is None]


def held_groups(groups: Sequence[Group], executor: Address) -> list[Group]:
    """Groups that `executor` has leased."""
    return [group for group in groups if group.lease is not None and group.lease.lessee == executor]


def plan_jobs(held: Sequence[Group], statuses: Statuses, done: Sequence[RequestId], is_open: set[RequestId]) -> JobPlan:
    """`statuses`: of the jobs of held requests. `done`: finished, unclaimed jobs. `is_open`: all open requests."""
    requests = [request for group in held for request in group.requests]
    return JobPlan(
        add=tuple(
            Work(request.id, request.request.model, request.number)
            for request in requests
            if statuses.get(request.id) is None
        ),
        reopen=tuple(request.id for request in requests if statuses.get(request.id) is JobStatus.CLAIMED),
        claimed=tuple(id_ for id_ in done if id_ not in is_open),
    )


def claims_due(held: Sequence[Group], statuses: Statuses, now: int, hurry_seconds: int) -> list[ClaimPlan]:
    """What to claim at `now`: a lease whose jobs are all finished, or one that ends within `hurry_seconds`.

    Quarantined jobs are not waited for.
    """
    plans = []
    for group in held:
        ready = tuple(request for request in group.requests if statuses.get(request.id) is JobStatus.DONE)
        waiting = any(statuses.get(request.id) in _UNFINISHED for request in group.requests)
        ends = group.lease is not None and group.lease.until - now <= hurry_seconds
        if ready and (ends or not waiting):
            plans.append(ClaimPlan(group, ready))
    return plans
