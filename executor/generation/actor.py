"""The generator: draws, leases, generates, claims and settles the texts that this executor can make.

Runs in the daemon and not in a worker's task: texts are made one at a time, so there is nothing to batch and nothing to
queue, and the daemon holds the models that it opens traces of anyway. Time ends with the lease; memory is bounded
before a scorer is served at all (desk.py). What it does follows from the chain and from kept texts, so it may be killed
at any point: what was sent is sent again as the same deed, and what was made is not made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from executor.actor import Deeds, Office
from executor.generation.desk import Answer, Desk
from executor.generation.plan import Plan, Settlement, plan, refutations, scorers_of
from executor.purse import Purse, TextLeaseTerms
from rollup.chain.generations import Generations
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent
from rollup.errors import Doubt, Overloaded, Refused
from rollup.types import Model, RequestId
from rollup.view import OrderedGeneration

# The base fee may rise by an eighth a block until the claim is mined.
BOND_PERCENT = 150
# As ConstantsLib.sol has it.
MAX_BOND_DOUBLINGS = 6
# Of a lease, left for the claim to be mined.
HURRY_SECONDS = 4
_log = structlog.get_logger()


@dataclass(frozen=True)
class Commission:
    """A generation under this executor's lease. `doublings`: of the least bond, for claims that were refuted."""

    known: OrderedGeneration
    scorer: Model
    doublings: int
    seconds_left: int


class Generator:
    """One step does what is due, and makes at most one text."""

    def __init__(self, office: Office) -> None:
        deployment = office.daemon.settings.deployment
        self._office, self._deeds = office, Deeds(office.daemon)
        self._desk = Desk(office.models, office.blobs)
        self._generations, self._scores = Generations(deployment), Scores(deployment)
        self._terms = TextLeaseTerms(deployment)
        # Texts that could not be made: another lease on them would be another deposit lost.
        self._given_up: set[RequestId] = set()

    def step(self) -> None:
        if not self._deeds.are_seen():
            return
        with self._office.reading() as view:
            scorers = scorers_of(view, view.now)
        # Loading one takes a while, in which the view must not be held.
        served = {scorer for scorer in scorers if self._desk.serves(scorer)}
        with self._office.reading() as view:

            def is_served(known: OrderedGeneration) -> bool:
                return known.id not in self._given_up and view.model(known.generation.terms.scorer) in served

            due = plan(view, self._office.address, view.now, is_served)
            commissions = [
                Commission(
                    known,
                    view.model(known.generation.terms.scorer),
                    min(refutations(view, known), MAX_BOND_DOUBLINGS),
                    min(known.leased_until, known.deadline) - view.now,
                )
                for known in due.claim
                if known.id not in self._given_up
            ]
        self._deeds.send([*self._draws(due), *map(self._settle, due.settle), *self._takes(due)])
        self._deeds.send([intent for each in commissions for intent in self._claims(each)])

    def _draws(self, due: Plan) -> list[Intent]:
        """A beacon that the chain forgot is drawn again, from a new anchor."""
        return [self._generations.draw(known.generation, turn=str(known.anchor)) for known in due.draw]

    def _settle(self, due: Settlement) -> Intent:
        return self._generations.settle(due.generation.generation, due.scores.claim.claims, due.generation.tokens)

    def _takes(self, due: Plan) -> Iterator[Intent]:
        if due.take is None:
            return
        at = self._office.daemon.client.at(self._office.daemon.client.head())
        purse = Purse(self._office.daemon.settings.deployment, at, self._office.address)
        turn = f"{due.take.attempts}:{due.take.leased_until}"
        yield self._generations.take(due.take.generation, turn, purse.take(self._terms.deposit_wei(at)))

    def _claims(self, given: Commission) -> Iterator[Intent]:
        """The claim of a text; none if it cannot be made. No honest party bonds on doubt."""
        try:
            answer = self._desk.answer(given.known, given.scorer, given.seconds_left - HURRY_SECONDS)
        except (Refused, Doubt, Overloaded) as error:
            self._given_up.add(given.known.id)
            _log.error("executor.no_text", generation=given.known.id.hex(), error=str(error))
            return
        yield self._claim(given, answer)

    def _claim(self, given: Commission, answer: Answer) -> Intent:
        terms = given.known.generation.terms
        at = self._office.daemon.client.at(self._office.daemon.client.head())
        purse = Purse(self._office.daemon.settings.deployment, at, self._office.address)
        priced = self._scores.minimum_bond(at, terms.scorer, self._office.address) * BOND_PERCENT // 100
        bond = max(priced, terms.min_bond_wei) << given.doublings
        said, turn = (answer.tokens, answer.scores), str(given.known.attempts)
        return self._generations.claim(given.known.generation, said, bond, turn, purse.take(bond))
