"""What a requester's trainings want done now: open what the beacon drew, reveal the key, settle. Pure.

A request names its requester, whose key it is. A stranger may copy terms, pool and all, and have its own commitments
close sooner: a key that were revealed there would show the pool to those who still train for the first. So nothing is
done for a training just because its key is here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from rollup.properties.clock import TrainingPhase
from rollup.properties.draw import is_beacon_lost, is_beacon_ready
from rollup.properties.types import TrainingId
from rollup.types import Address
from rollup.view import OrderedTraining, View


@dataclass(frozen=True)
class Open:
    """The drawn items are opened, now that the block after the request's is there."""

    training: OrderedTraining


@dataclass(frozen=True)
class Reveal:
    """The pool's key is revealed: the commitments are closed."""

    training: OrderedTraining


@dataclass(frozen=True)
class Settle:
    """A training is ended whose clock has run out, or whose claims are decided."""

    training: OrderedTraining


Move = Open | Reveal | Settle


def decide(view: View, requesters: Collection[Address], has_key: Callable[[bytes], bool]) -> list[Move]:
    """What is due for the trainings of these requesters. `has_key`: of a key's hash, whether the key is here."""
    own = [known for known in view.trainings() if known.training.requester in requesters]
    ripe: set[TrainingId] = {known.id for known in view.to_settle_trainings(view.now)}
    moves: list[Move] = [Settle(known) for known in own if known.id in ripe]
    for known in own:
        if not has_key(known.training.terms.key_hash):
            continue
        phase = known.phase(view.now)
        if phase is TrainingPhase.OPENING and _is_drawn(known.training.requested_block, view.block):
            moves.append(Open(known))
        elif phase is TrainingPhase.REVEALING:
            moves.append(Reveal(known))
    return moves


def _is_drawn(anchor: int, block: int) -> bool:
    """Whether block `block`, on which the next call is tried out, can tell what was drawn."""
    return is_beacon_ready(anchor, block) and not is_beacon_lost(anchor, block)
