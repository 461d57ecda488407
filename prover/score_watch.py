"""All claims of scores of trainings: looked through once, cheaply; which items become cases, and what is to be shown.

Rebuilds everything from the chain. One claim's trouble is not the others'. Decides no move (strategy.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from prover.case import Case
from prover.inputs import Inputs, Paper, paper_of
from prover.known import Known, KnownModels
from prover.pauses import Pauses
from prover.position import Condemn, PoolOpinion, PoolPosition, Spoil
from prover.said import Said
from prover.scores import ScoreCase
from prover.sources import Sources
from prover.weight_proof import ServedBundle, Trained, prove_broken
from prover.withheld import Withheld
from prover.withholding import Withholding
from rollup.errors import Doubt, NotFound, Refused, Retry
from rollup.properties.types import TrainingStatus
from rollup.types import Address, Certainty, ClaimBatchId, ClaimId
from rollup.view import MadeClaim, OrderedTraining, View


class ScoreWatch:
    """One look after another; after each, `picked` and `withheld` are the items that ask for a move."""

    def __init__(self, sources: Sources, models: KnownModels, inputs: Inputs, said: Said) -> None:
        self._sources, self._models, self._inputs, self._said = sources, models, inputs, said
        self._cases: dict[ClaimBatchId, ScoreCase] = {}
        # All of their items are within reach.
        self._quiet: set[ClaimBatchId] = set()
        # Their weights are not finite, and the proof of it is at hand.
        self._condemned: dict[ClaimBatchId, Condemn] = {}
        self._withholding = Withholding(sources, inputs)
        self._pauses = Pauses()
        self.picked: dict[ClaimId, Case] = {}

    @property
    def withheld(self) -> dict[ClaimId, Withheld]:
        return self._withholding.found

    def look(self, view: View, me: Address | None) -> None:
        """Goes on with every claim that may still fall, but my own."""
        self._forget(view)
        self.picked = {}
        self._withholding.new_look(view.state.active_scores)
        for scores in [view.state.scores[id_] for id_ in view.state.active_scores]:
            if scores.executor == me or scores.id in self._quiet:
                continue
            paper = paper_of(view, scores)
            if paper is None:
                continue
            self._withholding.take_supplied(view, paper)
            if self._pauses.is_due(scores.id, view.now) or scores.disputed:
                self._guarded(view, paper)

    def items(self, view: View) -> list[MadeClaim]:
        """Items that ask for a move and were not challenged, as claims."""
        asking = [view.claim(id_) for id_ in (*self.picked, *self.withheld)]
        return [claim for claim in asking if not claim.contested]

    def pools(self, view: View, me: Address | None) -> Iterator[tuple[PoolPosition, PoolOpinion]]:
        """What is to be said of pools, and of items that are not the pool's."""
        for training in [view.state.trainings[id_] for id_ in view.state.active_trainings]:
            if training.status is TrainingStatus.REVEALED:
                spoiled = self._spoiled(view, training)
                yield PoolPosition(training.id, True, None, None, Certainty.NONE, me), PoolOpinion(spoiled=spoiled)
        for case in self._cases.values():
            position = position_of(paper_of(view, view.state.scores[case.id]) or case.paper, me)
            if case.strays:
                yield replace(position, claim=None), PoolOpinion(spoiled=case.strayed())
            if case.replaced:
                yield position, PoolOpinion(replaced=case.unmasked())
        for id_, condemn in self._condemned.items():
            paper = paper_of(view, view.state.scores[id_])
            if paper is not None:
                yield position_of(paper, me), PoolOpinion(broken=condemn)

    def _spoiled(self, view: View, training: OrderedTraining) -> Spoil | None:
        source = self._inputs.pool_of(training)
        if not self._pauses.is_due(training.id, view.now):
            return None
        try:
            unsound = min(source.unsound, default=None)
        except NotFound:
            self._pauses.put_off(training.id, view.now)
            return None
        if unsound is None:
            return None
        return Spoil(training.id, training.training.terms, training.pool_key, source.pool.shown(unsound))

    def _guarded(self, view: View, paper: Paper) -> None:
        try:
            self._attend(view, paper)
        except (Refused, Retry, Doubt) as error:
            # Nothing here asks the chain: what is too large to be loaded must keep nobody from the rest.
            self._pauses.put_off(paper.scores.id, view.now)
            self._said.waits(paper.scores.id, f"not watchable: {error}")

    def _attend(self, view: View, paper: Paper) -> None:
        if paper.scores.id in self._condemned:
            return
        case = self._case(view, paper)
        if case is not None:
            self._examine(view, case)
        elif paper.scores.id not in self._condemned:
            self._withholding.weights(view, paper)
            self._pauses.put_off(paper.scores.id, view.now, view.now + 1)

    def _examine(self, view: View, case: ScoreCase) -> None:
        before = len(case.unseen)
        case.compare()
        picked = case.confirm()
        if picked is not None:
            self.picked[picked.claim] = picked
        self._tell(case)
        if case.is_clean:
            self._quiet.add(case.id)
        elif case.unseen and len(case.unseen) == before:
            self._pauses.put_off(case.id, view.now)
        if picked is None and not (case.replaced and case.unmasked() is not None):
            # Where a look gets on, what is left is only slow.
            self._withholding.inputs(view, case, case.unseen if len(case.unseen) == before else ())

    def _case(self, view: View, paper: Paper) -> ScoreCase | None:
        """None while nobody serves the weights, and of weights that are to be condemned."""
        id_ = paper.scores.id
        if id_ in self._cases:
            self._cases[id_].paper = paper
        else:
            try:
                known = self._models.know(paper.scores.claim.model, is_tested=False)
            except NotFound:
                return None
            broken = self._condemnation(view, paper, known)
            if broken is not None:
                self._condemned[id_] = broken
                found: dict[str, object] = {"tensor": broken.shown.tensor, "element": broken.shown.element}
                self._said.warns(id_, "watchtower.weights_broken", found)
                return None
            self._cases[id_] = ScoreCase(paper, known, self._inputs)
        return self._cases[id_]

    def _condemnation(self, view: View, paper: Paper, known: Known) -> Condemn | None:
        """The move that shows a weight to be broken; None where none is. Raises Doubt if that cannot be told."""
        claim, specs = paper.scores.claim, known.graph.weights
        own = view.model(claim.scoring.scorer).weights_root
        if own == claim.model.weights_root:
            return None
        try:
            shown = prove_broken(specs, ServedBundle(self._sources.all, own, specs), known.weights)
        except NotFound:
            # The judge acquits whatever is made of them, so no bond is safe.
            raise Doubt("weights are not finite, and nobody serves what they were before they were trained") from None
        if shown is None:
            return None
        trained = Trained(own, claim.model.weights_root, len(specs))
        return Condemn(paper.scores.id, claim.requests, claim.claims, trained, shown)

    def _tell(self, case: ScoreCase) -> None:
        if case.far or case.confirmed:
            worst = max(case.far.values(), default=inf)
            found = {"items": len({*case.far, *case.confirmed}), "worst": worst, "confirmed": list(case.confirmed)}
            self._said.warns(case.id, "watchtower.scores_beyond_reach", found)
        if case.overflown:
            self._said.warns(case.id, "watchtower.items_overflow", {"items": len(case.overflown)})
        if case.unrunnable:
            self._said.warns(case.id, "watchtower.items_unrunnable", {"items": len(case.unrunnable)})
        if case.replaced:
            self._said.warns(case.id, "watchtower.items_replaced", {"items": len(case.replaced)})
        if case.strays:
            self._said.warns(case.id, "watchtower.items_out_of_range", {"items": len(case.strays)})

    def _forget(self, view: View) -> None:
        active = set(view.state.active_scores)
        self._cases = {id_: case for id_, case in self._cases.items() if id_ in active}
        self._condemned = {id_: move for id_, move in self._condemned.items() if id_ in active}
        self._quiet &= active
        ids = {*active, *view.state.active_trainings}
        self._pauses.keep(ids)
        self._inputs.forget(view)


def position_of(paper: Paper, me: Address | None) -> PoolPosition:
    """Where a claim of scores and its training stand."""
    training, scores = paper.training, paper.scores
    is_revealed = training.status is TrainingStatus.REVEALED
    return PoolPosition(training.id, is_revealed, scores.id, scores.executor, scores.certainty, me)
