"""Claims of scores under examination: one object each, however many items they have.

The chain has checked the property itself: aggregate and threshold. What is left is whether items are the pool's,
whether the weights are served, and whether the scores are theirs: one batched pass over all items. Only an item that
deviates becomes a case, and only after a second evaluation. Decides no move (strategy.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import isnan

from prover.case import Case
from prover.inputs import Inputs, Paper, within
from prover.known import Held, Known
from prover.pool_proof import prove_replaced
from prover.position import SpoilByRange, Unmask
from prover.strategy import REACH, is_beyond_reach, next_item
from rollup.errors import BadEncoding, BadInput, NotFound
from rollup.properties.stray import prove_stray
from rollup.types import ClaimBatchId, ClaimId

# Items run at once, and of one claim in one look: others have their turn.
BATCH = 64
LOOK_ITEMS = 1024
# Items whose inputs nobody serves, after which nobody is asked for more of them in this look.
MISSES = 4
# Second evaluations of one claim in one look: each costs a float64 run and many backward passes.
SECOND_LOOKS = 4


class ScoreCase:
    """What the watchtower knows of one claim of scores of a training."""

    def __init__(self, paper: Paper, known: Known, inputs: Inputs) -> None:
        self.paper, self.known, self._inputs = paper, known, inputs
        self._pending = deque(range(paper.scores.claim.count))
        # Items beyond reach, by how far, NaN where my own run makes no number; those that the second evaluation has
        # confirmed, or explained.
        self.beyond: dict[int, float] = {}
        self.confirmed: dict[int, Case] = {}
        self.excused: set[int] = set()
        # Items at which the scorer cannot be run: nothing can be said of them.
        self.unrunnable: list[int] = []
        # Items that are not the pool's.
        self.replaced: list[int] = []
        # Items of the pool that are out of range: nobody can be scored on them.
        self.strays: list[int] = []

    @property
    def id(self) -> ClaimBatchId:
        return self.paper.scores.id

    @property
    def unseen(self) -> tuple[int, ...]:
        """Items that were not compared yet: their turn has not come, or nobody serves their inputs."""
        return tuple(self._pending)

    @property
    def is_clean(self) -> bool:
        """Whether every item was compared, and no deviation is left that a second evaluation has not explained."""
        return not self._pending and not self.replaced and not self.strays and set(self.beyond) <= self.excused

    @property
    def far(self) -> dict[int, float]:
        """Items that were compared and are beyond reach, by how far."""
        return {item: ratio for item, ratio in self.beyond.items() if not isnan(ratio)}

    @property
    def overflown(self) -> list[int]:
        """Items that the batched look cannot compare: a run of mine makes no number of them."""
        return [item for item, ratio in self.beyond.items() if isnan(ratio)]

    def compare(self) -> None:
        """Goes on with the pass over all items, as far as one look may."""
        batch: list[tuple[int, Held]] = []
        misses = 0
        for _ in range(min(LOOK_ITEMS, len(self._pending))):
            item = self._pending.popleft()
            try:
                held = self._held(item)
            except BadInput:
                # What its requester put out of range may crash whoever runs it, and cannot be judged.
                continue
            except (NotFound, BadEncoding):
                # What is served under its name and is no item is as good as nothing.
                self._pending.append(item)
                misses += 1
                if misses == MISSES:
                    break
                continue
            if held is not None:
                batch.append((item, held))
            if len(batch) == BATCH:
                self._run(batch)
                batch = []
        if batch:
            self._run(batch)

    def _held(self, item: int) -> Held | None:
        """Inputs of an item; None if they are not the pool's. Raises NotFound, BadInput."""
        claim = self.paper.scores.claim
        held = self._inputs.pooled(self.paper, item)
        if held is None:
            return self._inputs.item(self.paper, item)
        if held.bundle.root != claim.scoring.items[item]:
            self.replaced.append(item)
            return None
        try:
            return within(claim.model.inputs, held.tensors)
        except BadInput:
            self.strays.append(item)
            raise

    def _run(self, batch: Sequence[tuple[int, Held]]) -> None:
        try:
            ratios = self._deviations(batch)
        except BadInput:
            # One that cannot be run must not hide the others.
            if len(batch) > 1:
                for one in batch:
                    self._run([one])
            else:
                self.unrunnable.append(batch[0][0])
            return
        for (item, _), ratio in zip(batch, ratios, strict=True):
            # NaN is beyond.
            if not ratio <= REACH:
                self.beyond[item] = ratio

    def _deviations(self, batch: Sequence[tuple[int, Held]]) -> list[float]:
        claim = self.paper.scores.claim
        requests = [[tensor.data for tensor in held.tensors] for _, held in batch]
        return self.known.checker.deviations(requests, [claim.entry(item) for item, _ in batch])

    def confirm(self) -> Case | None:
        """The item to challenge next, as a case that two evaluations find beyond reach; None if there is none.

        Raises NotFound if nobody serves its inputs any more.
        """
        scores = self.paper.scores
        for _ in range(SECOND_LOOKS):
            if any(item in scores.disputed for item in self.confirmed):
                return None
            item = next_item(list(self.confirmed), scores.disputed, scores.contested)
            if item is not None:
                return self.confirmed[item]
            if not self._look_again():
                return None
        return None

    def _look_again(self) -> bool:
        """Puts the worst of the items that were not yet before the second evaluation; False if there is none."""
        waiting = [item for item in self.beyond if item not in self.confirmed and item not in self.excused]
        if not waiting:
            return False
        item = max(waiting, key=lambda item: _size(self.beyond[item]))
        try:
            case = self.case_of(item)
        except BadInput:
            self.unrunnable.append(item)
            self.excused.add(item)
            return True
        if is_beyond_reach(case.opinion):
            self.confirmed[item] = case
        else:
            self.excused.add(item)
        return True

    def case_of(self, item: int) -> Case:
        """One item as a claim of its own, looked at twice if it is beyond reach. Raises NotFound, BadInput."""
        claim = self.paper.scores.claim
        held, entry = self._inputs.item(self.paper, item), claim.entry(item)
        case = Case(ClaimId(claim.claim_id(item)), self.known, held, entry, entry)
        case.look(self.beyond.get(item, 0.0))
        return case

    def unmasked(self) -> Unmask | None:
        """The move that shows that an item is not the pool's: of the first whose claimed inputs somebody serves."""
        for item in self.replaced:
            with suppress(NotFound, BadEncoding):
                return self._unmask(item)
        return None

    def strayed(self) -> SpoilByRange | None:
        """The move that shows that an item of the pool is out of range, of the first that somebody serves."""
        source, revealed = self._inputs.pool_of(self.paper.training), self.paper.pooled.revealed
        for item in self.strays:
            with suppress(NotFound):
                shown = prove_stray(revealed, source.pool, item, source.masked(self.paper.pooled, item).tensors)
                return None if shown is None else SpoilByRange(self.paper.training.id, revealed, shown)
        return None

    def _unmask(self, item: int) -> Unmask | None:
        """Raises NotFound where something of it is not served."""
        source, pooled = self._inputs.pool_of(self.paper.training), self.paper.pooled
        masked, claimed = source.masked(pooled, item), self._inputs.claimed(self.paper, item)
        shown = prove_replaced(pooled, source.pool, item, masked, claimed)
        return None if shown is None else Unmask(self.id, self.paper.commit.number, pooled, shown)


def _size(ratio: float) -> float:
    """What cannot be compared comes last: it must not hide what can."""
    return 0.0 if isnan(ratio) else ratio
