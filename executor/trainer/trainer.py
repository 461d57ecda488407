"""The actor: looks at every training, does what is due, and sends. See duty.py for what that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from executor.actor import Deeds, Office
from executor.purse import Purse
from executor.strangers import unrunnable
from executor.trainer.craft import Assignment, Craft, Strayed, Unsound
from executor.trainer.desk import Desk
from executor.trainer.duty import Duty, Standing, duty_of
from executor.trainer.policy import Policy
from executor.trainer.workshop import Progress, Workshop
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent
from rollup.chain.trainings import ScoreCall, Trainings
from rollup.errors import Doubt, NotFound, Refused, Retry
from rollup.properties.lifecycle import TRAINING_ENDS
from rollup.properties.types import TrainingTerms
from rollup.view import OrderedTraining, View

# The base fee may rise by an eighth a block until the claim is mined.
BOND_PERCENT = 150
_log = structlog.get_logger()


@dataclass(frozen=True)
class Case:
    """A training as it stands, what it is made from, and its folder."""

    given: Assignment
    standing: Standing
    desk: Desk

    @property
    def name(self) -> str:
        return self.given.training.id.hex()


class Trainer:
    """One step does what is due for every training. `folder`: where theirs lie."""

    def __init__(self, office: Office, craft: Craft, policy: Policy, workshop: Workshop, folder: Path) -> None:
        self._office, self._craft, self._policy = office, craft, policy
        self._workshop, self._folder = workshop, folder
        self._deeds = Deeds(office.daemon)
        self._trainings = Trainings(office.daemon.settings.deployment)
        self._scores = Scores(office.daemon.settings.deployment)

    def step(self) -> None:
        if not self._deeds.are_seen():
            return
        with self._office.reading() as view:
            now = view.now
            cases = [self._case(view, known) for known in view.trainings() if known.status not in TRAINING_ENDS]
        for case in cases:
            self._deeds.send(self._done(case, duty_of(case.standing, self._policy, now)))

    def _case(self, view: View, training: OrderedTraining) -> Case:
        desk, terms = Desk.of(self._folder, training.id), training.training.terms
        given = Assignment(training, view.model(terms.architecture), view.model(terms.scorer))
        standing = Standing(
            training=training,
            executor=self._office.address,
            prepared=desk.is_prepared,
            declined=bool(desk.declined),
            pledge=desk.pledge,
            progress=self._workshop.outcome(desk.job).progress,
            ripe=training in view.to_settle_trainings(view.now),
        )
        commit = standing.commit
        return Case(given, standing if commit is None else standing.with_claim(view.scores_of(commit)), desk)

    def _done(self, case: Case, duty: Duty) -> list[Intent]:
        """Does it, and gives what is to be sent. What is refused here will be refused again: the training is left."""
        try:
            with unrunnable("what is to be trained"):
                return _ACTS[duty](self, case)
        except (Retry, NotFound) as error:
            # A blob may still come, a service return: the next look tries again, while there is time.
            _log.warning("trainer.again", training=case.name, duty=duty.name, error=str(error))
        except (Refused, Doubt) as error:
            _log.warning("trainer.declined", training=case.name, duty=duty.name, error=str(error))
            case.desk.decline(str(error))
        return []

    def _nothing(self, _: Case) -> list[Intent]:
        return []

    def _prepare(self, case: Case) -> list[Intent]:
        self._craft.prepare(case.given, case.desk)
        return self._train(case)

    def _train(self, case: Case) -> list[Intent]:
        self._workshop.start(case.desk.job)
        return []

    def _drop(self, case: Case) -> list[Intent]:
        self._workshop.stop(case.desk.job)
        return []

    def _pledge(self, case: Case) -> list[Intent]:
        """The fee goes with the commitment, which names what is durable by now."""
        self._workshop.stop(case.desk.job)
        outcome = self._workshop.outcome(case.desk.job)
        if outcome.progress is Progress.REFUSED:
            case.desk.decline(outcome.reason)
            return []
        self._craft.pledge(case.given, case.desk)
        return self._commit(case)

    def _commit(self, case: Case) -> list[Intent]:
        pledge, training = case.desk.pledge, case.given.training
        if pledge is None:
            return []
        commitment = pledge.commitment(training.id, self._office.address)
        return [self._trainings.commit(training.training, commitment)]

    def _score(self, case: Case) -> list[Intent]:
        pledge, commit, training = case.standing.pledge, case.standing.commit, case.given.training
        if pledge is None or commit is None:
            return []
        try:
            scored = self._craft.score(case.given, pledge)
        except Unsound as error:
            return [self._trainings.spoil(training.training, error.shown)]
        except Strayed as error:
            return [self._trainings.spoil_by_range(training.training, error.shown)]
        bond_wei, value_wei = self._bond(case.given.terms)
        call = ScoreCall(commit.number, pledge.weights_root, pledge.salt, scored.items, scored.scores, bond_wei)
        return [self._trainings.score(training.training, call, value_wei)]

    def _bond(self, terms: TrainingTerms) -> tuple[int, int]:
        """The bond of a claim of scores, and how much of it has to be sent along; wei."""
        client, me = self._office.daemon.client, self._office.address
        at = client.at(client.head())
        least = max(self._scores.minimum_bond(at, terms.scorer, me), terms.min_bond_wei)
        bond_wei = least * BOND_PERCENT // 100
        return bond_wei, Purse(self._office.daemon.settings.deployment, at, me).take(bond_wei)

    def _finalise(self, case: Case) -> list[Intent]:
        claim = case.standing.claim
        return [] if claim is None else [self._scores.finalise(claim.claim.claims)]

    def _settle(self, case: Case) -> list[Intent]:
        return [self._trainings.settle(case.given.training.training)]


_ACTS: Mapping[Duty, Callable[[Trainer, Case], list[Intent]]] = {
    Duty.NOTHING: Trainer._nothing,
    Duty.PREPARE: Trainer._prepare,
    Duty.TRAIN: Trainer._train,
    Duty.PLEDGE: Trainer._pledge,
    Duty.COMMIT: Trainer._commit,
    Duty.SCORE: Trainer._score,
    Duty.FINALISE: Trainer._finalise,
    Duty.SETTLE: Trainer._settle,
    Duty.DROP: Trainer._drop,
}
