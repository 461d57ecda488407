"""Trainings and texts on a real chain: the view follows, and equals what the contracts themselves say."""

from __future__ import annotations

import struct
from random import Random

import pytest

from rollup.codec import model_id
from rollup.config import Deployment
from rollup.errors import Reverted
from rollup.properties.aggregate import judge, progress
from rollup.properties.draw import uniforms
from rollup.properties.pool import item_key
from rollup.properties.scores import claim_of_scores, derived
from rollup.properties.types import (
    LANE_SCORES,
    Aggregate,
    Commit,
    Comparison,
    GenerationState,
    GenerationStatus,
    Property,
    TrainingId,
    TrainingState,
    TrainingStatus,
    Unmasking,
)
from rollup.tensor import Bundle
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    BundleRoot,
    Certainty,
    ClaimBatchId,
    DisputeStatus,
    RequestId,
    TraceOpening,
)
from rollup.view import Delivery
from tests.chain_fixture import CHALLENGER, EXECUTOR, KEEPER, USER, Anvil, anvil_key
from tests.rollup.chain.property_world import BOND, POOL_KEY, TOKENS, PropertyWorld, weights
from tests.rollup.properties.examples import ACCURACY, SCORER, TRAINING, WINDOWS, architecture_model

GOOD, BETTER, BAD = [1.0, 0.5] * 4, [1.0] * 7 + [0.5], [0.25] * 8
EXECUTOR_ADDRESS = anvil_key(EXECUTOR).address


@pytest.fixture
def world(anvil: Anvil, deployment: Deployment) -> PropertyWorld:
    return PropertyWorld(anvil, deployment)


def word(data: bytes) -> bytes:
    return data or ZERO_WORD


def require_same_training(world: PropertyWorld, id_: TrainingId) -> None:
    """The view and Trainings agree on a training, and on every commitment and claim of scores."""
    known = world.view.training(id_)
    expected = TrainingState(
        known.status, known.opened_at, known.revealed_at, len(known.commits), known.winner, word(known.seed),
        word(known.pool_key), known.model,
    )  # fmt: skip
    assert world.trainings.state_of(world.now, id_) == expected
    for made in known.commits:
        claim = made.claim or ClaimBatchId(ZERO_WORD)
        commit = Commit(made.executor, made.commitment, claim, made.total, made.weights_root)
        assert world.trainings.commit_of(world.now, id_, made.number) == commit
        if made.claim is not None:
            require_same_scores(world, made.claim)


def require_same_scores(world: PropertyWorld, id_: ClaimBatchId) -> None:
    known = world.view.scores(id_)
    standing = world.scores.standing_of(world.now, id_)
    assert (standing.certainty, standing.disputes) == (known.certainty, len(known.disputed))
    if known.certainty is Certainty.PROVISIONAL:
        assert (standing.final_at, standing.bond_wei) == (known.final_from, known.claim.claims.bond_wei)
    model = known.claim.model
    assert world.scores.model(world.now, model_id(model)) == model == world.view.model(model_id(model))
    for index in known.contested:
        item = known.claim.claim_id(index)
        mine, dispute = world.view.dispute(item), world.disputes.dispute_of(world.now, item, LANE_SCORES)
        assert (mine.status, mine.challenged_at, mine.opened_at) == (
            dispute.status,
            dispute.challenged_at,
            dispute.opened_at,
        )


def require_same_text(world: PropertyWorld, id_: RequestId) -> None:
    known = world.view.generation(id_)
    state = world.generations.state_of(world.now, id_)
    scores = world.view.text_scores(known)
    executor = ZERO_ADDRESS if scores is None else scores.executor
    assert state == GenerationState(
        known.status, known.anchor, executor, word(known.seed), known.lessee, known.leased_until, known.deadline,
        known.attempts, known.claim or ClaimBatchId(ZERO_WORD), state.output, known.delivery is Delivery.SENT,
    )  # fmt: skip
    assert any(state.output) == bool(known.tokens)


def revealed(world: PropertyWorld, commits: int = 2) -> TrainingId:
    id_ = world.training().id
    world.opened(id_)
    for _ in range(commits):
        world.committed(id_)
    world.revealed(id_)
    return id_


# Trainings.


def test_refusals__come_back_by_name_and_values(world: PropertyWorld) -> None:
    id_ = revealed(world)
    with pytest.raises(Reverted, match=r"PropertyMissed\(total \d+, count 8\)"):
        world.score(id_, 0, BAD)
    with pytest.raises(Reverted, match="NotTheExecutor"):
        world.score(id_, 0, GOOD, who=CHALLENGER)
    with pytest.raises(Reverted, match=r"TooEarly\(current \d+, from \d+\)"):
        world.do(KEEPER, world.trainings.settle(world.known(id_)))
    with pytest.raises(Reverted, match=r"PoolIsSound\(index 3\)"):
        world.do(KEEPER, world.trainings.spoil(world.known(id_), world.pool.shown(3)))


