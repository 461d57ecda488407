"""Numbers claimed where every run overflows, on a real chain: each is challenged, and falls however it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor

from executor.models import LoadedModel, load_model
from executor.tensors import canonical_bytes, from_canonical, is_finite, to_canonical
from executor.trace import Trace, recompute
from prover import checker
from prover.forced import capped_run
from rollup.properties.scores import derived
from rollup.types import Certainty, DisputeStatus
from rollup.view import MadeScores
from tests.actors import Lie
from tests.chain_fixture import CHALLENGER, Anvil, anvil_key
from tests.executor.nets import ConvNet
from tests.prover.arena import TERMS, WINDOWS, Arena
from tests.prover.classroom import Classroom
from tests.prover.school import SEALED
from tests.prover.scorers import Likelihood

HUGE = 3e38


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    with Anvil() as chain:
        yield chain


# Scores.


@pytest.fixture(scope="module")
def room(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return Classroom(chain, tmp_path_factory.mktemp("classroom"), score=Likelihood)


@pytest.fixture(scope="module")
def huge(room: Classroom) -> LoadedModel:
    """The scorer with weights that a liar chose: finite, and too large for any run."""
    weights = [to_canonical(weight * 1e30) for weight in room.scorer.network.weights]
    root = room.blobs.put_tensors(weights)
    return load_model(room.blobs, derived(room.scorer.record, root), 2**30, is_tested=False)


def perfect(room: Classroom, huge: LoadedModel) -> tuple[MadeScores, int]:
    """A claim that the huge weights make no mistake, and the item that is challenged for it."""
    room.revealed(huge.record.weights_root)
    made = room.scored(replace(room.truth(huge), scores=[1.0] * SEALED))
    room.tower = room.watchtower(CHALLENGER)
    room.look()
    (item,) = room.disputed(made)
    assert room.view.dispute(made.claim.claim_id(item)).challenger == anvil_key(CHALLENGER).address
    return made, item


def inputs_of(room: Classroom, item: int) -> list[Tensor]:
    return [from_canonical(tensor) for tensor in room.sealed[item]]


def test_perfect_scores_of_huge_weights__opened_with_their_overflow__are_rejected(
    room: Classroom, huge: LoadedModel
) -> None:
    made, item = perfect(room, huge)
    room.opens(made, item, room.trace_of(huge, item))
    room.look()
    assert room.standing(made) is Certainty.PROVISIONAL
    room.anvil.warp(WINDOWS.challenge + WINDOWS.collect + WINDOWS.prove)
    room.look()
    assert room.standing(made) is Certainty.REJECTED
    assert room.item_dispute(made, item).status is DisputeStatus.REJECTED


def test_perfect_scores_of_huge_weights__opened_with_numbers_in_place_of_the_overflow__are_slashed(
    room: Classroom, huge: LoadedModel
) -> None:
    made, item = perfect(room, huge)
    results = capped_run(huge.network, inputs_of(room, item), huge.numerics.profile)
    assert all(map(is_finite, results))
    trace = Trace.of(results)
    room.blobs.put_tensors(list(trace.tensors))
    before = room.vault_of(CHALLENGER)
    room.opens(made, item, trace)
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    assert room.vault_of(CHALLENGER) - before >= made.claim.claims.bond_wei // 4


def test_perfect_scores_of_huge_weights__that_nobody_opens__are_slashed(room: Classroom, huge: LoadedModel) -> None:
    made, _ = perfect(room, huge)
    room.anvil.warp(WINDOWS.open)
    room.look()
    assert room.standing(made) is Certainty.REFUTED


# Ordinary claims.


class Number(Lie):
    """Claims numbers where its own run overflows, and opens that run."""

    name = "a number past an overflow"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return canonical_bytes(torch.ones(model.network.graph.output.shape))

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(recompute(model.network, inputs))


class Capped(Number):
    """Claims the same, and opens a run that has the largest number wherever it overflows."""

    name = "the largest number"

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(capped_run(model.network, inputs, model.numerics.profile))


@pytest.fixture(scope="module")
def arena(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Arena:
    net = ConvNet()
    with torch.no_grad():
        next(net.parameters()).mul_(16.0)
    return Arena(chain, tmp_path_factory.mktemp("arena"), net, replace(TERMS, hi=HUGE))


BRIGHT = [torch.full((1, 1, 8, 8), HUGE)]


def test_a_number_where_another_run_may_not_overflow__is_said_once_and_left_alone(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "find_forced", lambda *_: None)
    liar = arena.liar(Number())
    liar.claim(arena.view, arena.ask(BRIGHT))
    claim = arena.newest()
    with capture_logs() as logs:
        arena.look(3)
    said = [entry for entry in logs if entry.get("claim") == claim.hex()]
    assert [entry["event"] for entry in said] == ["watchtower.output_overflows", "watchtower.waits"]
    assert "my own run overflows" in said[1]["reason"]
    assert arena.dispute(claim).status is DisputeStatus.NONE
    liar.close()
    arena.anvil.warp(WINDOWS.challenge)


@pytest.mark.parametrize(
    ("lie", "at_once", "at_last"),
    [(Number, Certainty.CHALLENGED, Certainty.REJECTED), (Capped, Certainty.REFUTED, Certainty.REFUTED)],
    ids=["overflow opened", "number opened"],
)
def test_numbers_past_an_overflow__are_challenged_and_fall(
    arena: Arena, lie: type[Lie], at_once: Certainty, at_last: Certainty
) -> None:
    assert not is_finite(recompute(arena.model.network, BRIGHT)[-1])
    liar = arena.liar(lie())
    liar.claim(arena.view, arena.ask(BRIGHT))
    claim = arena.newest()
    arena.look()
    assert arena.view.dispute(claim).challenger == anvil_key(CHALLENGER).address
    liar.answer(arena.view, claim)
    arena.look(2)
    assert arena.certainty(claim) is at_once
    arena.anvil.warp(WINDOWS.collect + WINDOWS.prove)
    arena.look()
    assert arena.certainty(claim) is at_last
    liar.close()
