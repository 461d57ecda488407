"""Keeps a view of the chain current, through cuts and reorgs.

One thread drives it; others ask the view under `reading`. Decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from rollup.chain.client import Client
from rollup.chain.events import EventStream
from rollup.config import Settings
from rollup.errors import NotFound, Retry
from rollup.events import Update
from rollup.view import View

MAX_BACKOFF_SECONDS = 10.0
_log = structlog.get_logger()


class Follower:
    """A view and the stream that feeds it. After a Retry nothing is lost: the stream has not moved on."""

    def __init__(self, view: View, stream: EventStream, poll_seconds: float = 0.5) -> None:
        self.view = view
        self._stream = stream
        self._poll_seconds = poll_seconds
        self._lock = threading.RLock()

    @classmethod
    def from_settings(cls, settings: Settings, client: Client) -> Follower:
        stream = EventStream(client, settings.deployment, settings.confirmations)
        return cls(View(settings.deployment.domain), stream, settings.poll_seconds)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """The view, held still."""
        with self._lock:
            yield self.view

    def catch_up(self, on_update: Callable[[Update], None] | None = None) -> None:
        """Applies all that is new. Raises Unavailable, and Doubt from the view."""
        while (update := self._poll()) is not None:
            with self._lock:
                self.view.apply(update)
            if update.keep is not None:
                _log.warning("chain.reorganised", keep=update.keep, block=update.block)
            if on_update is not None:
                on_update(update)

    def _poll(self) -> Update | None:
        try:
            return self._stream.poll()
        except NotFound:
            # A block that was there a moment ago: the chain is being reorganised; the next look will tell.
            return None

    def run(
        self, stop: threading.Event, on_change: Callable[[], None], on_update: Callable[[Update], None] | None = None
    ) -> None:
        """Until `stop`: catches up, and calls `on_change` after every new block. Retries of either wait and go on.

        Errors that are no Retry end it.
        """
        failures = 0
        seen = b"nothing"
        while not stop.is_set():
            try:
                self.catch_up(on_update)
                if self.view.block_hash != seen:
                    on_change()
                seen, failures = self.view.block_hash, 0
                pause = self._poll_seconds
            except Retry as error:
                failures += 1
                pause = min(self._poll_seconds * 2**failures, MAX_BACKOFF_SECONDS)
                _log.warning("chain.retry", error=str(error), pause_seconds=pause)
            stop.wait(pause)
