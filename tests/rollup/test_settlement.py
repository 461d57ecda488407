"""What a keeper does for properties, and when: decisions without a chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.finality import Conclude, decide
from rollup.properties import events
from rollup.properties.types import TrainingStatus
from rollup.settlement import (
    MAX_DELIVERIES,
    RETRY_SECONDS,
    DrawText,
    FinaliseScores,
    RefundText,
    ReopenText,
    SettleText,
    SettleTraining,
)
from rollup.types import Certainty, ClaimBatchId, RequestId
from tests.rollup.properties.examples import EXECUTOR, GENERATION, WINDOWS
from tests.rollup.properties.story import PropertyStory
from tests.rollup.story import CONSUMER


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


def claimed_text(story: PropertyStory, callback: bool = False) -> tuple[RequestId, ClaimBatchId]:
    terms = replace(GENERATION.terms, callback=CONSUMER, callback_gas=10**5) if callback else GENERATION.terms
    id_ = story.generation(replace(GENERATION, terms=terms))
    story.drawn(id_)
    return id_, story.generated(id_)


def test_decide__scores_whose_window_is_over__are_finalised(story: PropertyStory) -> None:
    id_ = story.scored()
    assert decide(story.view, story.now + WINDOWS.challenge - 1) == []
    assert decide(story.view, story.now + WINDOWS.challenge) == [FinaliseScores(id_)]


def test_decide__a_dispute_of_an_item_out_of_time__is_concluded(story: PropertyStory) -> None:
    item = story.contested(story.scored(), 3)
    end = story.view.dispute(item).course.concludable_from
    assert decide(story.view, end - 1) == []
    assert decide(story.view, end) == [Conclude(item)]


def test_decide__a_training__is_settled_after_its_claims(story: PropertyStory) -> None:
    id_ = story.training()
    story.opened_pool(id_)
    story.committed(id_)
    story.after(3_000)
    story.revealed(id_)
    claim = story.score(id_, 0, [1.0] * 8)
    end = story.view.training(id_).course.claim_end
    assert decide(story.view, end) == [FinaliseScores(claim)]
    story.made_final(claim)
    assert decide(story.view, end - 1) == []
    assert decide(story.view, end) == [SettleTraining(id_)]
    story.ended(id_, TrainingStatus.TRAINED)
    assert decide(story.view, end) == []


def test_decide__a_text__is_drawn_once_its_beacon_is_there_and_while_it_may_be_claimed(story: PropertyStory) -> None:
    id_ = story.generation()
    anchor = story.block
    assert decide(story.view, story.now) == []
    story.training()
    story.training()
    assert decide(story.view, story.now) == [DrawText(id_, anchor)]
    assert decide(story.view, 9_000) == [SettleTraining(training.id) for training in story.view.trainings()]
    story.drawn(id_)
    assert decide(story.view, story.now) == []


def test_decide__a_text__is_settled_and_so_its_scores_finalised(story: PropertyStory) -> None:
    id_, claim = claimed_text(story)
    assert decide(story.view, story.now + WINDOWS.challenge - 1) == []
    assert decide(story.view, story.now + WINDOWS.challenge) == [SettleText(id_, 0)]
    story.made_final(claim)
    assert decide(story.view, story.now) == [SettleText(id_, 0)]
    story.tell(events.GenerationFinal, id_, EXECUTOR, claim)
    assert decide(story.view, 10**6) == []


def test_decide__a_text_whose_claim_fell__is_reopened_then_refunded_by_who_offers_to(story: PropertyStory) -> None:
    id_, claim = claimed_text(story)
    story.proven(story.contested(claim, 0))
    assert decide(story.view, story.now) == [ReopenText(id_, 0)]
    story.tell(events.GenerationReopened, id_, claim, Certainty.REFUTED, 9_500)
    assert decide(story.view, 9_499, refunds=True) == decide(story.view, 9_500) == []
    assert decide(story.view, 9_500, refunds=True) == [RefundText(id_)]


def test_decide__a_failed_callback__is_retried_ever_later_and_not_for_ever(story: PropertyStory) -> None:
    id_, claim = claimed_text(story, callback=True)
    story.made_final(claim)
    story.tell(events.GenerationFinal, id_, EXECUTOR, claim)
    for delivery in range(1, MAX_DELIVERIES):
        story.tell(events.TextFailed, id_, claim)
        due = story.now + RETRY_SECONDS * 2 ** (delivery - 1)
        assert decide(story.view, due - 1) == []
        assert decide(story.view, due) == [SettleText(id_, delivery)]
        story.after(due - story.now)
    story.tell(events.TextFailed, id_, claim)
    assert decide(story.view, story.now + 10**6) == []
