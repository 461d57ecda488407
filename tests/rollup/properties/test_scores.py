"""A claim of scores: each item a claim of its own, as the dispute game sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.codec import entry_leaf, model_id
from rollup.errors import BadInput, Doubt, NotFound
from rollup.merkle import keccak256, top_of_run
from rollup.properties.scores import ScoreClaim, claim_of_scores, derived, scored_id
from rollup.properties.types import MAX_SCORED_ITEMS
from rollup.types import BundleRoot
from tests.rollup.properties.examples import DOMAIN, EXECUTOR, SCORER, score_claim, scorer_model, scoring


@pytest.fixture(scope="module")
def claim() -> ScoreClaim:
    return score_claim(7)


@pytest.mark.parametrize("count", [0, MAX_SCORED_ITEMS + 1])
def test_claim_of_scores__too_few_or_many_items__is_refused(count: int) -> None:
    given = replace(scoring(1), items=(BundleRoot(bytes(32)),) * count)
    with pytest.raises(BadInput, match=f"{count} items are outside 1..2048"):
        claim_of_scores(DOMAIN.trainings, given, SCORER, DOMAIN, 1)


def test_claim_of_scores__other_than_one_score_an_item__is_refused() -> None:
    given = scoring(3)
    with pytest.raises(BadInput, match="3 items have 12 bytes of scores, got 8"):
        claim_of_scores(DOMAIN.trainings, replace(given, scores=given.scores[:-4]), SCORER, DOMAIN, 1)


def test_claim_of_scores__is_true(claim: ScoreClaim) -> None:
    claim.require_true(DOMAIN)
    assert claim.model == derived(SCORER, claim.scoring.weights_root)
    assert claim.requests.model == model_id(claim.model) != model_id(SCORER)
    assert (claim.requests.lane, claim.requests.count, claim.claims.executor) == (2, 7, EXECUTOR)


def test_require_true__anything_that_does_not_follow__is_doubted(claim: ScoreClaim) -> None:
    others = {
        "model": replace(claim, model=SCORER),
        "request batch": replace(claim, requests=replace(claim.requests, fee_wei=1)),
        "claim batch": replace(claim, claims=replace(claim.claims, bond_wei=1)),
        "other counts": replace(claim, scoring=replace(claim.scoring, items=claim.scoring.items[1:])),
    }
    for what, other in others.items():
        with pytest.raises(Doubt, match=what):
            other.require_true(DOMAIN)
    with pytest.raises(Doubt, match="request batch"):
        claim.require_true(replace(DOMAIN, score_claims=DOMAIN.inbox))


def test_trees__other_items_or_scores_than_on_chain__are_doubted(claim: ScoreClaim) -> None:
    scoring_ = claim.scoring
    with pytest.raises(Doubt, match="root of items"):
        _ = replace(claim, scoring=replace(scoring_, items=scoring_.items[::-1])).item_tree
    with pytest.raises(Doubt, match="root of scores"):
        _ = replace(claim, scoring=replace(scoring_, scores=scoring_.scores[::-1])).score_tree


def test_scored_id__binds_all_that_an_item_is_about() -> None:
    source, subject, root = DOMAIN.trainings, b"s" * 32, BundleRoot(b"i" * 32)
    ids = {
        scored_id(source, subject, 0, root),
        scored_id(DOMAIN.generations, subject, 0, root),
        scored_id(source, b"t" * 32, 0, root),
        scored_id(source, subject, 1, root),
        scored_id(source, subject, 0, BundleRoot(b"j" * 32)),
    }
    assert len(ids) == 5


@pytest.mark.parametrize("index", [-1, 7])
def test_witness__of_no_item__is_refused(claim: ScoreClaim, index: int) -> None:
    for ask in (claim.witness, claim.item, claim.item_id, claim.claim_id):
        with pytest.raises(NotFound, match=r"outside 0\.\.6"):
            ask(index)


def test_witness__of_every_item__proves_its_request_and_its_score(claim: ScoreClaim) -> None:
    for index in range(7):
        witness = claim.witness(index)
        leaf, item = entry_leaf(witness.entry), claim.item_id(index)
        assert top_of_run([leaf], index, 7, witness.entry_path, keccak256) == claim.claims.root
        assert top_of_run([item], index, 7, witness.request_path, keccak256) == claim.requests.root
        assert (witness.request.nonce, witness.request.inputs_root) == (index, claim.scoring.items[index])
        assert witness.request.property == claim.scoring.subject


def test_indices__know_items_by_both_ids(claim: ScoreClaim) -> None:
    assert [claim.indices[claim.claim_id(index)] for index in range(7)] == list(range(7))
    assert [claim.indices[claim.item_id(index)] for index in range(7)] == list(range(7))


@pytest.mark.parametrize(("scores", "width"), [(1, 4), (16, 64), (17, 32)])
def test_entry__is_whole_up_to_64_bytes(scores: int, width: int) -> None:
    model = scorer_model(scores)
    given = replace(scoring(2), scorer=model_id(model), scores=b"a" * width + b"b" * width)
    claim = claim_of_scores(DOMAIN.generations, given, model, DOMAIN, 1)
    assert [claim.entry(0), claim.entry(1)] == [b"a" * width, b"b" * width]
