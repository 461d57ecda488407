"""The watchtower: block by block it re-runs new claims, checks opened traces, and acts as the strategy says.

All it needs it rebuilds from the chain; nothing is lost when it is killed. Without a key it watches only, and says what
it finds. When unsure it stays silent, and says so.
"""

from __future__ import annotations

import structlog

from prover.claim_watch import ClaimWatch
from prover.disputer import Disputer, Look
from prover.inputs import Inputs
from prover.known import KnownModels
from prover.paranoia import Paranoia
from prover.position import Opinion, Wait
from prover.said import Said
from prover.score_watch import ScoreWatch
from prover.sources import ENDPOINT_SECONDS, Sources
from prover.strategy import collect, decide, decide_pool
from prover.strikes import Malformed, Strike, StrikePosition, decide_strike
from rollup.clock import is_before
from rollup.errors import Doubt, Insolvent, Refused
from rollup.graph import Graph
from rollup.types import Certainty
from rollup.view import MadeClaim, View

# Asking strangers for data may take this part of the shortest collect period, so that there is time to demand.
COLLECT_SHARE = 4
_log = structlog.get_logger()


class Watchtower:
    """Looks, decides, acts. One thread."""

    def __init__(self, sources: Sources, disputer: Disputer, reserve_wei: int, is_paranoid: bool = False) -> None:
        self._sources, self._disputer, self._reserve_wei = sources, disputer, reserve_wei
        self._models, inputs = KnownModels(sources.all), Inputs(sources)
        self._malformed, self._said = Malformed(sources.all), Said()
        self._claims = ClaimWatch(sources, self._models, inputs, self._malformed, self._said)
        self._scores = ScoreWatch(sources, self._models, inputs, self._said)
        self._paranoia = Paranoia(self._models) if is_paranoid else None
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
        self._claims.cases.update(self._scores.picked)
        self._claims.look(view, [claim for claim in live if claim.id not in self._scores.withheld])
        for claim in live:
            if claim.id in self._claims.cases or claim.id in self._scores.withheld:
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

    # Moves.

    def _guarded(self, view: View, claim: MadeClaim, look: Look) -> None:
        """One claim's trouble is not the others'."""
        try:
            self._attend(view, claim, look)
        except (Refused, Doubt) as error:
            self._said.waits(claim.id, f"in doubt: {error}")
        except Insolvent as error:
            _log.error("watchtower.insolvent", claim=claim.id.hex(), error=str(error))

    def _attend(self, view: View, claim: MadeClaim, look: Look) -> None:
        """One move; the next block brings the next."""
        opinion, graph = self._opinion(view, claim)
        position = self._disputer.position(view, claim, look)
        move = decide(position, opinion)
        if isinstance(move, Wait):
            self._said.waits(claim.id, move.reason)
        else:
            self._disputer.act(view, move, (position, opinion), look, graph)

    def _opinion(self, view: View, claim: MadeClaim) -> tuple[Opinion, Graph]:
        """What is to be said of a claim, or of an item of which nothing can be checked while nobody serves it."""
        withheld = self._scores.withheld.get(claim.id)
        if withheld is None:
            case = self._claims.look_again(view, claim)
            return case.opinion, case.known.graph
        dispute = view.state.disputes.get(claim.id)
        return withheld.opinion(dispute.pages if dispute is not None else ()), withheld.graph

    def _attend_pools(self, view: View) -> None:
        for position, opinion in self._scores.pools(view, self._disputer.address):
            move = decide_pool(position, opinion)
            if isinstance(move, Wait):
                continue
            try:
                self._disputer.act_on_pool(view, move, position)
            except Doubt as error:
                self._said.waits(position.claim or position.training, f"in doubt: {error}")
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
                self._said.waits(id_, move.reason)
            else:
                self._strike(move, position)

    def _strike(self, move: Strike, position: StrikePosition) -> None:
        try:
            self._disputer.strike(move, position)
        except Doubt as error:
            self._said.waits(move.model, f"in doubt: {error}")
        except Insolvent as error:
            _log.error("watchtower.insolvent", model=move.model.hex(), error=str(error))

    # Money.

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

    def _forget(self, view: View, live: list[MadeClaim]) -> None:
        """Nothing is kept of claims about which nothing can be done any more."""
        ids = {claim.id for claim in live}
        self._claims.keep(ids)
        said_of = {*ids, *view.state.active_scores, *view.state.active_trainings, *self._malformed.places}
        self._said.keep(said_of)
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
