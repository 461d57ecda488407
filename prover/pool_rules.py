"""Moves about pools that an honest party never makes, each with its reason; see prover/rules.py.

Written from the protocol and not from the strategy, so that a fault in one shows in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prover.pool_proof import is_replaced, is_spoiled
from prover.position import Condemn, PoolMove, PoolPosition, Spoil, SpoilByRange
from prover.weight_proof import is_broken
from rollup.errors import Doubt, Refused
from rollup.properties.stray import is_stray
from rollup.types import Certainty


@dataclass(frozen=True)
class PoolRule:
    """One thing never done. `is_broken` says whether a move does it."""

    never: str
    because: str
    is_broken: Callable[[PoolMove, PoolPosition], bool]


def broken_pool_rules(move: PoolMove, position: PoolPosition) -> list[PoolRule]:
    return [rule for rule in POOL_RULES if rule.is_broken(move, position)]


def require_honest_pool(move: PoolMove, position: PoolPosition) -> None:
    """Raises Doubt, with every rule that the move breaks."""
    broken = broken_pool_rules(move, position)
    if broken:
        reasons = "; ".join(f"never {rule.never}, because {rule.because}" for rule in broken)
        raise Doubt(f"{type(move).__name__} on training {position.training.hex()} is not an honest move: {reasons}")


def _moves_without_key(move: PoolMove, position: PoolPosition) -> bool:
    return position.me is None


def _moves_unrevealed(move: PoolMove, position: PoolPosition) -> bool:
    return not position.is_revealed and not isinstance(move, Condemn)


def _speaks_of_another(move: PoolMove, position: PoolPosition) -> bool:
    if isinstance(move, Spoil | SpoilByRange):
        return move.training != position.training
    return move.claim != position.claim


def _touches_what_ended(move: PoolMove, position: PoolPosition) -> bool:
    return not isinstance(move, Spoil | SpoilByRange) and position.certainty is not Certainty.PROVISIONAL


def _fights_itself(move: PoolMove, position: PoolPosition) -> bool:
    return not isinstance(move, Spoil | SpoilByRange) and position.me == position.executor


def _shows_what_is_sound(move: PoolMove, position: PoolPosition) -> bool:
    try:
        if isinstance(move, Spoil):
            return not is_spoiled(move.terms, move.pool_key, move.item)
        if isinstance(move, SpoilByRange):
            return not is_stray(move.revealed, move.shown)
        if isinstance(move, Condemn):
            return not is_broken(move.trained, move.shown)
        return move.pooled.claim.id != move.claim or not is_replaced(move.pooled, move.shown)
    except Refused:
        return True


POOL_RULES = (
    PoolRule("move without a key", "a watch-only party has nothing to sign with", _moves_without_key),
    PoolRule("speak of a pool before its key is revealed or after the end", "the chain refuses it", _moves_unrevealed),
    PoolRule(
        "move on another training or claim than was looked at", "its evidence says nothing of it", _speaks_of_another
    ),
    PoolRule("touch a claim that is final or fallen", "the chain refuses it and the gas is lost", _touches_what_ended),
    PoolRule("fight one's own claim", "most of the bond is burned, so nobody gains by it", _fights_itself),
    PoolRule("show what the Python twin finds sound", "the contract sides with its twin", _shows_what_is_sound),
)
