"""Where a training stands in time (PROTOCOL.md, 7.1): the Python twin of TrainingClock.sol.

Instants and periods in seconds of `block.timestamp`; in time means `now < deadline`. Time comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rollup.clock import is_before
from rollup.properties.lifecycle import TRAINING_ENDS
from rollup.properties.types import Training, TrainingStatus


class TrainingPhase(Enum):
    """Every instant lies in exactly one phase; UNOPENED, UNCOMMITTED, UNREVEALED and SCORED are those `settle` ends."""

    OPENING = "the requester may open what the beacon drew"
    UNOPENED = "the drawn items did not come in time"
    COMMITTING = "weights may be committed"
    UNCOMMITTED = "nobody committed weights"
    REVEALING = "the pool's key may be revealed"
    UNREVEALED = "the pool's key did not come in time"
    SCORING = "scores may be claimed"
    SCORED = "the claims are decided"
    ENDED = "it has ended"


ENDABLE = frozenset({TrainingPhase.UNOPENED, TrainingPhase.UNCOMMITTED, TrainingPhase.UNREVEALED, TrainingPhase.SCORED})


@dataclass(frozen=True)
class TrainingCourse:
    """What of a training its clocks depend on. `opened_at`, `revealed_at` are 0 while that has not happened."""

    training: Training
    status: TrainingStatus
    opened_at: int = 0
    revealed_at: int = 0
    commits: int = 0

    @property
    def open_end(self) -> int:
        return self.training.requested_at + self.training.terms.open

    @property
    def commit_end(self) -> int:
        return self.opened_at + self.training.terms.commit

    @property
    def reveal_end(self) -> int:
        return self.commit_end + self.training.terms.reveal

    @property
    def claim_end(self) -> int:
        return self.revealed_at + self.training.terms.claim

    @property
    def endable_from(self) -> int:
        """From when it can be ended if nothing else happens; of one that has ended, without meaning."""
        if self.status is TrainingStatus.REQUESTED:
            return self.open_end
        if self.status is TrainingStatus.REVEALED:
            return self.claim_end
        return self.reveal_end if self.commits else self.commit_end

    def phase(self, now: int) -> TrainingPhase:
        if self.status in TRAINING_ENDS:
            return TrainingPhase.ENDED
        if self.status is TrainingStatus.REQUESTED:
            return TrainingPhase.OPENING if is_before(now, self.open_end) else TrainingPhase.UNOPENED
        if self.status is TrainingStatus.REVEALED:
            return TrainingPhase.SCORING if is_before(now, self.claim_end) else TrainingPhase.SCORED
        if is_before(now, self.commit_end):
            return TrainingPhase.COMMITTING
        if not self.commits:
            return TrainingPhase.UNCOMMITTED
        return TrainingPhase.REVEALING if is_before(now, self.reveal_end) else TrainingPhase.UNREVEALED
