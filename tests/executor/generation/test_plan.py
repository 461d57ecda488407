"""The plan: what an executor does about generations, and what it leaves alone."""

from __future__ import annotations

import pytest

from executor.generation.plan import LEAST_SECONDS, Plan, plan, refutations, scorers_of
from rollup.properties import events
from rollup.types import Certainty, RequestId
from tests.rollup.properties.examples import EXECUTOR
from tests.rollup.properties.story import RIVAL, TEXT_SCORER, PropertyStory


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


def planned(story: PropertyStory, served: bool = True) -> Plan:
    return plan(story.view, EXECUTOR, story.view.now, lambda _: served)


def drawn(story: PropertyStory) -> RequestId:
    id_ = story.generation()
    story.drawn(id_)
    return id_


def fallen(story: PropertyStory, id_: RequestId) -> None:
    """A claim that fell, and the request open again."""
    claim = story.generated(id_)
    story.proven(story.contested(claim, 0))
    story.tell(events.GenerationReopened, id_, claim, Certainty.REFUTED, story.now + 10_000)


def test_a_scorer_that_is_not_served__is_neither_drawn_nor_taken(story: PropertyStory) -> None:
    story.generation()
    story.view.block += 2
    drawn(story)
    assert planned(story, served=False) == Plan((), None, (), ())


def test_a_lease_of_somebody_else__is_left_alone_until_it_is_over(story: PropertyStory) -> None:
    id_ = drawn(story)
    story.taken(id_, RIVAL, term=20)
    assert planned(story).take is None
    story.view.now = story.after(20)
    assert planned(story).take == story.view.generation(id_)


def test_a_deadline_that_is_too_near__is_not_taken(story: PropertyStory) -> None:
    id_ = drawn(story)
    story.view.now = story.view.generation(id_).deadline - LEAST_SECONDS
    assert planned(story).take == story.view.generation(id_)
    story.view.now += 1
    assert planned(story).take is None


def test_a_request_on_which_its_own_claim_fell__is_not_taken_again(story: PropertyStory) -> None:
    id_ = drawn(story)
    fallen(story, id_)
    known = story.view.generation(id_)
    assert (known.status.name, refutations(story.view, known)) == ("OPEN", 1)
    assert planned(story).take is None
    assert plan(story.view, RIVAL, story.view.now, lambda _: True).take == known


def test_a_sampled_text__is_drawn_for_before_it_is_taken(story: PropertyStory) -> None:
    id_ = story.generation()
    story.view.block = story.view.generation(id_).anchor
    assert planned(story).draw == ()
    story.view.block += 2
    assert planned(story) == Plan((story.view.generation(id_),), None, (), ())
    story.drawn(id_)
    assert planned(story) == Plan((), story.view.generation(id_), (), ())


def test_one_lease__is_held_at_a_time(story: PropertyStory) -> None:
    first, second = drawn(story), drawn(story)
    assert planned(story).take == story.view.generation(first)
    story.taken(first)
    assert planned(story) == Plan((), None, (story.view.generation(first),), ())
    story.generated(first)
    assert planned(story).take == story.view.generation(second)


def test_its_own_claim__is_settled_when_it_may_be_final(story: PropertyStory) -> None:
    id_ = drawn(story)
    claim = story.generated(id_)
    assert planned(story).settle == ()
    story.view.now = story.after(story.view.scores(claim).window_end - story.view.now)
    (due,) = planned(story).settle
    assert (due.generation.id, due.scores.id) == (id_, claim)
    assert plan(story.view, RIVAL, story.view.now, lambda _: True).settle == ()


def test_scorers__are_those_of_texts_that_can_still_be_made(story: PropertyStory) -> None:
    assert scorers_of(story.view, story.view.now) == set()
    id_ = drawn(story)
    assert scorers_of(story.view, story.view.now) == {TEXT_SCORER}
    story.generated(id_)
    assert scorers_of(story.view, story.view.now) == set()
