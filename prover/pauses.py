"""Patience: what cannot be watched is tried again ever more rarely. Time is the chain's, in seconds."""

from __future__ import annotations

from collections.abc import Collection

from rollup.clock import is_before

# After one second, then two, then four...
MAX_PAUSE_SECONDS = 64


class Pauses:
    """When to try something again, by its id."""

    def __init__(self) -> None:
        # Until when nothing is tried, and for how long the next pause lasts.
        self.until: dict[bytes, tuple[int, int]] = {}

    def is_due(self, id_: bytes, now: int) -> bool:
        return not is_before(now, self.until.get(id_, (0, 0))[0])

    def put_off(self, id_: bytes, now: int, latest: int | None = None) -> None:
        """Nothing is tried for twice as long as the last time, but not beyond `latest`."""
        pause = self.until.get(id_, (0, 1))[1]
        end = now + pause
        self.until[id_] = (end if latest is None else min(end, latest), min(2 * pause, MAX_PAUSE_SECONDS))

    def clear(self, id_: bytes) -> None:
        self.until.pop(id_, None)

    def keep(self, ids: Collection[bytes]) -> None:
        """Forgets all others."""
        self.until = {id_: pause for id_, pause in self.until.items() if id_ in ids}
