"""Hidden networks that are too large for one dispute: shown in several side by side, whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from torch import nn

from executor.models import LoadedModel
from executor.tensors import to_canonical
from prover import withholding
from prover.known import Held
from prover.withheld import dealt
from rollup.errors import Doubt
from rollup.graph import Source
from rollup.types import MAX_DEMAND_LEAVES, Certainty, LeafRef
from rollup.view import MadeScores
from tests.chain_fixture import CHALLENGER, Anvil
from tests.executor.nets import ConvNet
from tests.prover.arena import WINDOWS
from tests.prover.classroom import Classroom
from tests.prover.school import SEALED, Paper

LEAVES = tuple(LeafRef(0, 2, leaf) for leaf in range(3 * MAX_DEMAND_LEAVES - 6))


# Who is asked for what.


def test_dealt__more_leaves_than_items_can_be_asked_for__is_doubted() -> None:
    with pytest.raises(Doubt, match="762 leaves that nobody serves are to be shown, and only 522 can be demanded"):
        dealt(LEAVES, [(3, 10)], [7, 1])
    with pytest.raises(Doubt, match="only 0 can be demanded"):
        dealt(LEAVES, [(3, 0)], [])


def test_dealt__disputes_first_then_as_few_others_as_it_takes() -> None:
    given = dealt(LEAVES, [(3, 250), (9, 0)], [7, 1, 5])
    assert {item: len(part) for item, part in given.items()} == {3: 250, 9: 0, 7: 256, 1: 256}
    assert sum(given.values(), ()) == LEAVES
    assert dealt(LEAVES[:5], [(3, 250)], [7]) == {3: LEAVES[:5]}
    assert dealt((), [], [7]) == {}


# On a real chain.


class WideNet(ConvNet):
    """Weights of more than 256 KiB."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.logits = nn.Linear(64, 1024), nn.Linear(1024, 10)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    with Anvil() as chain:
        yield Classroom(chain, tmp_path_factory.mktemp("wide"), WideNet)


@pytest.fixture(autouse=True)
def _a_bold_watchtower(room: Classroom) -> None:
    room.tower = room.watchtower(CHALLENGER, challenges_unserved=True)


def leaf_count(model: LoadedModel) -> int:
    return sum(spec.leaf_count for spec in model.network.graph.weights)


def flattered(room: Classroom, hidden: LoadedModel) -> tuple[MadeScores, list[int]]:
    """A claim whose weights nobody serves, one score of which is false: which one, and the true ones."""
    room.revealed(hidden.record.weights_root)
    paper = room.truth(hidden)
    false = paper.scores.index(0.0)
    scores = [*paper.scores[:false], 1.0, *paper.scores[false + 1 :]]
    made = room.scored(Paper(paper.weights, paper.items, scores))
    return made, [item for item in range(SEALED) if item != false]


def test_a_large_hidden_network__is_shown_in_two_disputes_and_falls_by_a_third(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = room.other_weights(2, is_served=False)
    assert MAX_DEMAND_LEAVES < leaf_count(hidden) < 2 * MAX_DEMAND_LEAVES
    made, honest = flattered(room, hidden)
    # The liar is in luck: its false item is not among those that are asked at.
    monkeypatch.setattr(secrets.SystemRandom, "sample", lambda _, among, k: [i for i in among if i in honest][:k])
    before = room.vault_of(CHALLENGER)
    room.anvil.warp(WINDOWS.challenge // 2)
    room.look()
    asked = room.disputed(made)
    assert len(asked) == 2
    # It opens at the last moment, so that the window of its model is over when its weights are known.
    room.anvil.warp(WINDOWS.open - 5)
    for item in asked:
        room.opens(made, item, room.trace_of(hidden, item))
    room.look(1 + MAX_DEMAND_LEAVES // 64)
    assert sum(room.item_dispute(made, item).demanded for item in asked) == leaf_count(hidden)
    room.anvil.warp(WINDOWS.collect)
    assert room.view.now > made.window_end
    read = weights_of(hidden)
    for item in asked:
        room.supplies(made.claim.claim_id(item), read)
    room.look()
    (third,) = set(room.disputed(made)) - set(asked)
    assert third not in honest
    room.opens(made, third, room.trace_of(hidden, third))
    room.look()
    assert room.standing(made) is Certainty.REFUTED
    # Whoever asked at the wrong items pays nothing for it.
    room.anvil.warp(WINDOWS.collect + WINDOWS.supply + WINDOWS.prove)
    room.look(2)
    assert room.disputed(made) == []
    assert room.vault_of(CHALLENGER) - before >= made.claim.claims.bond_wei // 4


def test_a_large_hidden_network_that_is_not_supplied__starves(room: Classroom) -> None:
    hidden = room.other_weights(2, is_served=False)
    made, _ = flattered(room, hidden)
    room.anvil.warp(WINDOWS.challenge // 2)
    room.look()
    asked = room.disputed(made)
    room.opens(made, asked[0], room.trace_of(hidden, asked[0]))
    room.opens(made, asked[1], room.trace_of(hidden, asked[1]))
    room.look(2)
    # Killed: what was asked for, and where, is known from the chain.
    room.tower = room.watchtower(CHALLENGER, challenges_unserved=True)
    room.look(3)
    assert room.disputed(made) == asked
    assert sum(room.item_dispute(made, item).demanded for item in asked) == leaf_count(hidden)
    room.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    room.look()
    assert room.standing(made) is Certainty.REFUTED


def test_a_hidden_network_that_is_too_large_to_be_shown__is_spoken_of_and_left_alone(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withholding, "MAX_DISPUTES", 1)
    hidden = room.other_weights(2, is_served=False)
    made, _ = flattered(room, hidden)
    room.anvil.warp(WINDOWS.challenge // 2)
    with capture_logs() as logs:
        room.look()
    assert room.disputed(made) == []
    words = f"not watchable: nobody serves {leaf_count(hidden)} leaves of the weights, at most 256 are demanded"
    assert words in [entry.get("reason") for entry in logs]


def weights_of(model: LoadedModel) -> dict[tuple[int, int], tuple[Held, int]]:
    """Weights by the step and slot that read each."""
    held = Held([to_canonical(weight) for weight in model.network.weights])
    return {
        (number, slot): (held, operand.index)
        for number, step in enumerate(model.network.graph.steps)
        for slot, operand in enumerate(step.operands, 1)
        if operand.source is Source.WEIGHT
    }
