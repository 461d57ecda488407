"""What a watchtower has said, so that each new reason to wait is logged once and not once a block."""

from __future__ import annotations

from collections.abc import Collection

import structlog

_log = structlog.get_logger()


class Said:
    """The last reason, by the id of what waits: a claim, a training, a model."""

    def __init__(self) -> None:
        self._reasons: dict[bytes, str] = {}

    def waits(self, id_: bytes, reason: str) -> None:
        if self._reasons.get(id_) != reason:
            self._reasons[id_] = reason
            _log.info("watchtower.waits", claim=id_.hex(), reason=reason)

    def keep(self, ids: Collection[bytes]) -> None:
        """Forgets all others."""
        self._reasons = {id_: reason for id_, reason in self._reasons.items() if id_ in ids}
