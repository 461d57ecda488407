"""Texts in the view: drawn, taken, claimed, opened again, settled, heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup import events as base
from rollup.codec import model_id
from rollup.errors import Doubt, NotFound
from rollup.inputs import split_inputs
from rollup.properties import events
from rollup.properties.draw import uniforms
from rollup.properties.ids import generation_subject
from rollup.properties.text import text_inputs, text_root
from rollup.properties.types import GenerationStatus, Scoring
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Certainty, ClaimBatchId, InputSpec, RequestId, Verdict
from rollup.view import Delivery
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, GENERATION, REQUESTER
from tests.rollup.properties.story import RIVAL, TEXT_SCORER, PropertyStory
from tests.rollup.story import CONSUMER


@pytest.fixture
def story() -> PropertyStory:
    return PropertyStory()


def claimed(story: PropertyStory, callback: bool = False) -> RequestId:
    terms = replace(GENERATION.terms, callback=CONSUMER, callback_gas=10**5) if callback else GENERATION.terms
    id_ = story.generation(replace(GENERATION, terms=terms))
    story.drawn(id_)
    story.taken(id_)
    story.generated(id_)
    return id_


# Scores are claimed by their root above 16.
LONG = 17


def long_text(story: PropertyStory) -> tuple[RequestId, ClaimBatchId, bytes]:
    """A greedy generation of 17 tokens, the claim of its scores, and the scores."""
    inputs = (InputSpec(TensorSpec(DType.I64, (1, 2 + LONG)).header, 0, 100),)
    scorer = replace(TEXT_SCORER, inputs=inputs, output_header=TensorSpec(DType.F32, (1, LONG)).header)
    story.tell(base.Registered, model_id(scorer), REQUESTER, scorer)
    terms = replace(
        GENERATION.terms, scorer=model_id(scorer), prompt=bytes(16), new_tokens=LONG, sampled=False
    )  # fmt: skip
    id_ = story.generation(replace(GENERATION, terms=terms))
    scores = bytes(4 * LONG - 1) + b"\1"
    root = Tensor(TensorSpec.from_header(scorer.output_header), scores).root
    items = (text_root(text_inputs(terms, scorer, bytes(8 * LONG), b"")),)
    subject = generation_subject(id_, 0, EXECUTOR, bytes(8 * LONG))
    given = Scoring(subject, EXECUTOR, model_id(scorer), scorer.weights_root, items, root, 10**16)
    return id_, story.scored(given, DOMAIN.generations), scores


# Refusals.


def test_generation__with_an_id_that_is_not_its_own__is_doubted(story: PropertyStory) -> None:
    with pytest.raises(Doubt, match="the generation is 0x"):
        story.tell(events.GenerationRequested, RequestId(b"g" * 32), REQUESTER, GENERATION)


def test_generation__that_nobody_asked_for__is_not_found(story: PropertyStory) -> None:
    with pytest.raises(NotFound, match="generation 0x67"):
        story.view.generation(RequestId(b"g" * 32))


def test_generated__other_tokens_than_were_scored__are_doubted(story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    claim = story.scored(story.text_scoring(id_, bytes(32)), DOMAIN.generations)
    with pytest.raises(Doubt, match="subject of the scores"):
        story.tell(events.Generated, id_, EXECUTOR, claim, bytes(31) + b"\1", bytes(16))


def test_generated__with_other_uniforms_than_were_drawn__are_doubted(story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    claim = story.scored(story.text_scoring(id_, bytes(32)), DOMAIN.generations)
    story.tell(events.Drawn, id_, b"s" * 32, 1)
    with pytest.raises(Doubt, match="inputs of the text"):
        story.tell(events.Generated, id_, EXECUTOR, claim, bytes(32), bytes(16))


def test_generated__other_scores_than_were_claimed__are_doubted(story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    claim = story.scored(story.text_scoring(id_, bytes(32)), DOMAIN.generations)
    with pytest.raises(Doubt, match="scores of the text"):
        story.tell(events.Generated, id_, EXECUTOR, claim, bytes(32), bytes(15) + b"\1")


def test_generated__many_scores__are_those_under_the_claimed_root(story: PropertyStory) -> None:
    id_, claim, scores = long_text(story)
    with pytest.raises(Doubt, match="scores of the text"):
        story.tell(events.Generated, id_, EXECUTOR, claim, bytes(8 * LONG), scores[:-1] + b"\2")
    story.tell(events.Generated, id_, EXECUTOR, claim, bytes(8 * LONG), scores)
    assert story.view.scores(claim).output == scores


def test_final__before_its_scores_are__is_doubted(story: PropertyStory) -> None:
    id_ = claimed(story)
    claim = story.view.generation(id_).claim
    with pytest.raises(Doubt, match="its claim of scores is not"):
        story.tell(events.GenerationFinal, id_, EXECUTOR, claim)


def test_reopened__with_another_certainty_than_its_scores__is_doubted(story: PropertyStory) -> None:
    id_ = claimed(story)
    with pytest.raises(Doubt, match="certainty of a fallen claim"):
        story.tell(events.GenerationReopened, id_, story.view.generation(id_).claim, Certainty.REFUTED, 1)


# The life of a text.


def test_draw__is_due_when_the_block_after_the_anchor_lies_behind(story: PropertyStory) -> None:
    id_ = story.generation()
    anchor = story.block
    assert story.view.generation(id_).anchor == anchor
    assert story.view.to_draw(anchor + 1) == story.view.open_generations(story.now) == []
    assert [known.id for known in story.view.to_draw(anchor + 2)] == [id_]
    story.drawn(id_)
    assert story.view.to_draw(anchor + 2) == []
    assert [known.id for known in story.view.open_generations(story.now)] == [id_]


def test_draw__that_came_too_late__moves_the_anchor(story: PropertyStory) -> None:
    id_ = story.generation()
    story.tell(events.Drawn, id_, bytes(32), 400)
    assert story.view.to_draw(401) == []
    assert [known.id for known in story.view.to_draw(402)] == [id_]


def test_greedy__needs_no_draw(story: PropertyStory) -> None:
    id_ = story.generation(replace(GENERATION, terms=replace(GENERATION.terms, sampled=False)))
    assert story.view.to_draw(10**9) == []
    assert [known.id for known in story.view.open_generations(story.now)] == [id_]


def test_lease__is_over_at_its_end(story: PropertyStory) -> None:
    id_ = story.generation()
    story.drawn(id_)
    assert story.view.lessee_of(story.view.generation(id_), story.now) is None
    story.taken(id_)
    known = story.view.generation(id_)
    assert story.view.lessee_of(known, story.now + 19) == EXECUTOR
    assert story.view.lessee_of(known, story.now + 20) is None


def test_generated__the_item_has_the_text_for_its_inputs(story: PropertyStory) -> None:
    id_ = claimed(story)
    known = story.view.generation(id_)
    scores = story.view.text_scores(known)
    assert scores is not None
    request = story.view.request(scores.claim.item_id(0))
    text, sampled = split_inputs(TEXT_SCORER.inputs, request.inputs)
    assert text.data == GENERATION.terms.prompt + known.tokens
    assert sampled.data == uniforms(known.seed, 4)
    assert scores.output == bytes(16)
    assert story.view.open_generations(story.now) == story.view.refundable_generations(10**9) == []


def test_text_of__a_claim_of_scores__is_its_generation_as_it_stands(story: PropertyStory) -> None:
    id_ = claimed(story)
    claim = story.view.generation(id_).claim
    assert claim is not None
    assert story.view.text_of(claim) == story.view.generation(id_)
    story.proven(story.contested(claim, 0))
    story.tell(events.GenerationReopened, id_, claim, Certainty.REFUTED, 20_000)
    again = story.generated(id_, bytes(31) + b"\1")
    assert story.view.text_of(claim) == story.view.text_of(again) == story.view.generation(id_)
    assert story.view.text_of(story.scored()) is None


def test_fallen__is_reopened_with_another_deadline(story: PropertyStory) -> None:
    id_ = claimed(story)
    claim = story.view.generation(id_).claim
    assert claim is not None
    assert story.view.to_reopen_generations() == []
    story.proven(story.contested(claim, 0))
    assert [known.id for known in story.view.to_reopen_generations()] == [id_]
    story.tell(events.GenerationReopened, id_, claim, Certainty.REFUTED, 20_000)
    known = story.view.generation(id_)
    assert (known.status, known.attempts, known.claim, known.claims) == (GenerationStatus.OPEN, 1, None, (claim,))
    assert (known.refutations, known.rejections) == (1, 0)
    assert [each.id for each in story.view.open_generations(19_999)] == [id_]
    assert [each.id for each in story.view.refundable_generations(20_000)] == [id_]
    again = story.generated(id_, bytes(31) + b"\1")
    assert story.view.generation(id_).claims == (claim, again)


def test_rejected__its_executor_may_not_take_it_again(story: PropertyStory) -> None:
    id_ = claimed(story)
    claim = story.view.generation(id_).claim
    assert claim is not None
    story.proven(story.contested(claim, 0), Verdict.BEYOND_CALIBRATED)
    story.tell(events.GenerationReopened, id_, claim, Certainty.REJECTED, 20_000)
    again = story.generated(id_, bytes(31) + b"\1", RIVAL)
    story.proven(story.contested(again, 0))
    story.tell(events.GenerationReopened, id_, again, Certainty.REFUTED, 20_000)
    known = story.view.generation(id_)
    assert (known.excluded, known.rejections, known.refutations) == (frozenset({EXECUTOR}), 1, 1)
    assert story.view.open_generations(story.now, EXECUTOR) == []
    for others in (story.view.open_generations(story.now, RIVAL), story.view.open_generations(story.now)):
        assert [known.id for known in others] == [id_]


def test_settle__is_due_when_the_claim_may_be_final(story: PropertyStory) -> None:
    id_ = claimed(story)
    claim = story.view.generation(id_).claim
    assert claim is not None
    end = story.view.scores(claim).window_end
    assert story.view.to_settle_generations(end - 1) == []
    assert [known.id for known in story.view.to_settle_generations(end)] == [id_]
    story.made_final(claim)
    assert [known.id for known in story.view.to_settle_generations(end)] == [id_]
    story.tell(events.GenerationFinal, id_, EXECUTOR, claim)
    assert story.view.to_settle_generations(end) == []
    assert not story.view.state.active_generations


def test_callback__that_fails__is_retried_until_it_is_heard(story: PropertyStory) -> None:
    id_ = claimed(story, callback=True)
    claim = story.view.generation(id_).claim
    assert claim is not None
    story.made_final(claim)
    story.tell(events.GenerationFinal, id_, EXECUTOR, claim)
    story.tell(events.TextFailed, id_, claim)
    assert [known.id for known in story.view.to_retry_generations()] == [id_]
    assert story.view.generation(id_).deliveries == 1
    story.tell(events.TextSent, id_, claim)
    assert story.view.to_retry_generations() == []
    assert story.view.generation(id_).delivery is Delivery.SENT


def test_refunded__nothing_more_comes_of_it(story: PropertyStory) -> None:
    id_ = story.generation()
    story.tell(events.GenerationRefunded, id_, 1)
    assert story.view.generation(id_).status is GenerationStatus.REFUNDED
    assert story.view.to_draw(10**9) == story.view.refundable_generations(10**9) == []
    assert [known.id for known in story.view.generations()] == [id_]
