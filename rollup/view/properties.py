"""What daemons and the API ask of trainings, generations and claims of scores: the second part of View."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from rollup.clock import is_before
from rollup.errors import NotFound
from rollup.lifecycle import FALLEN
from rollup.properties.clock import ENDABLE, TrainingPhase
from rollup.properties.draw import is_beacon_ready
from rollup.properties.types import GenerationStatus, TrainingId
from rollup.types import Address, Certainty, ClaimBatchId, RequestId
from rollup.view.facts import Facts
from rollup.view.property_records import MadeCommit, MadeScores, OrderedGeneration, OrderedTraining
from rollup.view.records import Delivery

T = TypeVar("T")


class Properties:
    """Questions about properties. `now` in seconds of the chain; what waits for somebody comes oldest first."""

    state: Facts

    # One thing by its name.

    def training(self, id_: TrainingId) -> OrderedTraining:
        return found(self.state.trainings.get(id_), "training", id_)

    def generation(self, id_: RequestId) -> OrderedGeneration:
        return found(self.state.generations.get(id_), "generation", id_)

    def scores(self, id_: ClaimBatchId) -> MadeScores:
        return found(self.state.scores.get(id_), "claim of scores", id_)

    def trainings(self) -> list[OrderedTraining]:
        return list(self.state.trainings.values())

    def generations(self) -> list[OrderedGeneration]:
        return list(self.state.generations.values())

    def scores_of(self, commit: MadeCommit) -> MadeScores | None:
        """The claim of scores of a commitment, if it was made."""
        return self.state.scores[commit.claim] if commit.claim is not None else None

    def commit_of(self, id_: ClaimBatchId) -> tuple[OrderedTraining, MadeCommit] | None:
        """The commitment that a claim of scores is of, and its training; None if it is about something else."""
        place = self.state.scored_commits.get(id_)
        if place is None:
            return None
        training = self.state.trainings[place[0]]
        return training, training.commits[place[1]]

    def text_of(self, id_: ClaimBatchId) -> OrderedGeneration | None:
        """The generation that a claim of scores is about, which another claim may answer by now."""
        place = self.state.scored_texts.get(id_)
        return None if place is None else self.state.generations[place]

    def certainty_of(self, commit: MadeCommit) -> Certainty:
        """Certainty of a commitment's scores; NONE if none were claimed."""
        scores = self.scores_of(commit)
        return Certainty.NONE if scores is None else scores.certainty

    def text_scores(self, generation: OrderedGeneration) -> MadeScores | None:
        """The claim of scores that stands on a generation, or fell and was not reopened yet."""
        return self.state.scores[generation.claim] if generation.claim is not None else None

    # What waits for somebody.

    def live_scores(self, now: int) -> list[MadeScores]:
        """Claims of scores whose items may be challenged."""
        return [scores for scores in self._active_scores() if is_before(now, scores.window_end)]

    def to_finalise_scores(self, now: int) -> list[MadeScores]:
        """Claims of scores that may be final now."""
        return [scores for scores in self._active_scores() if not scores.disputed and now >= scores.final_from]

    def trainings_in(self, phase: TrainingPhase, now: int) -> list[OrderedTraining]:
        """Trainings that have not ended and are in `phase` now."""
        return [known for known in self._active_trainings() if known.phase(now) is phase]

    def to_settle_trainings(self, now: int) -> list[OrderedTraining]:
        """Trainings that can be ended now: a clock has run out, and every claim of scores is decided."""
        ripe = (known for known in self._active_trainings() if known.phase(now) in ENDABLE)
        return [
            known
            for known in ripe
            if all(self.certainty_of(commit) is not Certainty.PROVISIONAL for commit in known.commits)
        ]

    def to_draw(self, block: int) -> list[OrderedGeneration]:
        """Sampled generations without a seed whose beacon block `block` can read, or has forgotten."""
        waiting = (known for known in self._in(GenerationStatus.OPEN) if not known.is_drawn)
        return [known for known in waiting if is_beacon_ready(known.anchor, block)]

    def open_generations(self, now: int, executor: Address | None = None) -> list[OrderedGeneration]:
        """Generations that may be taken (by `executor`, if given) or, by their lessee, claimed."""
        drawn = (known for known in self._in(GenerationStatus.OPEN) if known.is_drawn)
        return [known for known in drawn if is_before(now, known.deadline) and executor not in known.excluded]

    def lessee_of(self, generation: OrderedGeneration, now: int) -> Address | None:
        """Who alone may claim a generation now."""
        return generation.lessee if is_before(now, generation.leased_until) else None

    def to_reopen_generations(self) -> list[OrderedGeneration]:
        """Generations whose claim fell."""
        claimed = self._in(GenerationStatus.CLAIMED)
        return [known for known in claimed if known.claim and self.state.scores[known.claim].certainty in FALLEN]

    def to_settle_generations(self, now: int) -> list[OrderedGeneration]:
        """Generations whose claim is final, or may be."""
        due = {scores.id for scores in self.to_finalise_scores(now)}
        return [
            known
            for known in self._in(GenerationStatus.CLAIMED)
            if known.claim and (known.claim in due or self.state.scores[known.claim].certainty is Certainty.FINAL)
        ]

    def to_retry_generations(self) -> list[OrderedGeneration]:
        """Generations whose callback failed."""
        return [known for known in self._in(GenerationStatus.FINAL) if known.delivery is Delivery.FAILED]

    def refundable_generations(self, now: int) -> list[OrderedGeneration]:
        """Generations that nobody can claim any more."""
        return [known for known in self._in(GenerationStatus.OPEN) if not is_before(now, known.deadline)]

    def _active_scores(self) -> Iterator[MadeScores]:
        return (self.state.scores[id_] for id_ in self.state.active_scores)

    def _active_trainings(self) -> Iterator[OrderedTraining]:
        return (self.state.trainings[id_] for id_ in self.state.active_trainings)

    def _in(self, status: GenerationStatus) -> list[OrderedGeneration]:
        active = (self.state.generations[id_] for id_ in self.state.active_generations)
        return [known for known in active if known.status is status]

    def _scores_with(self, id_: RequestId) -> MadeScores:
        """The claim of scores of an item."""
        return found(self.state.item(id_), "item", id_)[0]


def found(record: T | None, what: str, id_: bytes) -> T:
    if record is None:
        raise NotFound(f"no {what} 0x{id_.hex()} is known")
    return record
