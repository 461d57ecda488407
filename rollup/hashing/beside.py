"""One process that hashes leaves beside this one, and the memory that both share."""

from __future__ import annotations

import mmap
import os
import select
import subprocess
import sys
from collections import deque
from itertools import cycle
from subprocess import PIPE
from typing import IO, cast

from rollup.errors import Unavailable
from rollup.hashing import levels
from rollup.hashing.levels import (
    DONE,
    LENGTH_BYTES,
    MAX_ORDER_BYTES,
    SLOT_BYTES,
    SLOTS,
    Levels,
    level_sizes,
    slots_of,
)

END_SECONDS = 1.0


class Hasher:
    """It ends when this process does, however that ends. Methods that speak with it raise Unavailable once it is gone.

    `pid`: the process's.
    """

    def __init__(self, tag: bytes) -> None:
        try:
            file = os.memfd_create("anh-leaves")
            try:
                os.truncate(file, SLOTS * SLOT_BYTES)
                self._slots = cycle(slots_of(memoryview(mmap.mmap(file, SLOTS * SLOT_BYTES))))
                # Isolated: nothing that is set for this process's Python is meant for that one's.
                command = [sys.executable, "-I", "-S", levels.__file__, str(file), tag.hex()]
                self._process = subprocess.Popen(
                    command, bufsize=0, stdin=PIPE, stdout=PIPE, pass_fds=[file], start_new_session=True
                )
            finally:
                os.close(file)
        except (AttributeError, OSError) as error:
            # Only Linux has memfd_create.
            raise Unavailable(f"no process can hash beside this one: {error}") from error
        self.pid = self._process.pid
        self._orders, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        self._heard = select.poll()
        self._heard.register(self._answers, select.POLLIN)
        self._is_ready = False
        # Slots of what it was ordered and has not been asked for yet, and how much it was.
        self._ordered: deque[tuple[memoryview, int]] = deque()

    @property
    def is_ready(self) -> bool:
        """Whether it takes orders; one that is still starting need not be waited for."""
        if not self._is_ready and self.has_answered:
            self._hear()
            self._is_ready = True
        return self._is_ready

    @property
    def has_answered(self) -> bool:
        """Whether it can be heard at once."""
        return bool(self._heard.poll(0))

    def order(self, leaves: memoryview) -> None:
        """Gives it at most `MAX_ORDER_BYTES` to hash; at most `SLOTS` orders may wait for an answer."""
        slot = next(self._slots)
        slot[: len(leaves)] = leaves
        self._ordered.append((slot, len(leaves)))
        try:
            self._orders.write(len(leaves).to_bytes(LENGTH_BYTES, "big"))
        except OSError as error:
            raise Unavailable(f"process {self.pid} takes no leaves: {error}") from error

    def levels(self) -> Levels:
        """What it makes of the oldest order that was not answered yet; waits for it."""
        self._hear()
        slot, length = self._ordered.popleft()
        start, found = MAX_ORDER_BYTES, []
        for size in level_sizes(length):
            found.append(bytes(slot[start : start + size]))
            start += size
        return found

    def _hear(self) -> None:
        if self._answers.read(len(DONE)) != DONE:
            raise Unavailable(f"process {self.pid} has ended")

    def end(self) -> None:
        """It ends by itself once nobody can give it orders; who was forked from this process still could."""
        self._orders.close()
        self._answers.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
