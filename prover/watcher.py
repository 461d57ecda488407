"""The watchtower: block by block it re-runs new claims, checks opened traces, and acts as the strategy says.

All it needs it rebuilds from the chain; nothing is lost when it is killed. Without a key it watches only, and says what
it would have done. When unsure it stays silent, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from executor.models import Models
from prover.case import Case, Held, Known
from prover.checker import Checker
from prover.disputer import Disputer
from prover.position import Opinion, Position, Wait
from prover.sources import endpoint_blobs
from prover.strategy import REACH, collect, decide
from rollup.blobs import BlobReader
from rollup.chain.client import Snapshot
from rollup.codec import model_id
from rollup.errors import Doubt, Refused, RollupError
from rollup.inputs import split_inputs
from rollup.tensor import TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, ClaimId, Model, ModelId, TensorRoot
from rollup.view import MadeClaim, View

# Moves made for one claim in one look at the chain; the next block brings the next look.
MAX_MOVES = 2
_log = structlog.get_logger()


class Watchtower:
    """Cases by claim; models by id. One thread."""

    def __init__(self, blobs: BlobReader, disputer: Disputer, reserve_wei: int) -> None:
        self._blobs, self._disputer, self._reserve_wei = blobs, disputer, reserve_wei
        self._models = Models(blobs)
        self._known: dict[ModelId, Known] = {}
        self._cases: dict[ClaimId, Case] = {}
        self._reasons: dict[ClaimId, str] = {}

    def step(self, view: View) -> None:
        """One look at everything that may still be doubted."""
        self._look_at_new(view, [claim for claim in view.to_watch(view.now) if claim.id not in self._cases])
        live = [claim.id for claim in view.to_watch(view.now)]
        live += [dispute.claim for dispute in view.open_disputes()]
        at = self._disputer.snapshot()
        for claim in dict.fromkeys(live):
            try:
                self._attend(view, claim, at)
            except (Refused, Doubt) as error:
                self._say(claim, f"in doubt: {error}")
        self._cases = {claim: case for claim, case in self._cases.items() if claim in view.state.active_claims}
        self._collect(view, at)

    def _look_at_new(self, view: View, claims: Sequence[MadeClaim]) -> None:
        """The cheap look, one fast batch for all new claims of a model."""
        by_model: dict[ModelId, list[Case]] = {}
        for claim in claims:
            case = self._open_case(view, claim)
            if case is not None:
                by_model.setdefault(view.request(claim.request).request.model, []).append(case)
        for id_, cases in by_model.items():
            checker = self._known[id_].checker
            ratios = checker.deviations([case.input_bytes for case in cases], [case.output for case in cases])
            for case, ratio in zip(cases, ratios, strict=True):
                case.opinion = Opinion(deviation=ratio)

    def _open_case(self, view: View, claim: MadeClaim) -> Case | None:
        try:
            known = self._know(view.model(view.request(claim.request).request.model))
            case = Case(claim.id, known, self._inputs(view, claim), claim.output, self._output(known.record, claim))
        except RollupError as error:
            # Not watchable now; the next block asks again.
            self._say(claim.id, f"not watchable: {error}")
            return None
        self._cases[claim.id] = case
        return case

    def _know(self, record: Model) -> Known:
        id_ = model_id(record)
        if id_ not in self._known:
            loaded = self._models.load(record)
            weights = Held(self._blobs.get_tensors(record.weights_root))
            self._known[id_] = Known(record, loaded.network.graph, loaded.numerics, weights, Checker(loaded))
        return self._known[id_]

    def _inputs(self, view: View, claim: MadeClaim) -> Held:
        request = view.request(claim.request)
        record = view.model(request.request.model)
        if request.inputs:
            return Held(split_inputs(record.inputs, request.inputs))
        return Held(self._blobs.get_tensors(request.request.inputs_root))

    def _output(self, record: Model, claim: MadeClaim) -> bytes:
        spec = TensorSpec.from_header(record.output_header)
        if spec.byte_length <= INLINE_OUTPUT_BYTES:
            return claim.output
        return self._blobs.get_tensor(TensorRoot(claim.output), spec).data

    def _attend(self, view: View, claim: ClaimId, at: Snapshot) -> None:
        """Moves until the strategy waits."""
        case = self._cases.get(claim) or self._open_case(view, view.claim(claim))
        if case is None:
            return
        for _ in range(MAX_MOVES):
            position = self._disputer.position(view, claim, at)
            self._look(view, case, position)
            move = decide(position, case.opinion)
            if isinstance(move, Wait):
                self._say(claim, move.reason)
                return
            _log.info("watchtower.move", move=type(move).__name__, claim=claim.hex())
            if not self._disputer.act(view, move, (position, case.opinion), case.known.graph):
                return
            at = self._disputer.snapshot()

    def _look(self, view: View, case: Case, position: Position) -> None:
        """Takes the dearer looks where the position or the opinion so far asks for them."""
        opinion = case.opinion
        beyond = opinion.deviation is not None and not opinion.deviation <= REACH
        if beyond and opinion.second is None:
            case.look_again()
        made = view.claim(case.claim)
        served = endpoint_blobs(view.state.endpoints.get(made.executor))
        if any(position.dispute.trace_root):
            pages = view.state.disputes[case.claim].pages if case.claim in view.state.disputes else ()
            case.look_at_trace(position.dispute.trace_root, served, pages)
        elif made.trace_root is not None and beyond:
            case.look_at_trace(made.trace_root, served, ())

    def _collect(self, view: View, at: Snapshot) -> None:
        """Pulls rewards when no dispute needs the money."""
        if self._disputer.address is None or view.open_disputes():
            return
        move = collect(self._disputer.vault_balance(at), self._reserve_wei)
        if move is not None:
            self._disputer.withdraw(move)

    def _say(self, claim: ClaimId, reason: str) -> None:
        """Each new reason once."""
        if self._reasons.get(claim) != reason:
            self._reasons[claim] = reason
            _log.info("watchtower.waits", claim=claim.hex(), reason=reason)
