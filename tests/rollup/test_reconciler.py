"""The reconciler's decisions, from a view and jobs in every state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollup.codec import Domain
from rollup.journal import JobStatus
from rollup.reconciler import ClaimPlan, Group, claims_due, free_groups, groups_of, held_groups, plan_jobs
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    Certainty,
    ClaimBatchId,
    ClaimId,
    EmptyReason,
    ModelId,
    Request,
    RequestBatch,
    RequestBatchId,
    RequestId,
)
from rollup.view import HeldLease, MadeClaim, OrderedBatch, OrderedRequest, View

ME, OTHER = Address(b"m" * 20), Address(b"o" * 20)
MODEL = ModelId(b"M" * 32)
NOW, DEADLINE = 1_000, 5_000
BATCH = RequestBatchId(b"B" * 32)


def id_of(index: int) -> RequestId:
    return RequestId(bytes([index]) * 32)


def ordered(index: int, **changes: object) -> OrderedRequest:
    request = Request(
        OTHER, index, 0, MODEL, BundleRoot(ZERO_WORD), ZERO_WORD, ZERO_WORD, 1, 0, 0, DEADLINE, ZERO_ADDRESS, 0
    )
    fields = {"number": 100 + index, "inputs": b"i", "ordered_at": 0, "deadline": DEADLINE, **changes}
    return OrderedRequest(id_of(index), BATCH, index, 1, request=request, **fields)  # type: ignore[arg-type]


def view_of(requests: Sequence[OrderedRequest], lessee: Address | None = None, until: int = NOW + 60) -> View:
    """A batch of four, of which `requests` are open, perhaps leased."""
    view = View(Domain(1, OTHER, OTHER))
    batch = RequestBatch(1, 100, 4, ZERO_WORD, MODEL, 1, 0, 0, DEADLINE, False)
    ids = tuple(id_of(index) for index in range(4))
    view.state.request_batches[BATCH] = OrderedBatch(BATCH, batch, ids, (EmptyReason.NONE,) * 4)
    for request in requests:
        view.state.requests[request.id] = request
        view.state.open_requests[request.id] = None
        if lessee is not None:
            view.state.leases[BATCH, request.scope] = HeldLease(BATCH, request.scope, lessee, until, 1)
    return view


def claim(index: int, executor: Address, certainty: Certainty) -> MadeClaim:
    id_ = ClaimId(bytes([200 + index]) * 32)
    batch = ClaimBatchId(ZERO_WORD)
    return MadeClaim(id_, batch, index, id_of(index), executor, b"", False, False, 1, NOW, NOW + 1, certainty)


def held(view: View, now: int = NOW) -> list[Group]:
    return held_groups(groups_of(view, ME, now), ME)


def test_another_executors_lease__is_neither_free_nor_held() -> None:
    groups = groups_of(view_of([ordered(0)], OTHER), ME, NOW)
    assert free_groups(groups) == []
    assert held_groups(groups, ME) == []


def test_an_expired_lease__frees_its_requests_for_another_turn() -> None:
    view = view_of([ordered(0)], OTHER, until=NOW)
    (before,) = groups_of(view, ME, NOW - 1)
    (group,) = free_groups(groups_of(view, ME, NOW))
    assert before.lease is not None
    assert group.turn == str(NOW)


def test_requests_after_their_deadline__are_nobodys() -> None:
    assert groups_of(view_of([ordered(0)]), ME, DEADLINE) == []


def test_a_request_whose_claim_of_mine_fell__is_left_to_others() -> None:
    request = ordered(1, claims=(ClaimId(bytes([201]) * 32),), refutations=1)
    for certainty in (Certainty.REFUTED, Certainty.REJECTED):
        view = view_of([request])
        made = claim(1, ME, certainty)
        view.state.claims[made.id] = made
        assert groups_of(view, ME, NOW) == []
        assert len(groups_of(view, OTHER, NOW)) == 1


def test_a_reopened_request__is_a_group_of_its_own() -> None:
    groups = free_groups(groups_of(view_of([ordered(0), ordered(2), ordered(1, refutations=1)]), ME, NOW))
    assert [(group.scope, [request.index for request in group.requests]) for group in groups] == [(0, [0, 2]), (2, [1])]


def test_jobs__are_added_once_and_only_for_held_requests() -> None:
    view = view_of([ordered(0), ordered(1)], ME)
    plan = plan_jobs(held(view), {id_of(0): JobStatus.WORKING}, [], set(view.state.open_requests))
    assert [(work.request_id, work.model, work.place) for work in plan.add] == [(id_of(1), MODEL, 101)]
    assert plan_jobs([], {}, [], set()).add == ()


def test_a_claim_that_a_reorg_removed__is_made_again() -> None:
    view = view_of([ordered(0)], ME)
    plan = plan_jobs(held(view), {id_of(0): JobStatus.CLAIMED}, [], set(view.state.open_requests))
    assert plan.reopen == (id_of(0),)


def test_a_finished_job_whose_request_is_not_open__is_over() -> None:
    plan = plan_jobs([], {}, [id_of(0), id_of(1)], {id_of(1)})
    assert plan.claimed == (id_of(0),)


def due(statuses: dict[int, JobStatus], now: int = NOW, hurry: int = 5) -> list[ClaimPlan]:
    view = view_of([ordered(index) for index in statuses], ME, until=NOW + 60)
    return claims_due(held(view, now), {id_of(index): status for index, status in statuses.items()}, now, hurry)


@pytest.mark.parametrize("unfinished", [JobStatus.QUEUED, JobStatus.WORKING])
def test_a_lease_with_unfinished_jobs__waits_until_it_ends(unfinished: JobStatus) -> None:
    statuses = {0: JobStatus.DONE, 1: unfinished}
    assert due(statuses) == []
    assert due(statuses, NOW + 54) == []
    (plan,) = due(statuses, NOW + 55)
    assert [request.index for request in plan.requests] == [0]


def test_a_job_that_is_not_there_yet__is_waited_for() -> None:
    view = view_of([ordered(0), ordered(1)], ME)
    assert claims_due(held(view), {id_of(0): JobStatus.DONE}, NOW, 5) == []


def test_a_finished_lease__is_claimed_without_what_is_quarantined() -> None:
    (plan,) = due({0: JobStatus.QUARANTINED, 1: JobStatus.DONE, 3: JobStatus.DONE})
    assert (plan.first, plan.count) == (1, 3)
    assert [request.index for request in plan.requests] == [1, 3]
    assert due({0: JobStatus.QUARANTINED}) == []


def test_the_bond__answers_for_refutations_and_not_for_rejections() -> None:
    view = view_of([ordered(1, refutations=2, rejections=1)], ME)
    (plan,) = claims_due(held(view), {id_of(1): JobStatus.DONE}, NOW, 5)
    assert plan.attempts == 2
    assert plan.group.scope == 2
