"""Claims of scores in the view: every item is a claim and a request, and none is a thing to lease, refund or list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup import events as base
from rollup.codec import model_id
from rollup.errors import Doubt, NotFound
from rollup.events import Update
from rollup.finality import FinaliseContested, decide
from rollup.properties import events
from rollup.properties.scores import claim_of_scores, derived
from rollup.reconciler import groups_of
from rollup.types import Certainty, ClaimBatchId, ClaimId, DisputeStatus, RequestId, Verdict
from rollup.view import View
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, SCORER, score_claim, scoring
from tests.rollup.properties.story import PropertyStory


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


# Refusals.


def test_scores__with_an_id_that_is_not_theirs__are_doubted(story: PropertyStory) -> None:
    claim = claim_of_scores(DOMAIN.trainings, scoring(), SCORER, DOMAIN, story.now)
    with pytest.raises(Doubt, match="claim batch"):
        story.tell_scores(replace(claim, id=ClaimBatchId(b"x" * 32)))
    with pytest.raises(Doubt, match="model of the scores"):
        story.tell_scores(replace(claim, scoring=replace(claim.scoring, weights_root=SCORER.weights_root)))
    fields = (claim.source, claim.claims, claim.requests, claim.scoring)
    with pytest.raises(Doubt, match="subject of the scores"):
        story.tell(events.ScoresClaimed, claim.id, b"s" * 32, *fields)


def test_scores__of_an_item_under_another_id__are_doubted(story: PropertyStory) -> None:
    id_ = story.scored()
    with pytest.raises(Doubt, match="claim of an item"):
        story.tell(events.ScoresContested, ClaimId(b"x" * 32), id_, 3)


def test_scores__an_item_challenged_twice__is_doubted(story: PropertyStory) -> None:
    id_ = story.scored()
    story.cleared(story.contested(id_, 3), story.now)
    with pytest.raises(Doubt, match="from PROVISIONAL to CHALLENGED once contested"):
        story.contested(id_, 3)


def test_scores__final_after_they_fell__are_doubted(story: PropertyStory) -> None:
    id_ = story.scored()
    story.proven(story.contested(id_, 0))
    with pytest.raises(Doubt, match="from REFUTED to FINAL"):
        story.made_final(id_)


def test_scores__that_nobody_claimed__are_not_found(story: PropertyStory) -> None:
    story.scored()
    with pytest.raises(NotFound, match="claim of scores 0x78"):
        story.view.scores(ClaimBatchId(b"x" * 32))
    for look in (story.view.claim, story.view.witness):
        with pytest.raises(NotFound, match="claim 0x78"):
            look(ClaimId(b"x" * 32))
    with pytest.raises(NotFound, match="request 0x78"):
        story.view.request(RequestId(b"x" * 32))


# Items.


def test_item__before_anybody_challenges__is_a_claim_on_a_request(story: PropertyStory) -> None:
    id_ = story.scored()
    scores = story.view.scores(id_)
    claim = story.view.claim(scores.claim.claim_id(5))
    request = story.view.request(claim.request)
    assert (claim.batch, claim.index, claim.executor, claim.entry) == (id_, 5, EXECUTOR, scores.claim.entry(5))
    assert (claim.certainty, claim.window_end) == (Certainty.PROVISIONAL, story.now + 100)
    assert (request.lane, request.index, request.claims) == (2, 5, (claim.id,))
    assert story.view.live_claim(request) == claim
    assert story.view.certainty(request) is Certainty.PROVISIONAL


def test_item__is_witnessed_as_the_claim_of_scores_says(story: PropertyStory) -> None:
    scores = story.view.scores(story.scored()).claim
    assert [story.view.witness(scores.claim_id(index)) for index in range(8)] == [
        scores.witness(index) for index in range(8)
    ]
    story.contested(scores.id, 2)
    assert story.view.witness(scores.claim_id(2)) == scores.witness(2)


def test_item__has_batches_with_the_roots_on_chain(story: PropertyStory) -> None:
    scores = story.view.scores(story.scored()).claim
    claim = story.view.claim(scores.claim_id(1))
    made, ordered = story.view.claims_of(claim), story.view.batch_of(story.view.request(claim.request))
    assert (made.batch, made.tree.top) == (scores.claims, scores.claims.root)
    assert (ordered.batch, ordered.tree.top) == (scores.requests, scores.requests.root)


def test_model__with_claimed_weights__is_known_but_not_listed(story: PropertyStory) -> None:
    scores = story.view.scores(story.scored())
    model = scores.claim.model
    assert story.view.model(model_id(model)) == model == derived(SCORER, scores.claim.scoring.weights_root)
    assert model_id(model) not in story.view.state.models
    story.tell(base.Registered, model_id(model), EXECUTOR, model)
    assert story.view.model(model_id(model)) == model


def test_items__are_never_leased_claimed_refunded_or_listed(story: PropertyStory) -> None:
    scores = story.view.scores(story.scored())
    story.contested(scores.id, 2)
    story.cleared(story.contested(scores.id, 3), story.now)
    for now in (story.now, story.now + 10_000):
        assert story.view.open_requests(now) == story.view.refundable(now) == []
        assert groups_of(story.view, EXECUTOR, now) == []
        assert not [move for move in decide(story.view, now, refunds=True) if isinstance(move, FinaliseContested)]
    assert not story.view.state.requests
    assert not story.view.state.request_batches
    assert len(story.view.state.claims) == 2


# Disputes.


def test_dispute__of_an_item__goes_like_any_other(story: PropertyStory) -> None:
    item = story.contested(story.scored(), 4)
    assert story.view.claim(item).certainty is Certainty.CHALLENGED
    assert [dispute.claim for dispute in story.view.open_disputes()] == [item]
    story.opened(item)
    story.demanded(item, 2)
    story.supplied(item, 0, 1)
    dispute = story.view.dispute(item)
    assert (dispute.status, dispute.pages[0].missing) == (DisputeStatus.OPENED, (0,))
    assert story.view.to_conclude(dispute.course.concludable_from) == [dispute]


def test_acquitted__the_whole_waits_for_the_latest_item(story: PropertyStory) -> None:
    id_ = story.scored()
    first, second = story.contested(id_, 0), story.contested(id_, 1)
    story.cleared(first, story.now + 500)
    assert story.view.to_finalise_scores(story.now + 10_000) == []
    story.cleared(second, story.now + 400)
    assert story.view.to_finalise_scores(story.now + 499) == []
    assert [scores.id for scores in story.view.to_finalise_scores(story.now + 500)] == [id_]
    assert first in story.view.state.active_claims
    story.made_final(id_)
    assert story.view.claim(first).certainty is story.view.claim(second).certainty is Certainty.FINAL
    assert not story.view.state.active_claims


@pytest.mark.parametrize(
    ("verdict", "certainty"),
    [(Verdict.BEYOND_SOUND, Certainty.REFUTED), (Verdict.BEYOND_CALIBRATED, Certainty.REJECTED)],
)
def test_fault__of_one_item__is_the_fall_of_all(story: PropertyStory, verdict: Verdict, certainty: Certainty) -> None:
    id_ = story.scored()
    acquitted = story.contested(id_, 1)
    story.cleared(acquitted, story.now)
    item = story.contested(id_, 0)
    story.proven(item, verdict)
    claim = story.view.scores(id_).claim
    assert story.view.scores(id_).certainty is certainty
    assert {story.view.claim(claim.claim_id(index)).certainty for index in range(8)} == {certainty}
    assert not story.view.state.active_claims
    assert story.view.live_scores(story.now) == story.view.to_finalise_scores(10**9) == []


def test_fault__after_acquittal__still_counts(story: PropertyStory) -> None:
    id_ = story.scored()
    item = story.contested(id_, 1)
    story.cleared(item, story.now)
    story.proven(item)
    assert story.view.scores(id_).certainty is story.view.claim(item).certainty is Certainty.REFUTED


def test_fault__of_a_second_item__ends_its_dispute_alone(story: PropertyStory) -> None:
    id_ = story.scored()
    items = [story.contested(id_, index) for index in range(4)]
    story.proven(items[0])
    assert [dispute.claim for dispute in story.view.open_disputes()] == items[1:]
    story.tell(base.FaultProven, items[1], EXECUTOR, Verdict.BEYOND_CALIBRATED, 0, 0, 0)
    story.tell(base.Silenced, items[2], DisputeStatus.CHALLENGED)
    story.tell(base.Cleared, items[3], story.now)
    certainties = [story.view.claim(item).certainty for item in items]
    assert certainties == [Certainty.REFUTED, Certainty.REJECTED, Certainty.REFUTED, Certainty.REFUTED]
    assert story.view.open_disputes() == []
    assert not story.view.scores(id_).disputed


def test_fault__shown_by_the_source__is_the_fall_of_all(story: PropertyStory) -> None:
    id_ = story.scored()
    story.tell(events.ScoresFell, id_, ClaimId(bytes(32)), Certainty.REFUTED)
    assert story.view.claim(story.view.scores(id_).claim.claim_id(7)).certainty is Certainty.REFUTED


# Time.


def test_kept_open__is_live_and_not_final_until_then(story: PropertyStory) -> None:
    id_ = story.scored()
    end = story.view.scores(id_).window_end
    story.tell(events.ScoresKeptOpen, id_, end + 50)
    assert [scores.id for scores in story.view.live_scores(end + 49)] == [id_]
    assert story.view.live_scores(end + 50) == []
    assert story.view.to_finalise_scores(end + 49) == []
    assert [scores.id for scores in story.view.to_finalise_scores(end + 50)] == [id_]


def test_live_scores__until_the_window_ends(story: PropertyStory) -> None:
    id_ = story.scored()
    end = story.view.scores(id_).window_end
    assert [scores.id for scores in story.view.live_scores(end - 1)] == [id_]
    assert story.view.live_scores(end) == story.view.to_finalise_scores(end - 1) == []
    assert [scores.id for scores in story.view.to_finalise_scores(end)] == [id_]
    story.made_final(id_)
    assert story.view.to_finalise_scores(end) == []


def test_rewind__a_claim_of_scores__is_folded_again(story: PropertyStory) -> None:
    id_ = story.scored()
    keep = story.block
    item = story.contested(id_, 2)
    story.view.apply(Update(keep, (), keep, b"", story.now))
    assert story.view.claim(item).certainty is Certainty.PROVISIONAL
    assert not story.view.state.disputes


def test_fold__of_a_full_claim__makes_no_item() -> None:
    """2,048 items cost nothing until somebody looks at one."""
    claim = score_claim(2_048)
    fresh = replace(claim)
    story = PropertyStory()
    story.tell_scores(fresh)
    assert not {"item_ids", "claim_ids", "item_tree", "score_tree"} & vars(fresh).keys()
    assert isinstance(story.view, View)
    assert not story.view.state.claims
