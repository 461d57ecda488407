"""What every acting thread of an executor shares: the view, the sender, and the patience to wait for its own deeds.

An actor decides on a view that has seen its last transaction, so that it never does a thing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from executor.models import Models
from rollup.blobs import Blobs
from rollup.chain.daemon import Daemon
from rollup.chain.sender import Intent
from rollup.errors import Insolvent, NotYet, Refused, Retry
from rollup.journal import Journal
from rollup.types import Address
from rollup.view import View

MAX_BACKOFF_SECONDS = 10.0
# Short, so that an actor sees a stop in time; what is not mined by then is looked for again in its next step.
WAIT_SECONDS = 3.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Office:
    """What the threads of one executor work with."""

    daemon: Daemon
    journal: Journal
    blobs: Blobs
    models: Models

    @property
    def address(self) -> Address:
        return self.daemon.sender.address

    @contextmanager
    def reading(self) -> Iterator[View]:
        """The view, held still."""
        with self.daemon.follower.reading() as view:
            yield view


class Deeds:
    """Sends intents of one actor, and says when the view has caught up with them."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._pending: list[Intent] = []
        self._block = 0

    def are_seen(self) -> bool:
        """Whether all that was sent is mined and known to the view. Waits a little for what is not mined."""
        self._collect()
        return not self._pending and self._daemon.follower.view.block >= self._block

    def send(self, intents: Iterable[Intent]) -> None:
        """Sends each as it comes, then waits a little for them.

        What the chain refuses is reported and passed over: somebody else was faster, or the state has moved on. So is
        what there is no money for, since whatever else is due must still be done.
        """
        for intent in intents:
            try:
                self._daemon.sender.submit(intent)
                self._pending.append(intent)
            except Refused as error:
                _log.info("executor.refused", intent=intent.key, error=str(error))
            except Insolvent as error:
                _log.error("executor.insolvent", intent=intent.key, error=str(error))
        self._collect()

    def _collect(self) -> None:
        while self._pending:
            intent = self._pending[0]
            try:
                self._block = max(self._block, self._daemon.sender.wait(intent, WAIT_SECONDS).block)
            except NotYet:
                return
            except Refused as error:
                _log.info("executor.refused", intent=intent.key, error=str(error))
            self._pending.pop(0)


def keep_doing(name: str, step: Callable[[], None], stop: threading.Event, pause_seconds: float) -> None:
    """Calls `step` again and again until `stop`, less often while it fails.

    What is refused is somebody's bad input or a state that has moved on, and no reason to leave everything else undone.
    Other errors end it.
    """
    failures = 0
    while not stop.is_set():
        pause = pause_seconds
        try:
            step()
            failures = 0
        except (Retry, Refused) as error:
            failures += 1
            pause = min(pause_seconds * 2**failures, MAX_BACKOFF_SECONDS)
            _log.warning("executor.again", actor=name, error=str(error), pause_seconds=pause)
        stop.wait(pause)
