"""What a keeper does, and when: decisions without a chain."""

from __future__ import annotations

import pytest

from rollup import events
from rollup.finality import (
    CALLBACK_OVERHEAD_GAS,
    PAGE_GAS,
    Announce,
    Conclude,
    Finalise,
    FinaliseContested,
    Refund,
    Retry,
    Settle,
    decide,
)
from rollup.settlement import MAX_DELIVERIES, RETRY_SECONDS
from rollup.types import Certainty, ClaimId
from tests.rollup.story import KEEPER, WINDOWS, Story


@pytest.fixture
def story() -> Story:
    return Story()


def one_claim(story: Story, callback: bool = False) -> ClaimId:
    return story.claimed(story.view.request(story.requested(callback)).batch, [0])[0]


def test_decide__in_the_window__does_nothing(story: Story) -> None:
    one_claim(story)
    assert decide(story.view, story.now + WINDOWS.challenge - 1) == []


def test_decide__without_callbacks__finalises_the_whole_batch_once(story: Story) -> None:
    claims = story.claimed(story.posted([b""] * 3), [0, 1, 2])
    batch = story.view.claim(claims[0]).batch
    assert decide(story.view, story.after(WINDOWS.challenge)) == [Finalise(batch)]
    story.tell(events.Finalised, batch, 3, KEEPER)
    assert decide(story.view, story.now) == []


def test_decide__with_callbacks__settles_and_so_finalises(story: Story) -> None:
    claims = story.claimed(story.posted([b""] * 3, callback=True), [0, 1, 2])
    assert decide(story.view, story.after(WINDOWS.challenge)) == [Settle(tuple(claims))]
    story.tell(events.Finalised, story.view.claim(claims[0]).batch, 3, KEEPER)
    story.called_back(claims[0], Certainty.FINAL)
    assert decide(story.view, story.now) == [Settle((claims[1], claims[2]))]


def test_decide__more_callbacks_than_fit_a_call__makes_pages(story: Story) -> None:
    size = PAGE_GAS // (200_000 + CALLBACK_OVERHEAD_GAS)
    claims = story.claimed(story.posted([b""] * (size + 1), callback=True), list(range(size + 1)))
    moves = decide(story.view, story.after(WINDOWS.challenge))
    assert moves == [Settle(tuple(claims[:size])), Settle((claims[size],))]


def test_decide__a_challenged_claim__waits_while_its_batch_does_not(story: Story) -> None:
    claims = story.claimed(story.posted([b""] * 2, callback=True), [0, 1])
    story.challenged(claims[0])
    story.opened(claims[0])
    assert decide(story.view, story.after(WINDOWS.challenge)) == [Settle((claims[1],))]


def test_decide__a_dispute_out_of_time__is_concluded_then_finalised(story: Story) -> None:
    claim = one_claim(story)
    story.challenged(claim)
    story.opened(claim)
    end = story.after(WINDOWS.collect + WINDOWS.prove)
    assert decide(story.view, end - 1) == []
    assert decide(story.view, end) == [Conclude(claim)]
    story.acquitted(claim, end)
    assert decide(story.view, end) == [FinaliseContested(claim)]


def test_decide__a_refuted_claim__is_announced_if_somebody_listens(story: Story) -> None:
    for callback in (False, True):
        claim = one_claim(story, callback)
        story.challenged(claim)
        story.opened(claim)
        story.fallen(claim)
        assert decide(story.view, story.now) == ([Announce(claim)] if callback else [])


def test_decide__a_failed_callback__is_retried_ever_later_and_not_for_ever(story: Story) -> None:
    claim = one_claim(story, callback=True)
    story.tell(events.Finalised, story.view.claim(claim).batch, 1, KEEPER)
    for delivery in range(1, MAX_DELIVERIES):
        story.called_back(claim, Certainty.FINAL, heard=False)
        due = story.now + RETRY_SECONDS * 2 ** (delivery - 1)
        assert decide(story.view, due - 1) == []
        assert decide(story.view, due) == [Retry(claim, delivery)]
        story.after(due - story.now)
    story.called_back(claim, Certainty.FINAL, heard=False)
    assert decide(story.view, story.now + 10**6) == []


def test_decide__an_unanswered_request__is_refunded_at_its_deadline_by_who_offers_to(story: Story) -> None:
    deadline = story.now + 100
    request = story.requested(deadline=deadline)
    assert decide(story.view, deadline - 1, refunds=True) == []
    assert decide(story.view, deadline) == []
    assert decide(story.view, deadline, refunds=True) == [Refund(request)]


def test_decide__a_request_with_a_live_claim__is_not_refunded(story: Story) -> None:
    deadline = story.now + 1
    request = story.requested(deadline=deadline)
    story.claimed(story.view.request(request).batch, [0])
    assert decide(story.view, deadline, refunds=True) == []
