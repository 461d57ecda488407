"""The watchtower and false claims of scores on a real chain: each falls as it should, and the honest one stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from executor.tensors import to_canonical
from prover.known import Held
from rollup.chain.scores import Scores
from rollup.graph import Source
from rollup.properties.types import TrainingStatus
from rollup.types import Certainty, DisputeStatus
from tests.chain_fixture import CHALLENGER, KEEPER, USER, Anvil, anvil_key
from tests.prover.arena import WINDOWS
from tests.prover.classroom import Classroom
from tests.prover.school import SEALED, Paper


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    with Anvil() as chain:
        yield Classroom(chain, tmp_path_factory.mktemp("classroom"))


def truth(room: Classroom) -> Paper:
    room.revealed(room.trained.record.weights_root)
    return room.truth(room.trained)


def test_an_honest_claim__is_left_alone_and_becomes_final(room: Classroom) -> None:
    made = room.scored(truth(room))
    room.look(3)
    assert room.disputed(made) == []
    room.anvil.warp(WINDOWS.challenge)
    room.anvil.sender(KEEPER).send(Scores(room.deployment).finalise(made.claim.claims))
    room.look()
    assert room.standing(made) is Certainty.FINAL


def test_missed_items_claimed_as_met__fall_by_the_link_of_one_of_them(room: Classroom) -> None:
    paper = truth(room)
    missed = [item for item, score in enumerate(paper.scores) if score == 0.0]
    made = room.scored(replace(paper, scores=[1.0] * SEALED))
    before = room.vault_of(CHALLENGER)
    room.look(2)
    (item,) = room.disputed(made)
    assert item in missed
    assert room.view.dispute(made.claim.claim_id(item)).challenger == anvil_key(CHALLENGER).address
    room.opens(made, item, room.trace_of(room.trained, item))
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    assert room.vault_of(CHALLENGER) - before >= room.view.claim(made.claim.claim_id(item)).bond_wei // 4


def test_scores_that_the_committed_weights_do_not_have__fall_by_a_step_of_the_better_ones(room: Classroom) -> None:
    room.revealed(room.scorer.record.weights_root)
    better = room.truth(room.trained)
    made = room.scored(replace(better, weights=room.scorer.record.weights_root))
    room.look()
    (item,) = room.disputed(made)
    room.opens(made, item, room.trace_of(room.trained, item))
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    assert room.item_dispute(made, item).status is DisputeStatus.REFUTED


def test_weights_that_are_not_finite__are_condemned_at_once(room: Classroom) -> None:
    broken = Held([to_canonical(weight * float("nan")) for weight in room.trained.network.weights])
    room.blobs.put_tensors(list(broken.tensors))
    room.revealed(broken.bundle.root)
    made = room.scored(replace(room.truth(room.trained), weights=broken.bundle.root, scores=[1.0] * SEALED))
    before = room.vault_of(CHALLENGER)
    room.look(2)
    assert room.disputed(made) == []
    assert room.standing(made) is Certainty.REFUTED
    assert room.vault_of(CHALLENGER) - before >= made.claim.claims.bond_wei // 4


def test_weights_that_are_not_finite__are_condemned_although_their_training_was_spoiled(room: Classroom) -> None:
    broken = Held([to_canonical(weight * float("nan")) for weight in room.trained.network.weights])
    room.blobs.put_tensors(list(broken.tensors))
    room.revealed_spoiled(broken.bundle.root)
    made = room.scored(replace(room.truth(room.trained), weights=broken.bundle.root, scores=[1.0] * SEALED))
    training = room.view.training(room.id).training
    room.anvil.sender(USER).send(room.calls.spoil(training, room.pool.shown(0)))
    assert room.status() is TrainingStatus.UNSCORED
    before = room.vault_of(CHALLENGER)
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    assert room.vault_of(CHALLENGER) - before == made.claim.claims.bond_wei // 4


def test_one_edited_score_whose_liar_falls_silent__is_concluded_by_a_new_watchtower(room: Classroom) -> None:
    paper = truth(room)
    edited = paper.scores.index(0.0)
    paper.scores[edited] = 1.0
    made = room.scored(paper)
    room.look()
    assert room.disputed(made) == [edited]
    room.anvil.warp(WINDOWS.open)
    # Killed: all that the next one knows is the chain.
    room.tower = room.watchtower(CHALLENGER)
    room.look()
    assert room.standing(made) is Certainty.REFUTED


def test_weights_that_nobody_serves__are_demanded_and_starve(room: Classroom) -> None:
    hidden = room.other_weights(5, is_served=False)
    room.revealed(hidden.record.weights_root)
    made = room.scored(replace(room.truth(room.trained), weights=hidden.record.weights_root))
    room.tower = room.watchtower(CHALLENGER, challenges_unserved=True)
    room.look()
    assert room.disputed(made) == []
    room.anvil.warp(WINDOWS.challenge // 2)
    room.look(2)
    (item,) = room.disputed(made)
    room.opens(made, item, room.trace_of(hidden, item))
    room.look(2)
    dispute = room.item_dispute(made, item)
    assert dispute.demanded == sum(spec.leaf_count for spec in room.scorer.network.graph.weights)
    room.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    room.look()
    assert room.standing(made) is Certainty.REFUTED


def test_weights_supplied_on_chain__are_everybodys_and_show_the_lie(room: Classroom) -> None:
    hidden = room.other_weights(6, is_served=False)
    room.revealed(hidden.record.weights_root)
    flattered = [1.0 - score for score in room.truth(hidden).scores]
    made = room.scored(replace(room.truth(room.trained), weights=hidden.record.weights_root, scores=flattered))
    room.tower = room.watchtower(CHALLENGER, challenges_unserved=True)
    room.anvil.warp(WINDOWS.challenge // 2)
    room.look(2)
    (item,) = room.disputed(made)
    room.opens(made, item, room.trace_of(hidden, item))
    room.look(2)
    held = Held([to_canonical(weight) for weight in hidden.network.weights])
    read = {
        (number, slot): (held, operand.index)
        for number, step in enumerate(hidden.network.graph.steps)
        for slot, operand in enumerate(step.operands, 1)
        if operand.source is Source.WEIGHT
    }
    room.supplies(made.claim.claim_id(item), read)
    room.look(2)
    assert room.standing(made) is Certainty.REFUTED
    assert room.item_dispute(made, item).supplied == room.item_dispute(made, item).demanded > 0


def test_an_item_that_is_not_the_pools__is_unmasked_without_a_dispute(room: Classroom) -> None:
    paper = truth(room)
    paper.items[2], paper.scores[2] = paper.items[3], paper.scores[3]
    made = room.scored(paper)
    before = room.vault_of(CHALLENGER)
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    assert room.view.scores(made.id).contested == frozenset()
    assert room.vault_of(CHALLENGER) - before == made.claim.scoring.bond_wei // 4


def test_a_pool_whose_key_does_not_fit__is_spoiled(room: Classroom) -> None:
    room.revealed_spoiled(room.trained.record.weights_root)
    room.look()
    assert room.status() is TrainingStatus.UNSCORED


def test_a_pool_with_items_out_of_range__is_spoiled(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = [[picture, to_canonical(torch.tensor([2**40]))] for picture, _ in room.items]
    monkeypatch.setattr(room, "items", strange)
    made = room.scored(replace(truth(room), scores=[1.0] * SEALED))
    room.look()
    assert room.status() is TrainingStatus.UNSCORED
    assert room.disputed(made) == []


def test_weights_that_overflow__hide_no_lie(room: Classroom) -> None:
    huge = room.blobs.put_tensors([to_canonical(weight * 1e20) for weight in room.scorer.network.weights])
    room.revealed(huge)
    made = room.scored(replace(room.truth(room.trained), weights=huge))
    room.tower = room.watchtower(CHALLENGER)
    room.look()
    (item,) = room.disputed(made)
    room.opens(made, item, room.trace_of(room.trained, item))
    room.look()
    assert room.standing(made) is Certainty.REFUTED
