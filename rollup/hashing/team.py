"""Hashing on every core: this process and those beside it, which are started when there is much to hash.

Whatever becomes of them, the levels are the same: what they do not do, this process does.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock

from rollup.errors import Unavailable
from rollup.hashing.beside import Hasher
from rollup.hashing.levels import MAX_ORDER_BYTES, SUBTREE_BYTES, Levels, lowest_levels

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
        is_fork = self._owner not in (0, os.getpid())
        if is_fork or len(leaves) < MIN_SHARED_BYTES or not self._lock.acquire(blocking=False):
            return lowest_levels(leaves, self._tag)
        try:
            self._start(len(leaves))
            step = MAX_ORDER_BYTES * (1 + self._count)
            return _joined([self._together(leaves[start : start + step]) for start in range(0, len(leaves), step)])
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

    def _together(self, leaves: memoryview) -> Levels:
        """As many whole subtrees for each other process, and for this one the last of them and what is left over."""
        hashers = self._ready() if len(leaves) >= MIN_SHARED_BYTES else []
        share = len(leaves) // SUBTREE_BYTES // (1 + len(hashers)) * SUBTREE_BYTES
        parts = [leaves[place * share : (place + 1) * share] for place in range(len(hashers))]
        for hasher, part in zip(hashers, parts, strict=True):
            with suppress(Unavailable):
                hasher.order(part)
        own = lowest_levels(leaves[len(parts) * share :], self._tag)
        return _joined([*(self._answer(hasher, part) for hasher, part in zip(hashers, parts, strict=True)), own])

    def _ready(self) -> list[Hasher]:
        ready = []
        for hasher in list(self.hashers):
            try:
                ready += [hasher] if hasher.is_ready else []
            except Unavailable:
                self._dismiss(hasher)
        return ready

    def _answer(self, hasher: Hasher, leaves: memoryview) -> Levels:
        try:
            return hasher.levels(len(leaves))
        except Unavailable:
            self._dismiss(hasher)
            return lowest_levels(leaves, self._tag)

    def _dismiss(self, hasher: Hasher) -> None:
        self.hashers.remove(hasher)
        hasher.end()

    def end(self) -> None:
        """Ends all others; from then on this process hashes alone."""
        while self.hashers:
            self.hashers.pop().end()


def _cores() -> int:
    """How many this process may use; one where nobody says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _joined(parts: Sequence[Levels]) -> Levels:
    return list(parts[0]) if len(parts) == 1 else [b"".join(level) for level in zip(*parts, strict=True)]
