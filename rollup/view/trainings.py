"""Folds what is said of trainings, and checks it: ids, paths, keys, totals, winners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatchmethod

from rollup.codec import Domain, model_id
from rollup.errors import Doubt
from rollup.events import Event
from rollup.merkle import keccak256
from rollup.properties import events
from rollup.properties.aggregate import is_better, judge
from rollup.properties.ids import training_id, training_subject
from rollup.properties.lifecycle import moved_training
from rollup.properties.pool import PoolEntry, key_hash, pool_root
from rollup.properties.scores import derived
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.types import Certainty
from rollup.view.facts import Facts, require_same
from rollup.view.property_records import NO_MODEL, MadeCommit, MadeScores, OrderedTraining


class TrainingFold:
    """Changes the map of trainings."""

    def __init__(self, facts: Facts, domain: Domain) -> None:
        self._facts, self._domain = facts, domain

    @singledispatchmethod
    def fold(self, event: Event) -> None:
        """Other events say nothing of trainings."""

    @fold.register
    def _(self, event: events.TrainingRequested) -> None:
        require_same("training", training_id(event.training, self._domain), event.id)
        self._facts.trainings[event.id] = OrderedTraining(event.id, event.training)
        self._facts.active_trainings[event.id] = None

    @fold.register
    def _(self, event: events.PoolOpened) -> None:
        self._move(
            event.id, TrainingStatus.COMMITTING, opened_at=event.at.timestamp, seed=event.seed, opened=event.items
        )
        known = self._facts.trainings[event.id]
        terms = known.training.terms
        for index, item in zip(known.draw.opened, event.items, strict=True):
            entry = PoolEntry(keccak256(item.key), item.masked_root)
            root = pool_root(entry, index, terms.pool_count, item.path)
            require_same(f"pool of opened item {index}", root, terms.pool_root)

    @fold.register
    def _(self, event: events.WeightsCommitted) -> None:
        commits = self._facts.trainings[event.id].commits
        require_same("number of a commitment", len(commits), event.number)
        made = MadeCommit(event.number, event.executor, event.commitment, event.at.timestamp)
        self._change(event.id, commits=(*commits, made))

    @fold.register
    def _(self, event: events.PoolRevealed) -> None:
        expected = self._facts.trainings[event.id].training.terms.key_hash
        require_same("hash of the pool's key", key_hash(event.pool_key), expected)
        self._move(event.id, TrainingStatus.REVEALED, revealed_at=event.at.timestamp, pool_key=event.pool_key)

    @fold.register
    def _(self, event: events.ScoresMade) -> None:
        known, scoring = self._facts.trainings[event.id], self._facts.scores[event.claim].claim.scoring
        subject = training_subject(event.id, event.number, event.executor, event.weights_root)
        require_same("subject of the scores", subject, scoring.subject)
        require_same("total of the scores", judge(known.training.terms.property, scoring.scores).total, event.total)
        commits = list(known.commits)
        commits[event.number] = replace(
            commits[event.number], claim=event.claim, total=event.total, weights_root=event.weights_root
        )
        self._change(event.id, commits=tuple(commits))
        self._facts.scored_commits[event.claim] = (event.id, event.number)

    @fold.register
    def _(self, event: events.PoolSpoiled) -> None:
        self._change(event.id, spoiled=event.index)

    @fold.register
    def _(self, event: events.TrainingEnded) -> None:
        if event.status is TrainingStatus.TRAINED:
            self._require_winner(event)
        else:
            require_same("model of a training without one", NO_MODEL, event.model)
        self._move(
            event.id, event.status, model=event.model, winner=event.winner, paid_wei=event.paid_wei,
            refunded_wei=event.refunded_wei, burned_wei=event.burned_wei,
        )  # fmt: skip
        self._facts.active_trainings.pop(event.id, None)

    def _require_winner(self, event: events.TrainingEnded) -> None:
        known = self._facts.trainings[event.id]
        best: MadeCommit | None = None
        for commit, _ in self._standing(known):
            if best is None or is_better(known.training.terms.property, commit.total, best.total):
                best = commit
        if best is None:
            raise Doubt(f"training 0x{event.id.hex()} has a winner on chain, and no claim of scores stands")
        require_same("winner of a training", best.number, event.winner)
        architecture = self._facts.models[known.training.terms.architecture]
        require_same("trained model", model_id(derived(architecture, best.weights_root)), event.model)

    def _standing(self, known: OrderedTraining) -> Iterator[tuple[MadeCommit, MadeScores]]:
        for commit in known.commits:
            scores = self._facts.scores[commit.claim] if commit.claim is not None else None
            if scores is not None and scores.certainty is Certainty.FINAL:
                yield commit, scores

    def _move(self, id_: TrainingId, after: TrainingStatus, **changes: object) -> None:
        self._change(id_, status=moved_training(self._facts.trainings[id_].status, after), **changes)

    def _change(self, id_: TrainingId, **changes: object) -> None:
        self._facts.trainings[id_] = replace(self._facts.trainings[id_], **changes)  # type: ignore[arg-type]
