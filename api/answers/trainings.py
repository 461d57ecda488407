"""Trainings as JSON: what the chain says of them, and what executors say of their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.answers.claims import certainty_text
from api.answers.outputs import f32, number
from api.answers.scores import scores_state
from api.schemas import (
    CommitJson,
    CurveJson,
    DeadlinesJson,
    PointJson,
    PropertyJson,
    TrainingJson,
    TrainingStateJson,
    TrainingStatusText,
    TrainingTermsJson,
    to_hex,
)
from rollup.curves import CurvePoint
from rollup.properties.aggregate import FULL, progress, score_of
from rollup.properties.clock import TrainingPhase
from rollup.properties.lifecycle import TRAINING_ENDS
from rollup.properties.types import Property, TrainingStatus, TrainingTerms
from rollup.types import Address
from rollup.view import MadeCommit, OrderedTraining, View

ENDED = frozenset(TrainingStatusText(status.name.lower()) for status in TRAINING_ENDS)
# Points of each curve that are told, the newest.
MAX_POINTS = 200


def training_state(view: View, known: OrderedTraining) -> TrainingJson:
    """A training at the view's time."""
    training, trained = known.training, known.status is TrainingStatus.TRAINED
    return TrainingJson(
        id=to_hex(known.id),
        status=TrainingStatusText(known.status.name.lower()),
        phase=known.phase(view.now).name.lower(),
        requester=to_hex(training.requester),
        nonce=training.nonce,
        requested_at=training.requested_at,
        requested_block=training.requested_block,
        terms=_terms(training.terms),
        deadlines=_deadlines(known, view.now),
        seed=to_hex(known.seed) if known.seed else None,
        pool_key=to_hex(known.pool_key) if known.pool_key else None,
        opened=list(known.draw.opened) if known.seed else [],
        spoiled=known.spoiled,
        commits=[_commit(view, training.terms, commit) for commit in known.commits],
        model=to_hex(known.model) if trained else None,
        winner=known.winner if trained else None,
        paid_wei=str(known.paid_wei),
        refunded_wei=str(known.refunded_wei),
        burned_wei=str(known.burned_wei),
    )


def with_curves(state: TrainingJson, curves: Mapping[Address, Sequence[CurvePoint]]) -> TrainingStateJson:
    """The same training, and what executors tell of it."""
    told = [CurveJson(executor=to_hex(executor), points=_points(points)) for executor, points in curves.items()]
    told.sort(key=lambda curve: curve.executor)
    return TrainingStateJson.model_validate({**state.model_dump(), "curves": [each.model_dump() for each in told]})


def _points(points: Sequence[CurvePoint]) -> list[PointJson]:
    return [
        PointJson(
            epoch=point.epoch, loss=number(point.loss), score=None if point.score is None else number(point.score)
        )
        for point in points[-MAX_POINTS:]
    ]


def _terms(terms: TrainingTerms) -> TrainingTermsJson:
    given = {name: getattr(terms, name) for name in TrainingTermsJson.model_fields}
    given = {name: to_hex(value) if isinstance(value, bytes) else value for name, value in given.items()}
    return TrainingTermsJson.model_validate(
        {**given, "property": _property(terms.property).model_dump(), "full_score": number(f32(terms.full_score))}
    )


def _property(wanted: Property) -> PropertyJson:
    return PropertyJson(
        aggregate=wanted.aggregate.name.lower(),
        comparison=wanted.comparison.name.lower(),
        threshold=number(f32(wanted.threshold)),
        predicate=to_hex(wanted.predicate),
        predicate_gas=wanted.predicate_gas,
    )


def _deadlines(known: OrderedTraining, now: int) -> DeadlinesJson:
    course, phase = known.course, known.phase(now)
    running = {
        TrainingPhase.OPENING: course.open_end,
        TrainingPhase.COMMITTING: course.commit_end,
        TrainingPhase.REVEALING: course.reveal_end,
        TrainingPhase.SCORING: course.claim_end,
    }
    return DeadlinesJson(
        open_end=course.open_end,
        commit_end=course.commit_end if known.opened_at else None,
        reveal_end=course.reveal_end if known.opened_at else None,
        claim_end=course.claim_end if known.revealed_at else None,
        seconds_left=max(0, running[phase] - now) if phase in running else None,
    )


def _commit(view: View, terms: TrainingTerms, commit: MadeCommit) -> CommitJson:
    scores = view.scores_of(commit)
    count = scores.claim.count if scores else 0
    gone = progress(terms.property, terms.full_score, commit.total, count) / FULL if scores else None
    return CommitJson(
        number=commit.number,
        executor=to_hex(commit.executor),
        commitment=to_hex(commit.commitment),
        committed_at=commit.committed_at,
        certainty=certainty_text(view.certainty_of(commit)),
        score=score_of(terms.property, commit.total, count) if scores else None,
        progress=gone,
        weights_root=to_hex(commit.weights_root) if scores else None,
        claim=scores_state(scores, view.now) if scores else None,
    )
