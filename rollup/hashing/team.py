"""Hashing on every core: this process and those beside it, which are started when there is much to hash.

Whatever becomes of them, the levels are the same: what they do not do, this process does.
"""

from __future__ import annotations

import atexit
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock

from rollup.errors import Unavailable
from rollup.hashing.beside import Hasher
from rollup.hashing.levels import MAX_ORDER_BYTES, SLOTS, SUBTREE_BYTES, Levels, lowest_levels

# More would wait for this process to bring them what they hash.
MAX_HASHERS = 3
# What is shorter is hashed before another process has heard of it.
MIN_SHARED_BYTES = 2**16
# Who hashes less than this in a lifetime needs no other process.
MIN_TOTAL_BYTES = 2**23


class Team:
    """For leaves of one tag. Threads that come while it is busy hash alone, and so do forks of this process."""

    def __init__(self, tag: bytes, hashers: int | None = None, min_total_bytes: int = MIN_TOTAL_BYTES) -> None:
        """`hashers`: processes beside this one; by default one for each further core, but not more than a few."""
        self._tag = tag
        self._count = min(MAX_HASHERS, _cores() - 1) if hashers is None else hashers
        self._left = min_total_bytes
        self._lock = Lock()
        # Of the process that started others; 0 before that.
        self._owner = 0
        # Those beside this process that are left.
        self.hashers: list[Hasher] = []

    def lowest_levels(self, leaves: memoryview) -> Levels:
        """As `rollup.hashing.levels.lowest_levels`."""
        return self.levels_of([leaves])[0]

    def levels_of(self, trees: Sequence[memoryview]) -> list[Levels]:
        """The lowest levels of each of several trees, from its leaves; cheaper than one call for each."""
        length = sum(map(len, trees))
        is_fork = self._owner not in (0, os.getpid())
        if is_fork or length < MIN_SHARED_BYTES or not self._lock.acquire(blocking=False):
            return [lowest_levels(leaves, self._tag) for leaves in trees]
        try:
            self._start(length)
            return self._together(trees, _part_bytes(length, 1 + self._count))
        except BaseException:
            # An answer that nobody heard would be taken for that to the next order.
            self.end()
            raise
        finally:
            self._lock.release()

    def _start(self, length: int) -> None:
        self._left -= length
        if self._left > 0 or self._owner:
            return
        self._owner = os.getpid()
        atexit.register(self.end)
        with suppress(Unavailable):
            for _ in range(self._count):
                self.hashers.append(Hasher(self._tag))

    def _together(self, trees: Sequence[memoryview], size: int) -> list[Levels]:
        cut = [[leaves[start : start + size] for start in range(0, len(leaves), size)] for leaves in trees]
        made = iter(_Round(self, [part for parts in cut for part in parts]).levels(self._tag))
        return [_joined([next(made) for _ in parts]) for parts in cut]

    def dismiss(self, hasher: Hasher) -> None:
        self.hashers.remove(hasher)
        hasher.end()

    def end(self) -> None:
        """Ends all others; from then on this process hashes alone."""
        while self.hashers:
            self.hashers.pop().end()


class _Round:
    """Parts of trees, hashed by whoever is free. The others take the longest, this process the shortest, which are not
    worth an order."""

    def __init__(self, team: Team, parts: Sequence[memoryview]) -> None:
        self._team, self._parts = team, parts
        self._left = deque(sorted(range(len(parts)), key=lambda place: len(parts[place])))
        self._made: dict[int, Levels] = {}
        # What each was given and has not answered yet, by its place among the parts.
        self._given: dict[Hasher, deque[int]] = {}

    def levels(self, tag: bytes) -> list[Levels]:
        """Of each part."""
        while self._left or any(self._given.values()):
            for hasher in list(self._team.hashers):
                try:
                    self._deal_with(hasher, waits=not self._left)
                except Unavailable:
                    self._team.dismiss(hasher)
                    self._left.extendleft(self._given.pop(hasher, ()))
            if self._left:
                place = self._left.popleft()
                self._made[place] = lowest_levels(self._parts[place], tag)
        return [self._made[place] for place in range(len(self._parts))]

    def _deal_with(self, hasher: Hasher, waits: bool) -> None:
        """Hears what one has done, and gives it what it has room for."""
        if not hasher.is_ready:
            return
        given = self._given.setdefault(hasher, deque())
        while given and (waits or hasher.has_answered):
            self._made[given[0]] = hasher.levels()
            given.popleft()
        while self._left and len(given) < self._room and len(self._parts[self._left[-1]]) >= SUBTREE_BYTES:
            given.append(self._left.pop())
            hasher.order(self._parts[given[-1]])

    @property
    def _room(self) -> int:
        """Orders that one may have: towards the end none is worth waiting for while another worker is idle."""
        return SLOTS if len(self._left) > 1 + len(self._team.hashers) else 1


def _part_bytes(length: int, workers: int) -> int:
    """Of what is hashed as a whole: subtrees, several for each worker if there is much."""
    share = -(-length // workers)
    parts = -(-share // MAX_ORDER_BYTES)
    return -(-share // (parts * SUBTREE_BYTES)) * SUBTREE_BYTES


def _cores() -> int:
    """How many this process may use; one where nobody says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _joined(parts: Sequence[Levels]) -> Levels:
    return list(parts[0]) if len(parts) == 1 else [b"".join(level) for level in zip(*parts, strict=True)]
