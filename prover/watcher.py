"""The watchtower: block by block it re-runs new claims, checks opened traces, and acts as the strategy says.

All it needs it rebuilds from the chain; nothing is lost when it is killed. Without a key it watches only, and says what
it finds. When unsure it stays silent, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

import structlog

from prover.case import Case
from prover.disputer import Disputer, Look
from prover.inputs import Inputs
from prover.known import Known, KnownModels
from prover.paranoia import Paranoia
from prover.pauses import Pauses
from prover.position import Position, Wait, unserved_from
from prover.score_watch import ScoreWatch
from prover.sources import ENDPOINT_SECONDS, Sources
from prover.strategy import collect, decide, decide_pool
from prover.strikes import Malformed, Strike, StrikePosition, decide_strike
from prover.withheld import Withheld
from rollup.clock import is_before
from rollup.errors import Doubt, Insolvent, NotFound, Refused, RollupError
from rollup.tensor import TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, Certainty, ClaimId, Model, TensorRoot
from rollup.view import MadeClaim, View

# Claims re-run at once.
BATCH = 64
# Asking strangers for data may take this part of the shortest collect period, so that there is time to demand.
COLLECT_SHARE = 4
_log = structlog.get_logger()


class Watchtower:
    """Cases by claim. One thread."""

    def __init__(self, sources: Sources, disputer: Disputer, reserve_wei: int, is_paranoid: bool = False) -> None:
        self._sources, self._disputer, self._reserve_wei = sources, disputer, reserve_wei
        self._models, self._inputs = KnownModels(sources.all), Inputs(sources)
        self._scores = ScoreWatch(sources, self._models, self._inputs)
        self._malformed = Malformed(sources.all)
        self._paranoia = Paranoia(self._models) if is_paranoid else None
        self._cases: dict[ClaimId, Case] = {}
        # Found within reach: not looked at again unless somebody else challenges them.
        self._quiet: set[ClaimId] = set()
        # Of what is not watchable.
        self._pauses = Pauses()
        self._said: dict[bytes, str] = {}
        self._is_poor = False

    def step(self, view: View) -> None:
        """One look at everything that may still be doubted. Raises Retry if the chain does not answer."""
        self._models.new_look()
        self._sources.new_look(patience(view))
        look = self._disputer.look(view)
        self._scores.look(view, self._disputer.address)
        claims = [*active_claims(view), *texts(view), *self._scores.items(view)]
        live = [claim for claim in claims if self._is_live(claim, view.now)]
        self._warn_if_poor(live, look)
        self._cases.update(self._scores.picked)
        self._open_new(view, live)
        for claim in live:
            if claim.id in self._cases or claim.id in self._scores.withheld:
                self._guarded(view, claim, look)
        self._attend_pools(view)
        self._attend_malformed(view, look)
        self._forget(view, live)
        self._collect(view, look)
        if self._paranoia is not None:
            self._paranoia.look(view)

    def _is_live(self, claim: MadeClaim, now: int) -> bool:
        """Whether something may still be done about a claim. A fault in an open trace counts until it is final."""
        if claim.executor == self._disputer.address:
            return False
        if claim.certainty is Certainty.CHALLENGED:
            return True
        is_open = claim.contested or claim.eager or is_before(now, claim.window_end)
        return claim.certainty is Certainty.PROVISIONAL and is_open

    # New claims: the cheap look, in batches.

    def _open_new(self, view: View, live: Iterable[MadeClaim]) -> None:
        by_model: dict[bytes, list[Case]] = {}
        for claim in live:
            is_quiet = claim.id in self._quiet and not claim.contested
            if is_quiet or claim.id in self._cases or claim.id in self._scores.withheld:
                continue
            case = self._open_case(view, claim)
            if case is not None and case.undefined:
                self._look_for_overflow(view, case)
            elif case is not None and case.output is None:
                self._cases[claim.id] = case
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
            self._cases[case.claim] = case
        else:
            self._cases.pop(case.claim, None)
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
        self._say(claim, f"not watchable: {error}")

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

    # Cases: the dearer looks, and the moves.

    def _guarded(self, view: View, claim: MadeClaim, look: Look) -> None:
        """One claim's trouble is not the others'."""
        withheld = self._scores.withheld.get(claim.id)
        try:
            if withheld is not None:
                self._attend_withheld(view, claim, look, withheld)
            else:
                self._attend(view, claim, look)
        except (Refused, Doubt) as error:
            self._say(claim.id, f"in doubt: {error}")
        except Insolvent as error:
            _log.error("watchtower.insolvent", claim=claim.id.hex(), error=str(error))

    def _attend(self, view: View, claim: MadeClaim, look: Look) -> None:
        """One move; the next block brings the next."""
        case = self._cases[claim.id]
        if case.is_unserved:
            self._look_for_output(view, claim, case)
        position = self._disputer.position(view, claim, look)
        self._look_at_trace(view, claim, case, position)
        move = decide(position, case.opinion)
        if isinstance(move, Wait):
            self._say(claim.id, move.reason)
        else:
            self._disputer.act(view, move, (position, case.opinion), look, case.known.graph)

    def _attend_withheld(self, view: View, claim: MadeClaim, look: Look, withheld: Withheld) -> None:
        """An item of which nothing can be checked while nobody serves it."""
        position = self._disputer.position(view, claim, look)
        dispute = view.state.disputes.get(claim.id)
        opinion = withheld.opinion(dispute.pages if dispute is not None else ())
        move = decide(position, opinion)
        if isinstance(move, Wait):
            self._say(claim.id, move.reason)
        else:
            self._disputer.act(view, move, (position, opinion), look, withheld.graph)

    def _attend_pools(self, view: View) -> None:
        for position, opinion in self._scores.pools(view, self._disputer.address):
            move = decide_pool(position, opinion)
            if isinstance(move, Wait):
                continue
            try:
                self._disputer.act_on_pool(view, move, position)
            except Doubt as error:
                self._say(position.claim or position.training, f"in doubt: {error}")
            except Insolvent as error:
                _log.error("watchtower.insolvent", training=position.training.hex(), error=str(error))

    def _attend_malformed(self, view: View, look: Look) -> None:
        """Registrants of models that cannot be judged lose their bonds; a scorer with other weights has none."""
        for id_, place in list(self._malformed.places.items()):
            if id_ not in view.state.models:
                continue
            position = self._disputer.strike_position(look, id_, view.state.models[id_], place)
            move = decide_strike(position)
            if position.bond_wei == 0:
                self._malformed.close(id_)
            elif isinstance(move, Wait):
                self._say(id_, move.reason)
            else:
                self._strike(move, position)

    def _strike(self, move: Strike, position: StrikePosition) -> None:
        try:
            self._disputer.strike(move, position)
        except Doubt as error:
            self._say(move.model, f"in doubt: {error}")
        except Insolvent as error:
            _log.error("watchtower.insolvent", model=move.model.hex(), error=str(error))

    def _look_at_trace(self, view: View, claim: MadeClaim, case: Case, position: Position) -> None:
        """An eager trace is looked at before anybody challenges it, if its output is doubted or not served."""
        served = self._sources.of(view.state.endpoints.get(claim.executor))
        if any(position.dispute.trace_root):
            case.look_at_trace(position.dispute.trace_root, served, view.dispute(claim.id).pages)
        elif claim.trace_root is not None and (case.is_doubted or case.is_unserved):
            case.look_at_trace(claim.trace_root, served, ())

    # Money and words.

    def _collect(self, view: View, look: Look) -> None:
        """Pulls rewards when no dispute of my own needs the money."""
        me = self._disputer.address
        if me is None or any(dispute.challenger == me for dispute in view.open_disputes()):
            return
        move = collect(look.vault_wei, self._reserve_wei)
        if move is not None:
            self._disputer.withdraw(move)

    def _warn_if_poor(self, live: list[MadeClaim], look: Look) -> None:
        """Says once, before any claim asks for it, that the dearest challenge could not be paid for."""
        if self._disputer.address is None:
            return
        bond = self._disputer.challenge_bond(look, max((claim.bond_wei for claim in live), default=0))
        is_poor = look.balance_wei < bond
        if is_poor and not self._is_poor:
            _log.warning("watchtower.poor", balance_wei=look.balance_wei, challenge_bond_wei=bond)
        self._is_poor = is_poor

    def _say(self, claim: bytes, reason: str) -> None:
        """Each new reason once."""
        if self._said.get(claim) != reason:
            self._said[claim] = reason
            _log.info("watchtower.waits", claim=claim.hex(), reason=reason)

    def _forget(self, view: View, live: list[MadeClaim]) -> None:
        """Nothing is kept of claims about which nothing can be done any more."""
        ids = {claim.id for claim in live}
        self._cases = {id_: case for id_, case in self._cases.items() if id_ in ids}
        self._pauses.keep(ids)
        said_of = {*ids, *view.state.active_scores, *view.state.active_trainings, *self._malformed.places}
        self._said = {id_: reason for id_, reason in self._said.items() if id_ in said_of}
        self._quiet &= ids
        self._disputer.forget(said_of)


def active_claims(view: View) -> list[MadeClaim]:
    """Claims of which something may still come, the oldest first."""
    return [view.state.claims[id_] for id_ in view.state.active_claims]


def texts(view: View) -> list[MadeClaim]:
    """Generated texts that nobody challenged: claims of scores with one item, all of which stands on chain."""
    made = (view.state.scores[id_] for id_ in view.state.active_scores)
    return [scores.made_claim(0) for scores in made if scores.inputs and not scores.contested]


def patience(view: View) -> float:
    """Seconds that one endpoint may take of a look."""
    collects = [model.windows.collect for model in view.state.models.values()]
    return min([ENDPOINT_SECONDS, *(seconds / COLLECT_SHARE for seconds in collects)])