def test_training__from_the_request_to_the_model(world: PropertyWorld) -> None:
    id_ = world.training().id
    assert world.trainings.training_id_of(world.now, world.known(id_)) == id_
    require_same_training(world, id_)
    world.opened(id_)
    require_same_training(world, id_)
    draw = world.view.training(id_).draw
    for item in range(draw.sealed_count):
        assert world.trainings.sealed_index(world.now, draw.seed, 12, 4, item) == draw.sealed_index(item)
    first, second = world.committed(id_), world.committed(id_, CHALLENGER)
    require_same_training(world, id_)
    world.revealed(id_)
    require_same_training(world, id_)
    world.score(id_, first, GOOD)
    world.score(id_, second, BETTER, CHALLENGER)
    require_same_training(world, id_)
    assert world.trainings.trained(world.now, id_)[1] is Certainty.PROVISIONAL
    world.warp(WINDOWS.challenge)
    assert world.kept() == ["FinaliseScores", "FinaliseScores"]
    require_same_training(world, id_)
    world.warp(TRAINING.terms.claim)
    assert world.kept() == ["SettleTraining"]
    require_same_training(world, id_)
    model = derived(architecture_model(), weights(second))
    assert world.trainings.trained(world.now, id_) == (model_id(model), Certainty.FINAL)
    assert world.view.training(id_).winner == second
    assert world.view.model(model_id(model)) == model
    assert world.kept() == []


def test_training__winner_is_paid_what_its_progress_is_worth(world: PropertyWorld) -> None:
    id_ = revealed(world, 1)
    before = world.vault.balance_of(world.now, EXECUTOR_ADDRESS)
    world.score(id_, 0, BETTER)
    world.warp(TRAINING.terms.claim)
    world.kept()
    world.kept()
    total = world.view.training(id_).commits[0].total
    terms = TRAINING.terms
    paid = terms.fee_wei + (terms.bonus_wei * progress(ACCURACY, terms.full_score, total, 8) >> 64)
    assert world.view.training(id_).paid_wei == paid
    after = world.vault.balance_of(world.now, EXECUTOR_ADDRESS)
    assert after - before == paid + terms.commit_fee_wei + BOND
    assert world.vault.escrow_of(world.now, world.trainings.address) == 0
    assert world.vault.escrow_of(world.now, world.scores.address) == 0


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_training__that_gets_stuck__is_ended_by_the_keeper(world: PropertyWorld, steps: int) -> None:
    id_ = world.training().id
    for act in (world.opened, world.committed)[:steps]:
        act(id_)
    world.warp(TRAINING.terms.commit + TRAINING.terms.reveal)
    assert world.kept() == ["SettleTraining"]
    require_same_training(world, id_)
    ends = [TrainingStatus.CANCELLED, TrainingStatus.CANCELLED, TrainingStatus.UNSCORED]
    assert world.view.training(id_).status is ends[steps]


def test_scores__are_what_they_were_before_they_were_made(world: PropertyWorld) -> None:
    id_ = revealed(world)
    claim = world.view.scores(world.score(id_, 0, GOOD)).claim
    built = claim_of_scores(
        world.trainings.address, claim.scoring, SCORER, world.deployment.domain, claim.claims.claimed_at
    )
    assert built == claim
    assert built.item_tree.top == claim.requests.root


def test_item__in_the_game_of_scores__is_disputed_like_a_claim(world: PropertyWorld) -> None:
    id_ = revealed(world)
    claim = world.view.scores(world.score(id_, 0, GOOD)).claim
    silent, opened = claim.claim_id(3), claim.claim_id(5)
    for item in (silent, opened):
        world.do(CHALLENGER, world.disputes.challenge(world.view.witness(item), value_wei=BOND))
        require_same_training(world, id_)
    opening = [TraceOpening(5, BundleRoot(b"t" * 32))]
    world.do(EXECUTOR, world.disputes.open(claim.claims, opening, LANE_SCORES))
    assert world.view.dispute(opened).status is DisputeStatus.OPENED
    require_same_training(world, id_)
    world.warp(WINDOWS.open)
    world.do(KEEPER, world.disputes.conclude(world.view.witness(silent)))
    require_same_training(world, id_)
    assert world.view.scores(claim.id).certainty is world.view.claim(silent).certainty is Certainty.REFUTED
    assert [dispute.claim for dispute in world.view.open_disputes()] == [opened]
    world.warp(WINDOWS.collect + WINDOWS.prove)
    world.do(KEEPER, world.disputes.conclude(world.view.witness(opened)))
    require_same_training(world, id_)
    assert world.view.open_disputes() == []
    assert world.vault.escrow_of(world.now, world.deployment.score_game) == 0


