"""Trainings in the view: what the chain says is checked, and every phase is known from time alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.errors import Doubt, NotFound
from rollup.events import Update
from rollup.properties import events
from rollup.properties.clock import TrainingPhase
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.ids import training_id
from rollup.properties.pool import item_key, masked
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.types import BundleRoot, Certainty, ModelId
from rollup.view import View
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, TRAINING
from tests.rollup.properties.story import POOL_KEY, RIVAL, PropertyStory

GOOD, BETTER = [1.0, 0.5] * 4, [1.0] * 7 + [0.5]


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


def revealed(story: PropertyStory, commits: int = 2) -> TrainingId:
    """A training whose key is shown: half of the commitments are the executor's, half its rival's."""
    id_ = story.training()
    story.opened_pool(id_)
    for number in range(commits):
        story.committed(id_, RIVAL if number % 2 else EXECUTOR)
    story.after(3_000)
    story.revealed(id_)
    return id_


# Refusals.


def test_training__with_an_id_that_is_not_its_own__is_doubted(story: PropertyStory) -> None:
    with pytest.raises(Doubt, match="the training is 0x"):
        story.tell(events.TrainingRequested, TrainingId(b"t" * 32), TRAINING.requester, TRAINING)


def test_training__that_nobody_asked_for__is_not_found(story: PropertyStory) -> None:
    with pytest.raises(NotFound, match="training 0x74"):
        story.view.training(TrainingId(b"t" * 32))


def test_opened__items_of_another_place__are_doubted(story: PropertyStory) -> None:
    id_ = story.training()
    seed = draw_seed(id_, b"b" * 32)
    items = [story.pool.opened(index, item_key(POOL_KEY, index)) for index in Draw(seed, 12, 4).opened]
    with pytest.raises(Doubt, match="pool of opened item"):
        story.tell(events.PoolOpened, id_, seed, (items[1], items[0], *items[2:]))


def test_revealed__another_key__is_doubted(story: PropertyStory) -> None:
    id_ = story.training()
    story.opened_pool(id_)
    with pytest.raises(Doubt, match="hash of the pool's key"):
        story.tell(events.PoolRevealed, id_, b"k" * 32)


def test_committed__out_of_order__is_doubted(story: PropertyStory) -> None:
    id_ = story.training()
    story.opened_pool(id_)
    with pytest.raises(Doubt, match="number of a commitment is 1 on chain and 0"):
        story.tell(events.WeightsCommitted, id_, 1, EXECUTOR, b"c" * 32)


def test_status__that_cannot_follow__is_doubted(story: PropertyStory) -> None:
    id_ = story.training()
    with pytest.raises(Doubt, match="from REQUESTED to MISSED"):
        story.ended(id_, TrainingStatus.MISSED)


def test_scores_made__with_another_total_or_subject__are_doubted(story: PropertyStory) -> None:
    id_ = revealed(story)
    given = story.scoring_of(id_, 0, GOOD)
    claim = story.scored(given)
    with pytest.raises(Doubt, match="total of the scores is 1 on chain"):
        story.tell(events.ScoresMade, id_, 0, EXECUTOR, claim, given.weights_root, 1)
    with pytest.raises(Doubt, match="subject of the scores"):
        story.tell(events.ScoresMade, id_, 1, EXECUTOR, claim, given.weights_root, 1)


def test_trained__without_a_standing_claim_or_with_another_winner_or_model__is_doubted(story: PropertyStory) -> None:
    id_ = revealed(story)
    claims = [story.score(id_, 0, GOOD), story.score(id_, 1, BETTER)]
    with pytest.raises(Doubt, match="no claim of scores stands"):
        story.ended(id_, TrainingStatus.TRAINED, 1)
    for claim in claims:
        story.made_final(claim)
    with pytest.raises(Doubt, match="winner of a training is 0 on chain and 1"):
        story.ended(id_, TrainingStatus.TRAINED, 0)
    with pytest.raises(Doubt, match="trained model"):
        story.tell(events.TrainingEnded, id_, TrainingStatus.TRAINED, 1, ModelId(b"m" * 32), 0, 0, 0)


# The life of a training.


def test_phases__follow_from_time_alone(story: PropertyStory) -> None:
    id_ = story.training()
    start = story.now

    def at(seconds: int) -> TrainingPhase:
        return story.view.training(id_).phase(seconds)

    assert (at(start + 199), at(start + 200)) == (TrainingPhase.OPENING, TrainingPhase.UNOPENED)
    opened = story.after(150)
    story.opened_pool(id_)
    assert (at(opened + 2_999), at(opened + 3_000)) == (TrainingPhase.COMMITTING, TrainingPhase.UNCOMMITTED)
    story.committed(id_)
    assert (at(opened + 3_000), at(opened + 3_299)) == (TrainingPhase.REVEALING, TrainingPhase.REVEALING)
    assert at(opened + 3_300) is TrainingPhase.UNREVEALED
    shown = story.after(3_100)
    story.revealed(id_)
    assert (at(shown + 399), at(shown + 400)) == (TrainingPhase.SCORING, TrainingPhase.SCORED)
    story.ended(id_, TrainingStatus.MISSED)
    assert at(shown) is at(10**9) is TrainingPhase.ENDED


def test_endable_from__is_when_the_next_clock_runs_out(story: PropertyStory) -> None:
    id_ = story.training()
    ends = [story.view.training(id_).course.endable_from - story.now]
    story.opened_pool(id_)
    ends.append(story.view.training(id_).course.endable_from - story.now)
    story.committed(id_)
    ends.append(story.view.training(id_).course.endable_from - story.now)
    story.after(3_000)
    story.revealed(id_)
    ends.append(story.view.training(id_).course.endable_from - story.now)
    assert ends == [200, 3_000, 3_300, 400]


def test_opened__items_can_be_unmasked_and_the_rest_is_sealed(story: PropertyStory) -> None:
    id_ = story.training()
    story.opened_pool(id_)
    known = story.view.training(id_)
    for index, opened in zip(known.draw.opened, known.opened, strict=True):
        hidden = masked(item_key(POOL_KEY, index), story.items[index])
        assert [tensor.data for tensor in masked(opened.key, hidden)] == [tensor.data for tensor in story.items[index]]
    assert len(known.draw.sealed) == 8


def test_commits__know_their_claims_and_how_sure_they_are(story: PropertyStory) -> None:
    id_ = revealed(story)
    claim = story.score(id_, 1, BETTER)
    first, second = story.view.training(id_).commits
    assert (first.claim, story.view.scores_of(first), story.view.certainty_of(first)) == (None, None, Certainty.NONE)
    assert (second.claim, second.executor, second.weights_root) == (claim, RIVAL, BundleRoot(b"\2" * 32))
    assert story.view.certainty_of(second) is Certainty.PROVISIONAL
    story.made_final(claim)
    assert story.view.certainty_of(second) is Certainty.FINAL
    assert story.view.training(id_).commits_of(EXECUTOR) == (first,)


def test_commit_of__a_claim_of_scores__is_its_training_as_it_stands(story: PropertyStory) -> None:
    others = [revealed(story) for _ in range(2)]
    id_ = revealed(story)
    claim = story.score(id_, 1, BETTER)
    story.score(others[0], 0, GOOD)
    known = story.view.training(id_)
    assert story.view.commit_of(claim) == (known, known.commits[1])
    story.ended(id_, TrainingStatus.UNSCORED)
    assert story.view.commit_of(claim) == (story.view.training(id_), known.commits[1])
    # Scores that nobody was asked for are of no training.
    assert story.view.commit_of(story.scored()) is None


def test_trained__the_best_total_wins_and_of_equal_ones_the_earliest(story: PropertyStory) -> None:
    id_ = revealed(story, commits=4)
    for number, scores in enumerate([GOOD, BETTER, BETTER]):
        story.made_final(story.score(id_, number, scores))
    story.ended(id_, TrainingStatus.TRAINED, 1)
    known = story.view.training(id_)
    assert (known.status, known.winner) == (TrainingStatus.TRAINED, 1)
    assert (known.paid_wei, known.refunded_wei, known.burned_wei) == (1, 2, 3)


def test_trained__a_fallen_claim_wins_nothing(story: PropertyStory) -> None:
    id_ = revealed(story)
    story.made_final(story.score(id_, 0, GOOD))
    story.proven(story.contested(story.score(id_, 1, BETTER), 0))
    story.ended(id_, TrainingStatus.TRAINED, 0)
    assert story.view.training(id_).winner == 0


def test_to_settle__waits_for_every_claim(story: PropertyStory) -> None:
    id_ = revealed(story)
    claims = [story.score(id_, 0, GOOD), story.score(id_, 1, BETTER)]
    end = story.view.training(id_).course.claim_end
    assert story.view.to_settle_trainings(end) == []
    story.proven(story.contested(claims[0], 0))
    assert story.view.to_settle_trainings(end) == []
    story.made_final(claims[1])
    assert story.view.to_settle_trainings(end - 1) == []
    assert [known.id for known in story.view.to_settle_trainings(end)] == [id_]
    story.ended(id_, TrainingStatus.TRAINED, 1)
    assert story.view.to_settle_trainings(end) == []


@pytest.mark.parametrize(("steps", "after"), [(0, 200), (1, 3_000), (2, 3_300)])
def test_to_settle__when_a_clock_has_run_out(story: PropertyStory, steps: int, after: int) -> None:
    id_ = story.training()
    for act in (story.opened_pool, story.committed)[:steps]:
        act(id_)
    assert story.view.to_settle_trainings(story.now + after - 1) == []
    assert [known.id for known in story.view.to_settle_trainings(story.now + after)] == [id_]


def test_trainings_in__lists_those_that_can_be_committed_to(story: PropertyStory) -> None:
    first, second = story.training(), story.training()
    story.opened_pool(second)
    assert [known.id for known in story.view.trainings()] == [first, second]
    assert [known.id for known in story.view.trainings_in(TrainingPhase.COMMITTING, story.now)] == [second]
    assert [known.id for known in story.view.trainings_in(TrainingPhase.OPENING, story.now)] == [first]


def test_spoiled__names_the_item_and_ends_unscored(story: PropertyStory) -> None:
    id_ = revealed(story)
    story.tell(events.PoolSpoiled, id_, 5)
    story.ended(id_, TrainingStatus.UNSCORED)
    assert (story.view.training(id_).spoiled, story.view.training(id_).status) == (5, TrainingStatus.UNSCORED)


def test_rewind__to_any_block__equals_a_view_that_never_went_further(story: PropertyStory) -> None:
    id_ = revealed(story)
    story.made_final(story.score(id_, 0, GOOD))
    story.ended(id_, TrainingStatus.TRAINED, 0)
    told = tuple(story.view._events)
    for keep in range(story.block + 1):
        straight, rewound = View(DOMAIN), View(DOMAIN)
        straight.apply(Update(None, tuple(event for event in told if event.at.block <= keep), keep, b"", 0))
        rewound.apply(Update(None, told, story.block, b"", 0))
        rewound.apply(Update(keep, (), keep, b"", 0))
        assert rewound.trainings() == straight.trainings()
        assert list(rewound.state.active_trainings) == list(straight.state.active_trainings)


def test_training_id__is_what_the_view_knows_it_by(story: PropertyStory) -> None:
    id_ = story.training()
    training = story.view.training(id_).training
    assert training_id(training, DOMAIN) == id_
    assert training_id(replace(training, nonce=training.nonce + 1), DOMAIN) != id_
