"""Which status of a training, or of a generation, may follow which: two tables. Knows nothing of time or money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rollup.errors import Doubt
from rollup.properties.types import GenerationStatus, TrainingStatus

S = TypeVar("S", TrainingStatus, GenerationStatus)

TRAINING_MOVES: Mapping[TrainingStatus, frozenset[TrainingStatus]] = {
    TrainingStatus.NONE: frozenset({TrainingStatus.REQUESTED}),
    TrainingStatus.REQUESTED: frozenset({TrainingStatus.COMMITTING, TrainingStatus.CANCELLED}),
    TrainingStatus.COMMITTING: frozenset({TrainingStatus.REVEALED, TrainingStatus.CANCELLED, TrainingStatus.UNSCORED}),
    TrainingStatus.REVEALED: frozenset({TrainingStatus.UNSCORED, TrainingStatus.MISSED, TrainingStatus.TRAINED}),
    TrainingStatus.CANCELLED: frozenset(),
    TrainingStatus.UNSCORED: frozenset(),
    TrainingStatus.MISSED: frozenset(),
    TrainingStatus.TRAINED: frozenset(),
}
TRAINING_ENDS = frozenset(status for status, after in TRAINING_MOVES.items() if not after)

# A claim that fell opens a generation again, as often as claims fall.
GENERATION_MOVES: Mapping[GenerationStatus, frozenset[GenerationStatus]] = {
    GenerationStatus.NONE: frozenset({GenerationStatus.OPEN}),
    GenerationStatus.OPEN: frozenset({GenerationStatus.CLAIMED, GenerationStatus.REFUNDED}),
    GenerationStatus.CLAIMED: frozenset({GenerationStatus.FINAL, GenerationStatus.OPEN}),
    GenerationStatus.FINAL: frozenset(),
    GenerationStatus.REFUNDED: frozenset(),
}
GENERATION_ENDS = frozenset(status for status, after in GENERATION_MOVES.items() if not after)


def moved_training(before: TrainingStatus, after: TrainingStatus) -> TrainingStatus:
    """`after`, if a training may go there. Raises Doubt else: then this view and the chain disagree."""
    return _moved("training", TRAINING_MOVES, before, after)


def moved_generation(before: GenerationStatus, after: GenerationStatus) -> GenerationStatus:
    """`after`, if a generation may go there. Raises Doubt else."""
    return _moved("generation", GENERATION_MOVES, before, after)


def _moved(what: str, moves: Mapping[S, frozenset[S]], before: S, after: S) -> S:
    if after not in moves[before]:
        raise Doubt(f"a {what} cannot go from {before.name} to {after.name}")
    return after
