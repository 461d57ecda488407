"""Claims under examination: new ones are looked at cheaply, in batches; what is beyond reach or not served is a case.

One claim's trouble is not the others'. Decides no move (strategy.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import islice

import structlog

from prover.case import Case
from prover.inputs import Inputs
from prover.known import Known, KnownModels
from prover.pauses import Pauses
from prover.position import unserved_from
from prover.said import Said
from prover.sources import Sources
from prover.strikes import Malformed
from rollup.clock import is_before
from rollup.errors import Doubt, NotFound, Refused, RollupError
from rollup.tensor import TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, ClaimId, Model, TensorRoot
from rollup.view import MadeClaim, View

# Claims re-run at once.
BATCH = 64
_log = structlog.get_logger()


class ClaimWatch:
    """One look after another; after each, `cases` are the claims that may ask for a move."""

    def __init__(self, sources: Sources, models: KnownModels, inputs: Inputs, malformed: Malformed, said: Said) -> None:
        self._sources, self._models, self._inputs = sources, models, inputs
        self._malformed, self._said = malformed, said
        self.cases: dict[ClaimId, Case] = {}
        # Found within reach: not looked at again unless somebody else challenges them.
        self._quiet: set[ClaimId] = set()
        # Of what is not watchable.
        self._pauses = Pauses()

    # New claims: the cheap look, in batches.

    def look(self, view: View, claims: Iterable[MadeClaim]) -> None:
        """Looks at those that are no cases yet, and were not found within reach."""
        by_model: dict[bytes, list[Case]] = {}
        for claim in claims:
            is_quiet = claim.id in self._quiet and not claim.contested
            if is_quiet or claim.id in self.cases:
                continue
            case = self._open_case(view, claim)
            if case is not None and case.undefined:
                self._look_for_overflow(view, case)
            elif case is not None and case.output is None:
                self.cases[claim.id] = case
            elif case is not None:
                by_model.setdefault(case.known.record.weights_root + case.known.graph.root, []).append(case)
        for cases in by_model.values():
            waiting = iter(cases)
            while batch := list(islice(waiting, BATCH)):
                self._look_at_all(view, batch)

    def _look_at_all(self, view: View, cases: list[Case]) -> None:
        """One that cannot be run must not hide the others."""
        try:
            self._look_at(view, cases)
        except (Refused, Doubt) as error:
            if len(cases) == 1:
                self._put_off(view, cases[0].claim, error)
                return
            for case in cases:
                self._look_at_all(view, [case])

    def _look_at(self, view: View, cases: list[Case]) -> None:
        checker = cases[0].known.checker
        ratios = checker.deviations([case.input_bytes for case in cases], [case.shown_output for case in cases])
        for case, ratio in zip(cases, ratios, strict=True):
            case.look(ratio)
            self._keep_or_forget(view, case)

    def _look_for_overflow(self, view: View, case: Case) -> None:
        try:
            case.look_for_overflow()
        except (Refused, Doubt) as error:
            self._put_off(view, case.claim, error)
        else:
            self._keep_or_forget(view, case)

    def _keep_or_forget(self, view: View, case: Case) -> None:
        if case.is_incomparable:
            _log.warning("watchtower.output_overflows", claim=case.claim.hex())
        elif case.is_doubted:
            shown = {"deviation": case.opinion.deviation, "second": case.opinion.second}
            _log.warning("watchtower.beyond_reach", claim=case.claim.hex(), **shown)
        if case.is_doubted or view.claim(case.claim).contested:
            self.cases[case.claim] = case
        else:
            self.cases.pop(case.claim, None)
            self._quiet.add(case.claim)

    def _open_case(self, view: View, claim: MadeClaim) -> Case | None:
        # In a dispute there is no time to pause.
        if not self._pauses.is_due(claim.id, view.now) and not claim.contested:
            return None
        try:
            known = self._know(view, claim)
            inputs = self._inputs.of(view, claim)
            output = None if claim.undefined else self._output(view, known.record, claim)
        except RollupError as error:
            self._put_off(view, claim.id, error)
            return None
        self._pauses.clear(claim.id)
        return Case(claim.id, known, inputs, claim.output, output, claim.undefined)

    def _know(self, view: View, claim: MadeClaim) -> Known:
        """The claim's model. One that cannot be loaded may be one that cannot be judged."""
        id_ = view.request(claim.request).request.model
        record = view.model(id_)
        try:
            known = self._models.know(record, is_tested=claim.batch not in view.state.scores)
        except RollupError:
            self._malformed.look_for(id_, record)
            raise
        self._malformed.look_at(id_, record, known.graph)
        return known

    def _put_off(self, view: View, claim: ClaimId, error: RollupError) -> None:
        self._pauses.put_off(claim, view.now)
        self._said.waits(claim, f"not watchable: {error}")

    def _output(self, view: View, record: Model, claim: MadeClaim) -> bytes | None:
        """The claimed output; None if the chain holds only its root, and nobody serves it."""
        spec = TensorSpec.from_header(record.output_header)
        if spec.byte_length <= INLINE_OUTPUT_BYTES:
            return claim.output
        scores = view.state.scores.get(claim.batch)
        if scores is not None and scores.output:
            return scores.output
        with suppress(NotFound):
            return self._sources.all.get_tensor(TensorRoot(claim.output), spec).data
        return None

    # Cases: the dearer looks.

    def look_again(self, view: View, claim: MadeClaim) -> Case:
        """A case, with what is known of its output and trace by now. Raises Refused, Doubt."""
        case = self.cases[claim.id]
        if case.is_unserved:
            self._look_for_output(view, claim, case)
        self._look_at_trace(view, claim, case)
        return case

    def _look_for_output(self, view: View, claim: MadeClaim, case: Case) -> None:
        """What nobody served may be served by now, or was supplied on chain. In a dispute there is no time to pause."""
        dispute = view.state.disputes.get(claim.id)
        if dispute is not None:
            case.take_supplied(dispute.pages)
        is_due = claim.contested or self._pauses.is_due(claim.id, view.now)
        if case.output is None and is_due:
            case.take_output(self._output(view, case.known.record, claim))
            # Asked once more before anybody challenges for it.
            half = unserved_from(claim.claimed_at, case.known.record.windows)
            self._pauses.put_off(claim.id, view.now, half if is_before(view.now, half) else None)
        if case.output is not None:
            self._look_at(view, [case])

    def _look_at_trace(self, view: View, claim: MadeClaim, case: Case) -> None:
        """An eager trace is looked at before anybody challenges it, if its output is doubted or not served."""
        served = self._sources.of(view.state.endpoints.get(claim.executor))
        dispute = view.state.disputes.get(claim.id)
        if dispute is not None and any(dispute.trace_root):
            case.look_at_trace(dispute.trace_root, served, dispute.pages)
        elif claim.trace_root is not None and (case.is_doubted or case.is_unserved):
            case.look_at_trace(claim.trace_root, served, ())

    def keep(self, ids: Collection[ClaimId]) -> None:
        """Forgets all others."""
        self.cases = {id_: case for id_, case in self.cases.items() if id_ in ids}
        self._quiet &= set(ids)
        self._pauses.keep(ids)
