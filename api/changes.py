"""Wakes those who follow a request when something may have changed. A wake is a hint: who wakes looks for himself."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Changes:
    """Announced from any thread, awaited in event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def followers(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    def announce(self) -> None:
        with self._lock:
            waiting = tuple(self._waiting)
        for loop, event in waiting:
            # A loop that has just been closed has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seconds: float) -> None:
        """Until the next announcement, at most `seconds`."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(waiter)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter[1].wait(), seconds)
        finally:
            with self._lock:
                self._waiting.discard(waiter)
