"""Times that can be compared on a machine that others use too: acts in turn, and the median of their ratios.

Whatever else the machine does falls on neighbours alike; the order rotates, so that no act is always the one that runs
on what another left in the caches.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence

Act = Callable[[], object]
WARM_UP = 2
CORES = len(os.sched_getaffinity(0))


def seconds(act: Act) -> float:
    """Of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def in_turn(acts: Sequence[Act], rounds: int, limit_seconds: float = float("inf")) -> list[list[float]]:
    """Seconds of each act in each of at most `rounds` rounds, after a warm-up; no round starts beyond the limit."""
    found = []
    until = time.monotonic() + limit_seconds
    for number in range(-WARM_UP, rounds):
        if number > 0 and time.monotonic() > until:
            break
        order = [(number + place) % len(acts) for place in range(len(acts))]
        taken = {place: seconds(acts[place]) for place in order}
        if number >= 0:
            found.append([taken[place] for place in range(len(acts))])
    return found


def ratio(rounds: Sequence[Sequence[float]], over: int, under: int = 0) -> float:
    """Median over the rounds of act `over`'s time divided by act `under`'s."""
    return statistics.median(times[over] / times[under] for times in rounds)


def typical(rounds: Sequence[Sequence[float]], act: int) -> float:
    """Median seconds of an act."""
    return statistics.median(times[act] for times in rounds)
