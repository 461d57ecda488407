"""The opener: answers every challenge of one's claims before its clock runs out, and supplies what is demanded.

Challenged claims of a batch are opened together, as many in one call as a transaction holds; so are challenged items
of a claim of scores. Traces lie in blobs before their roots are on chain, so that a process which dies in between
serves the very trace that it opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from executor.actor import Deeds, Office
from executor.orders import Order, input_tensors
from executor.shelf import Run, Shelf
from executor.strangers import unrunnable
from executor.tensors import from_canonical
from executor.trace import Trace, recompute
from rollup.chain.disputes import Disputes
from rollup.chain.sender import Intent
from rollup.clock import Phase
from rollup.errors import BadInput, Doubt, RollupError
from rollup.tensor import Tensor, TensorSpec
from rollup.types import ClaimBatchId, Model, TensorRoot, TraceOpening
from rollup.view import DisputeState, MadeBatch, MadeClaim, OrderedRequest, View

# Leaves supplied in one call: about 1.5 KB of calldata each.
LEAVES_PER_CALL = 64
# Claims opened in one call: about 33,000 gas each.
OPENINGS_PER_CALL = 128
_log = structlog.get_logger()


@dataclass(frozen=True)
class Case:
    """One dispute of this executor, with all that is needed to answer it."""

    dispute: DisputeState
    claim: MadeClaim
    made: MadeBatch
    request: OrderedRequest
    model: Model
    phase: Phase


class Opener:
    """One step answers all that is due."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._deeds = Deeds(office.daemon)
        self._disputes = Disputes(office.daemon.settings.deployment)

    def step(self) -> None:
        if not self._deeds.are_seen():
            return
        with self._office.reading() as view:
            cases = list(self._cases(view))
        opening = [case for case in cases if case.phase is Phase.OPENING]
        supplying = [case for case in cases if case.phase in (Phase.COLLECTING, Phase.SUPPLYING)]
        self._deeds.send(self._opens(opening))
        self._deeds.send([intent for case in supplying for intent in self._supplied(case)])

    def _cases(self, view: View) -> Iterator[Case]:
        for dispute in view.open_disputes():
            claim = view.claim(dispute.claim)
            if claim.executor == self._office.address:
                request = view.request(claim.request)
                model = view.model(request.request.model)
                yield Case(dispute, claim, view.claims_of(claim), request, model, dispute.course.phase(view.now))

    def _opens(self, cases: Sequence[Case]) -> Iterator[Intent]:
        """Calls of up to `OPENINGS_PER_CALL`, each of one claim batch, in the order of their clocks. One is sent before
        the traces of the next are made: who challenges many at once gains no time by it.
        """
        batches: dict[ClaimBatchId, list[Case]] = {}
        for case in sorted(cases, key=lambda case: case.dispute.challenged_at):
            batches.setdefault(case.made.id, []).append(case)
        for together in batches.values():
            for start in range(0, len(together), OPENINGS_PER_CALL):
                yield from self._opening(together[start : start + OPENINGS_PER_CALL])

    def _opening(self, cases: Sequence[Case]) -> Iterator[Intent]:
        openings = []
        for case in cases:
            try:
                root = self._office.blobs.put_tensors(list(self._trace(case).tensors))
            except RollupError as error:
                # One claim that cannot be opened must not keep the others from being opened in time.
                _log.error("executor.cannot_open", claim=case.claim.id.hex(), error=str(error))
                continue
            openings.append(TraceOpening(case.claim.index, root))
        if openings:
            yield self._disputes.open(cases[0].made.batch, openings, cases[0].request.lane)

    @unrunnable("the claimed run")
    def _trace(self, case: Case) -> Trace:
        """The trace to open for a claim. In doubt an honest recomputation: that may be rejected, silence is slashed."""
        loaded = self._office.models.load(case.model)
        inputs = self._inputs(case)
        try:
            with unrunnable("the claimed run"):
                return loaded.trace([tensor.data for tensor in inputs], self._claimed(case))
        except (Doubt, BadInput) as error:
            _log.error("executor.doubtful_claim", claim=case.claim.id.hex(), error=str(error))
            return Trace.of(recompute(loaded.network, [from_canonical(tensor) for tensor in inputs]))

    def _inputs(self, case: Case) -> list[Tensor]:
        order = Order(case.request.request, case.request.inputs)
        return input_tensors(self._office.blobs, order, case.model.inputs)

    def _claimed(self, case: Case) -> bytes:
        """Canonical bytes of the claimed output."""
        spec = TensorSpec.from_header(case.model.output_header)
        if spec.byte_length == len(case.claim.output):
            return case.claim.output
        return self._office.blobs.get_tensor(TensorRoot(case.claim.output), spec).data

    def _supplied(self, case: Case) -> list[Intent]:
        """All that is missing of one dispute; what cannot be supplied must not keep the others from being supplied."""
        try:
            return list(self._supplies(case))
        except RollupError as error:
            _log.error("executor.cannot_supply", claim=case.claim.id.hex(), error=str(error))
            return []

    def _supplies(self, case: Case) -> Iterator[Intent]:
        if not any(page.missing for page in case.dispute.pages):
            return
        with self._office.reading() as view:
            witness = view.witness(case.claim.id)
        with unrunnable("the claimed model"):
            graph = self._office.models.load(case.model).network.graph
        inputs = tuple(self._inputs(case))
        run = Run(graph, inputs, case.model.weights_root, case.dispute.trace_root, case.claim.output)
        shelf = Shelf(self._office.blobs, run)
        for page in case.dispute.pages:
            for start in range(0, len(page.missing), LEAVES_PER_CALL):
                positions = page.missing[start : start + LEAVES_PER_CALL]
                yield self._disputes.supply(witness, shelf.supply(page, positions))
