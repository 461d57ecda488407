"""Folds what is said of claims of scores. An item becomes a claim in the maps when it is challenged, not before: a
hold-out has 2,048 of them, and most are never looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod

from rollup.clock import challenge_end
from rollup.codec import Domain
from rollup.events import Event
from rollup.lifecycle import FALLEN, moved
from rollup.properties import events
from rollup.properties.scores import ScoreClaim, derived
from rollup.types import Certainty, ClaimBatchId, ClaimId, DisputeStatus
from rollup.view.facts import Facts, require_same
from rollup.view.property_records import MadeScores
from rollup.view.records import DisputeState

# What the end of an item's dispute makes of the item.
_AFTER = {
    DisputeStatus.ACQUITTED: Certainty.PROVISIONAL,
    DisputeStatus.REJECTED: Certainty.REJECTED,
    DisputeStatus.REFUTED: Certainty.REFUTED,
}


class ScoreFold:
    """Changes the maps of claims, disputes, scores and scorers."""

    def __init__(self, facts: Facts, domain: Domain) -> None:
        self._facts, self._domain = facts, domain

    @singledispatchmethod
    def fold(self, event: Event) -> None:
        """Other events say nothing of scores."""

    @fold.register
    def _(self, event: events.ScoresClaimed) -> None:
        model = derived(self._facts.models[event.scoring.scorer], event.scoring.weights_root)
        claim = ScoreClaim(event.id, event.source, event.scoring, event.requests, event.claims, model)
        claim.require_true(self._domain)
        require_same("subject of the scores", event.scoring.subject, event.subject)
        end = challenge_end(event.claims.claimed_at, model.windows)
        self._facts.scores[event.id] = MadeScores(claim, end)
        self._facts.active_scores[event.id] = None
        self._facts.scorers[event.requests.model] = model

    @fold.register
    def _(self, event: events.ScoresContested) -> None:
        scores = self._facts.scores[event.batch_id]
        claim = scores.made_claim(event.index)
        require_same("claim of an item", claim.id, event.id)
        certainty = moved(claim.certainty, Certainty.CHALLENGED, contested=event.index in scores.contested)
        self._facts.claims[event.id] = replace(claim, certainty=certainty, contested=True)
        self._facts.active_claims[event.id] = None
        windows = scores.claim.model.windows
        self._facts.disputes[event.id] = DisputeState(event.id, windows, event.at.timestamp)
        place = frozenset({event.index})
        self._change(event.batch_id, disputed=scores.disputed | place, contested=scores.contested | place)

    @fold.register
    def _(self, event: events.ScoresKeptOpen) -> None:
        self._change(event.id, window_end=event.until)

    @fold.register
    def _(self, event: events.ScoreAcquitted) -> None:
        claim, scores = self._facts.claims[event.id], self._facts.scores[event.batch_id]
        self._facts.claims[event.id] = replace(claim, final_at=event.final_at)
        self._change(event.batch_id, final_at=max(scores.final_at, event.final_at))

    @fold.register
    def _(self, event: events.ScoresFell) -> None:
        self._end(event.id, moved(Certainty.PROVISIONAL, event.certainty, contested=True))

    @fold.register
    def _(self, event: events.ScoresFinal) -> None:
        require_same("executor of the scores", self._facts.scores[event.id].executor, event.executor)
        self._end(event.id, Certainty.FINAL)

    def end_dispute(self, id_: ClaimId, status: DisputeStatus) -> None:
        """An item's dispute has ended. Nothing is said of it besides once its claim has fallen by another item."""
        claim = self._facts.claims[id_]
        if claim.batch not in self._facts.scores:
            return
        scores = self._facts.scores[claim.batch]
        after = moved(claim.certainty, _AFTER[status], claim.contested)
        if after is Certainty.PROVISIONAL and scores.certainty in FALLEN:
            after = moved(after, scores.certainty, claim.contested)
        self._facts.claims[id_] = replace(claim, certainty=after)
        self._change(claim.batch, disputed=scores.disputed - {claim.index})
        if after in FALLEN:
            self._facts.active_claims.pop(id_, None)

    def _end(self, id_: ClaimBatchId, certainty: Certainty) -> None:
        """The whole claim is decided, and with it every item that is not in dispute. Disputes go on."""
        scores = self._facts.scores[id_]
        moved(scores.certainty, certainty, contested=certainty in FALLEN)
        self._change(id_, certainty=certainty)
        self._facts.active_scores.pop(id_, None)
        for index in scores.contested - scores.disputed:
            claim = self._facts.claims[scores.claim.claim_id(index)]
            if claim.certainty is Certainty.PROVISIONAL:
                self._facts.claims[claim.id] = replace(claim, certainty=certainty)
            self._facts.active_claims.pop(claim.id, None)

    def _change(self, id_: ClaimBatchId, **changes: object) -> None:
        self._facts.scores[id_] = replace(self._facts.scores[id_], **changes)  # type: ignore[arg-type]
