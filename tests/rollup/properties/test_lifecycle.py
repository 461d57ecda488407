"""The tables of statuses, against the protocol's own list of legal moves (PROTOCOL.md, 7)."""

from __future__ import annotations

from itertools import product

import pytest

from rollup.errors import Doubt
from rollup.properties.lifecycle import GENERATION_ENDS, TRAINING_ENDS, moved_generation, moved_training
from rollup.properties.types import GenerationStatus as G
from rollup.properties.types import TrainingStatus as T

TRAINING = {
    (T.NONE, T.REQUESTED),
    (T.REQUESTED, T.COMMITTING),
    (T.REQUESTED, T.CANCELLED),
    (T.COMMITTING, T.CANCELLED),
    (T.COMMITTING, T.UNSCORED),
    (T.COMMITTING, T.REVEALED),
    (T.REVEALED, T.UNSCORED),
    (T.REVEALED, T.MISSED),
    (T.REVEALED, T.TRAINED),
}
GENERATION = {
    (G.NONE, G.OPEN),
    (G.OPEN, G.CLAIMED),
    (G.OPEN, G.REFUNDED),
    (G.CLAIMED, G.OPEN),
    (G.CLAIMED, G.FINAL),
}


@pytest.mark.parametrize(("before", "after"), list(product(T, T)))
def test_moved_training__allows_what_the_protocol_allows(before: T, after: T) -> None:
    if (before, after) in TRAINING:
        assert moved_training(before, after) is after
    else:
        with pytest.raises(Doubt, match=f"a training cannot go from {before.name} to {after.name}"):
            moved_training(before, after)


@pytest.mark.parametrize(("before", "after"), list(product(G, G)))
def test_moved_generation__allows_what_the_protocol_allows(before: G, after: G) -> None:
    if (before, after) in GENERATION:
        assert moved_generation(before, after) is after
    else:
        with pytest.raises(Doubt, match=f"a generation cannot go from {before.name} to {after.name}"):
            moved_generation(before, after)


def test_ends__are_those_from_which_nothing_leads() -> None:
    assert {T.CANCELLED, T.UNSCORED, T.MISSED, T.TRAINED} == TRAINING_ENDS
    assert {G.FINAL, G.REFUNDED} == GENERATION_ENDS