def test_item__acquitted__puts_off_the_end_of_the_whole(world: PropertyWorld) -> None:
    id_ = revealed(world)
    claim = world.view.scores(world.score(id_, 0, GOOD)).claim
    item = claim.claim_id(0)
    world.do(CHALLENGER, world.disputes.challenge(world.view.witness(item), value_wei=BOND))
    world.do(EXECUTOR, world.disputes.open(claim.claims, [TraceOpening(0, BundleRoot(b"t" * 32))], LANE_SCORES))
    world.warp(WINDOWS.collect + WINDOWS.prove)
    world.do(KEEPER, world.disputes.conclude(world.view.witness(item)))
    require_same_training(world, id_)
    final_from = world.view.scores(claim.id).final_from
    assert final_from > world.view.now
    world.warp(final_from - world.view.now)
    assert "FinaliseScores" in world.kept()
    require_same_training(world, id_)
    assert world.view.claim(item).certainty is Certainty.FINAL


def test_unmask__an_item_that_is_not_the_pools__refutes_its_claim(world: PropertyWorld) -> None:
    id_ = revealed(world)
    claim = world.view.scores(world.score(id_, 0, GOOD, swapped=4)).claim
    draw = world.view.training(id_).draw
    index, other = draw.sealed_index(4), draw.sealed_index(3)
    pooled, claimed = world.masked[index], world.items[other]
    paths = [Bundle([tensor.root for tensor in item]).path(0) for item in (pooled, claimed)]
    shown = Unmasking(
        4, claim.scoring.items[4], claim.item_tree.path(4), world.pool.shown(index), 0, 0,
        pooled[0].open_leaves(0, 0, paths[0]), claimed[0].open_leaves(0, 0, paths[1]),
    )  # fmt: skip
    world.do(CHALLENGER, world.trainings.unmask(world.known(id_), 0, claim.claims, shown))
    assert world.view.scores(claim.id).certainty is Certainty.REFUTED
    require_same_training(world, id_)
    assert item_key(POOL_KEY, index) != item_key(POOL_KEY, other)


# Texts.


def test_text__from_the_request_to_the_payment(world: PropertyWorld) -> None:
    id_ = world.generation().id
    assert world.generations.generation_id_of(world.now, world.text(id_)) == id_
    require_same_text(world, id_)
    world.anvil.mine(2)
    world.follower.catch_up()
    assert world.kept() == ["DrawText"]
    require_same_text(world, id_)
    seed = world.view.generation(id_).seed
    assert world.generations.uniforms_of(world.now, seed, 9) == uniforms(seed, 9)
    world.taken(id_)
    require_same_text(world, id_)
    claim = world.generated(id_)
    require_same_text(world, id_)
    require_same_scores(world, claim)
    world.warp(WINDOWS.challenge)
    assert world.kept() == ["SettleText"]
    require_same_text(world, id_)
    require_same_scores(world, claim)
    assert world.view.generation(id_).status is GenerationStatus.FINAL
    assert world.view.generation(id_).tokens == TOKENS


def test_text__drawn_too_late__gets_another_anchor(world: PropertyWorld) -> None:
    id_ = world.generation().id
    world.anvil.mine(300)
    world.follower.catch_up()
    assert world.kept() == ["DrawText"]
    require_same_text(world, id_)
    assert not world.view.generation(id_).is_drawn
    world.anvil.mine(2)
    world.follower.catch_up()
    assert world.kept() == ["DrawText"]
    require_same_text(world, id_)
    assert world.view.generation(id_).is_drawn


def test_text__whose_claim_falls__is_reopened_and_in_the_end_refunded(world: PropertyWorld) -> None:
    id_ = world.generation().id
    world.anvil.mine(2)
    world.follower.catch_up()
    world.kept()
    world.taken(id_)
    claim = world.view.scores(world.generated(id_)).claim
    item = claim.claim_id(0)
    world.do(CHALLENGER, world.disputes.challenge(world.view.witness(item), value_wei=BOND))
    world.warp(WINDOWS.open)
    world.do(KEEPER, world.disputes.conclude(world.view.witness(item)))
    require_same_text(world, id_)
    assert world.kept() == ["ReopenText"]
    require_same_text(world, id_)
    before = world.vault.balance_of(world.now, anvil_key(USER).address)
    world.warp(world.view.generation(id_).deadline - world.view.now)
    assert world.kept() == ["RefundText"]
    require_same_text(world, id_)
    fee = world.text(id_).terms.fee_wei
    assert world.vault.balance_of(world.now, anvil_key(USER).address) - before == fee


# What scores come to.


def test_judge__random_scores__are_judged_alike_on_and_off_chain(world: PropertyWorld) -> None:
    random = Random("judge")
    for turn in range(32):
        scores = struct.pack(">5f", *(random.gauss(0, 1) * 2.0 ** random.randrange(-140, 60, 20) for _ in range(5)))
        threshold = int.from_bytes(scores[:4], "big")
        wanted = Property(Aggregate(turn % 4), Comparison(turn // 4 % 4), threshold)
        outcome = judge(wanted, scores)
        assert world.judge.judge(world.now, wanted, bytes(32), scores) == outcome
        full = int.from_bytes(scores[4:8], "big")
        assert world.judge.progress(world.now, wanted, full, outcome) == progress(wanted, full, outcome.total, 5)
