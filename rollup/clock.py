"""Where a claim and its dispute stand in time (PROTOCOL.md, 4): the Python twin of DisputeClock.sol.

Instants and periods in seconds of `block.timestamp`; in time means `now < deadline`. Time comes in as an argument: no
clock of the host's is ever read. Knows nothing of money or of who moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rollup.types import Windows


class Phase(Enum):
    """Every instant of a dispute lies in exactly one phase; UNOPENED, STARVED and OVER are those `conclude` ends."""

    OPENING = "the executor may open"
    UNOPENED = "it did not open in time"
    COLLECTING = "leaves may be demanded and supplied"
    SUPPLYING = "demanded leaves may be supplied"
    STARVED = "a demanded leaf is missing"
    PROVING = "nothing but a proof is awaited"
    OVER = "no proof came in time"


CONCLUDABLE = frozenset({Phase.UNOPENED, Phase.STARVED, Phase.OVER})


def is_before(moment: int, deadline: int) -> bool:
    """The one meaning of "in time"."""
    return moment < deadline


def challenge_end(claimed_at: int, windows: Windows) -> int:
    """Until then a claim may be challenged; from then on, unchallenged, it may be final."""
    return claimed_at + windows.challenge


@dataclass(frozen=True)
class Course:
    """What of a dispute its clocks depend on. `opened_at` is 0 while no trace is open."""

    windows: Windows
    challenged_at: int
    opened_at: int = 0
    demanded: bool = False
    missing: bool = False

    @property
    def open_end(self) -> int:
        return self.challenged_at + self.windows.open

    @property
    def collect_end(self) -> int:
        return self.opened_at + self.windows.collect

    @property
    def supply_end(self) -> int:
        """The end of the collect period itself if nothing was demanded."""
        return self.collect_end + (self.windows.supply if self.demanded else 0)

    @property
    def prove_end(self) -> int:
        return self.supply_end + self.windows.prove

    @property
    def final_from(self) -> int:
        """When an acquitted claim may be final at the earliest: faults that only reject are proven from `prove_end` on,
        and they too have a prove window.
        """
        return self.prove_end + self.windows.prove

    @property
    def concludable_from(self) -> int:
        """From when the dispute can be ended if nothing else happens."""
        if not self.opened_at:
            return self.open_end
        return self.supply_end if self.missing else self.prove_end

    def phase(self, now: int) -> Phase:
        if not self.opened_at:
            return Phase.OPENING if is_before(now, self.open_end) else Phase.UNOPENED
        if is_before(now, self.collect_end):
            return Phase.COLLECTING
        if is_before(now, self.supply_end):
            return Phase.SUPPLYING
        if self.missing:
            return Phase.STARVED
        return Phase.PROVING if is_before(now, self.prove_end) else Phase.OVER
