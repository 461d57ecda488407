"""Folds what is said of disputes: that a claim is in one is said with the claim."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod

from rollup import events
from rollup.types import ClaimId, DisputeStatus, Verdict
from rollup.view.facts import Facts
from rollup.view.records import Page
from rollup.view.scores import ScoreFold


class DisputeFold:
    """Changes the map of disputes, and tells `scores` how one of an item ends."""

    def __init__(self, facts: Facts, scores: ScoreFold) -> None:
        self._facts, self._scores = facts, scores

    @singledispatchmethod
    def fold(self, event: events.Event) -> None:
        """Other events say nothing of disputes."""

    @fold.register
    def _(self, event: events.ChallengeMade) -> None:
        self._dispute(event.id, challenger=event.challenger, bond_wei=event.bond_wei)

    @fold.register
    def _(self, event: events.TraceOpened) -> None:
        self._dispute(event.id, status=DisputeStatus.OPENED, trace_root=event.trace_root, opened_at=event.at.timestamp)

    @fold.register
    def _(self, event: events.Demanded) -> None:
        page = Page(event.page, event.demander, event.deposit_wei, event.refs)
        self._dispute(event.id, pages=(*self._facts.disputes[event.id].pages, page))

    @fold.register
    def _(self, event: events.Supplied) -> None:
        pages = tuple(
            replace(page, supplied=(*page.supplied, (event.position, event.opening)))
            if page.number == event.page
            else page
            for page in self._facts.disputes[event.id].pages
        )
        self._dispute(event.id, pages=pages)

    @fold.register
    def _(self, event: events.FaultProven) -> None:
        beyond_sound = event.verdict is Verdict.BEYOND_SOUND
        self._end_dispute(event.id, DisputeStatus.REFUTED if beyond_sound else DisputeStatus.REJECTED)

    @fold.register
    def _(self, event: events.Silenced) -> None:
        self._end_dispute(event.id, DisputeStatus.REFUTED)

    @fold.register
    def _(self, event: events.Cleared) -> None:
        self._end_dispute(event.id, DisputeStatus.ACQUITTED)

    def _end_dispute(self, id_: ClaimId, status: DisputeStatus) -> None:
        self._dispute(id_, status=status)
        self._scores.end_dispute(id_, status)

    def _dispute(self, id_: ClaimId, **changes: object) -> None:
        self._facts.disputes[id_] = replace(self._facts.disputes[id_], **changes)  # type: ignore[arg-type]
