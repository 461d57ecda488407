"""What a keeper does for properties: scores become final, trainings end, texts are drawn, settled and reopened.

`decide` is pure. Anyone may make these moves; the contracts check them.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollup.chain.generations import Generations
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent
from rollup.chain.trainings import Trainings
from rollup.clock import is_before
from rollup.config import Deployment
from rollup.properties.types import TrainingId
from rollup.types import ClaimBatchId, RequestId
from rollup.view import MadeClaim, OrderedGeneration, View

# A callback that failed is fired again after a minute, then after two, four ...; then whoever cares may.
RETRY_SECONDS = 60
MAX_DELIVERIES = 4


@dataclass(frozen=True)
class FinaliseScores:
    """A claim of scores becomes final."""

    claim: ClaimBatchId


@dataclass(frozen=True)
class SettleTraining:
    """A training ends: its clock has run out, or its claims are decided."""

    training: TrainingId


@dataclass(frozen=True)
class DrawText:
    """The seed of a sampled text is fixed, or its anchor moved. `anchor` tells one draw from the next."""

    generation: RequestId
    anchor: int


@dataclass(frozen=True)
class ReopenText:
    """A text whose claim fell may be taken again. `attempts`: claims that fell before."""

    generation: RequestId
    attempts: int


@dataclass(frozen=True)
class SettleText:
    """A text's executor is paid and its callback fired; its claim becomes final on the way where it is not.

    `delivery` counts the callback's attempts.
    """

    generation: RequestId
    delivery: int


@dataclass(frozen=True)
class RefundText:
    """The fee of a text that nobody generated in time goes back to its requester."""

    generation: RequestId


Move = FinaliseScores | SettleTraining | DrawText | ReopenText | SettleText | RefundText


def decide(view: View, now: int, refunds: bool) -> list[Move]:
    """What is due at `now` (seconds of the chain), claims of scores first: trainings and texts wait for them."""
    texts = view.to_settle_generations(now)
    settled = {text.claim for text in texts}
    moves: list[Move] = [
        FinaliseScores(scores.id) for scores in view.to_finalise_scores(now) if scores.id not in settled
    ]
    moves += [SettleTraining(training.id) for training in view.to_settle_trainings(now)]
    moves += [DrawText(text.id, text.anchor) for text in view.to_draw(view.block) if is_before(now, text.deadline)]
    moves += [ReopenText(text.id, text.attempts) for text in view.to_reopen_generations()]
    moves += [SettleText(text.id, text.deliveries) for text in texts]
    moves += [SettleText(text.id, text.deliveries) for text in view.to_retry_generations() if is_due(text, now)]
    return moves + [RefundText(text.id) for text in view.refundable_generations(now) if refunds]


def is_due(called: MadeClaim | OrderedGeneration, now: int) -> bool:
    """Whether a callback that failed is fired again."""
    pause = RETRY_SECONDS << (called.deliveries - 1)
    return called.deliveries < MAX_DELIVERIES and now >= called.delivered_at + pause


class Settler:
    """Moves to intents."""

    def __init__(self, deployment: Deployment) -> None:
        self._scores, self._trainings = Scores(deployment), Trainings(deployment)
        self._generations = Generations(deployment)

    def intent(self, view: View, move: Move) -> Intent:
        match move:
            case FinaliseScores(claim):
                return self._scores.finalise(view.scores(claim).claim.claims)
            case SettleTraining(training):
                return self._trainings.settle(view.training(training).training)
            case DrawText(generation, anchor):
                return self._generations.draw(view.generation(generation).generation, turn=str(anchor))
            case ReopenText(generation, attempts):
                return self._generations.reopen(view.generation(generation).generation, turn=str(attempts))
            case SettleText(generation, delivery):
                return self._settle(view, view.generation(generation), str(delivery))
            case RefundText(generation):
                return self._generations.refund(view.generation(generation).generation)

    def _settle(self, view: View, text: OrderedGeneration, turn: str) -> Intent:
        scores = view.scores(text.claims[-1])
        return self._generations.settle(text.generation, scores.claim.claims, text.tokens, turn=turn)
