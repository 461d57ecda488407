"""What an executor has to do about generations now: pure, from one view of the chain.

One lease at a time: texts are made one after another, and a lease that waits in line loses its deposit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollup.types import Address, Certainty, ClaimBatchId, Model
from rollup.view import MadeScores, OrderedGeneration, View

# A lease is worth taking, and a text worth making, if so many seconds are left for it.
LEAST_SECONDS = 10


@dataclass(frozen=True)
class Settlement:
    """A generation whose claim may be final, and that claim."""

    generation: OrderedGeneration
    scores: MadeScores


@dataclass(frozen=True)
class Plan:
    """`draw`: seeds to be fixed. `take`: a lease to be taken. `claim`: leases held. `settle`: own claims to be paid."""

    draw: tuple[OrderedGeneration, ...]
    take: OrderedGeneration | None
    claim: tuple[OrderedGeneration, ...]
    settle: tuple[Settlement, ...]


def plan(view: View, executor: Address, now: int, is_served: Callable[[OrderedGeneration], bool]) -> Plan:
    """`now`: seconds of the chain. `is_served`: whether a text can be made here; asked of what is free."""

    def is_wanted(known: OrderedGeneration) -> bool:
        return not has_lost(view, known, executor) and is_served(known)

    open_ = view.open_generations(now, executor)
    held = tuple(known for known in open_ if view.lessee_of(known, now) == executor)
    free = (known for known in open_ if view.lessee_of(known, now) is None and known.deadline - now >= LEAST_SECONDS)
    return Plan(
        draw=tuple(known for known in view.to_draw(view.block) if is_wanted(known)),
        take=None if held else next((known for known in free if is_wanted(known)), None),
        claim=held,
        settle=tuple(_own(view, executor, now)),
    )


def scorers_of(view: View, now: int) -> set[Model]:
    """The scorers of all texts that somebody may still make."""
    waiting = (*view.open_generations(now), *view.to_draw(view.block))
    return {view.model(known.generation.terms.scorer) for known in waiting}


def has_lost(view: View, known: OrderedGeneration, executor: Address) -> bool:
    """Whether a claim of this executor on it fell: what went wrong once would go wrong again."""
    return any(scores.executor == executor for scores in _fallen(view, known))


def refutations(view: View, known: OrderedGeneration) -> int:
    """Claims on it that were refuted; each doubles the least bond of the next."""
    return sum(scores.certainty is Certainty.REFUTED for scores in _fallen(view, known))


def _fallen(view: View, known: OrderedGeneration) -> list[MadeScores]:
    return [view.scores(id_) for id_ in known.claims if id_ != known.claim]


def _own(view: View, executor: Address, now: int) -> list[Settlement]:
    settlements = [(known, _scores(view, known.claim)) for known in view.to_settle_generations(now)]
    return [Settlement(known, scores) for known, scores in settlements if scores and scores.executor == executor]


def _scores(view: View, id_: ClaimBatchId | None) -> MadeScores | None:
    return None if id_ is None else view.scores(id_)
