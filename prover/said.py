"""What a watchtower has said, so that each new thing is logged once and not once a block."""

from __future__ import annotations

from collections.abc import Collection

import structlog

_log = structlog.get_logger()


class Said:
    """The last of each kind, by the id of what it is about: a claim, a training, a model."""

    def __init__(self) -> None:
        self._last: dict[tuple[bytes, str], object] = {}

    def waits(self, id_: bytes, reason: str) -> None:
        if self._is_new(id_, "watchtower.waits", reason):
            _log.info("watchtower.waits", claim=id_.hex(), reason=reason)

    def warns(self, id_: bytes, event: str, found: dict[str, object]) -> None:
        """Of a claim that something was found wrong with; `found` says what."""
        if self._is_new(id_, event, found):
            _log.warning(event, claim=id_.hex(), **found)

    def _is_new(self, id_: bytes, event: str, said: object) -> bool:
        is_new = self._last.get((id_, event)) != said
        self._last[id_, event] = said
        return is_new

    def keep(self, ids: Collection[bytes]) -> None:
        """Forgets all others."""
        self._last = {key: said for key, said in self._last.items() if key[0] in ids}
