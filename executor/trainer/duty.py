"""What a training wants done now. Pure: it follows from chain, folder and time, so a crash changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from executor.trainer.pledge import Pledge
from executor.trainer.policy import Policy
from executor.trainer.workshop import Progress
from rollup.properties.clock import TrainingPhase
from rollup.types import Address, Certainty
from rollup.view import MadeCommit, MadeScores, OrderedTraining


class Duty(Enum):
    NOTHING = "nothing can be done, or nothing more will be"
    PREPARE = "fetch what it is made from"
    TRAIN = "see to it that the job runs"
    PLEDGE = "stop, look at the opened items, and decide whether to commit"
    COMMIT = "send the commitment"
    SCORE = "claim the scores of the sealed items"
    FINALISE = "make the claim of scores final"
    SETTLE = "have the training ended"
    DROP = "stop the job: it is too late for it"


@dataclass(frozen=True)
class Standing:
    """Of one training at this executor: what its folder and its workshop say.

    claim: its own claim of scores. ripe: whether a clock has run out and all claims are decided.
    """

    training: OrderedTraining
    executor: Address
    prepared: bool
    declined: bool
    pledge: Pledge | None
    progress: Progress
    claim: MadeScores | None = None
    ripe: bool = False

    @property
    def commit(self) -> MadeCommit | None:
        """This executor's commitment of what it pledged, as the chain has it."""
        if self.pledge is None:
            return None
        wanted = self.pledge.commitment(self.training.id, self.executor)
        return next((made for made in self.training.commits if made.commitment == wanted), None)

    def with_claim(self, claim: MadeScores | None) -> Standing:
        return replace(self, claim=claim)


def duty_of(standing: Standing, policy: Policy, now: int) -> Duty:
    """What is due at `now`, seconds of the chain."""
    phase = standing.training.phase(now)
    if phase is TrainingPhase.COMMITTING:
        return _before_the_end_of_commitments(standing, policy, now)
    if standing.progress is Progress.RUNNING:
        return Duty.DROP
    commit = standing.commit
    if commit is None:
        return Duty.NOTHING
    if phase is TrainingPhase.SCORING and commit.claim is None:
        return Duty.NOTHING if standing.declined else Duty.SCORE
    claim = standing.claim
    if claim is not None and claim.certainty is Certainty.PROVISIONAL:
        return Duty.FINALISE if now >= claim.final_from and not claim.disputed else Duty.NOTHING
    return Duty.SETTLE if standing.ripe else Duty.NOTHING


def _before_the_end_of_commitments(standing: Standing, policy: Policy, now: int) -> Duty:
    if standing.declined:
        return Duty.NOTHING
    if standing.pledge is not None:
        return Duty.NOTHING if standing.commit is not None else Duty.COMMIT
    course = standing.training.course
    in_a_hurry = now >= policy.hurry_at(course.opened_at, course.commit_end)
    if not standing.prepared:
        return Duty.NOTHING if in_a_hurry else Duty.PREPARE
    return Duty.PLEDGE if in_a_hurry or standing.progress in (Progress.DONE, Progress.REFUSED) else Duty.TRAIN
