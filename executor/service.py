"""The executor's daemon: dispatcher, claimer, opener, generator and blob server around one view of the chain.

Workers are other processes (tasks.py). It keeps nothing that the journal, the blobs and the chain do not hold, so it
may be killed at any point.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from executor.actor import Deeds, Office, keep_doing
from executor.claims import Claimer
from executor.dispatcher import Dispatcher
from executor.generation.actor import Generator
from executor.models import Models
from executor.opener import Opener
from executor.serving import serving
from executor.trainer.service import Studio, working
from rollup.blobs import open_blobs
from rollup.chain.claims import Claims
from rollup.chain.daemon import Daemon
from rollup.config import Settings
from rollup.journal import open_journal
from rollup.queue import make_queue, send_execute

# Actors that lease requests and texts.
_LESSEES = ("dispatcher", "generator")
_log = structlog.get_logger()


@dataclass(frozen=True)
class Options:
    """`eager`: claims carry trace roots. `studio`: how networks are trained to order; None to leave that to others.

    `only_trains`: leases nothing, so that no worker is needed: a lease that nobody works on loses its deposit.
    """

    eager: bool = False
    studio: Studio | None = None
    only_trains: bool = False


def run_executor(settings: Settings, stop: threading.Event, options: Options | None = None) -> None:
    """Runs until `stop`. Raises what a Daemon raises at its start, and whatever makes going on unsafe."""
    journal = open_journal(settings.journal_url)
    with Daemon.start(settings, journal.transactions) as daemon:
        blobs = open_blobs(settings.blobs)
        office = Office(daemon, journal, blobs, Models(blobs))
        # Nobody acts on a view that has not seen everything yet.
        daemon.follower.catch_up()
        with serving(blobs, settings.blobs_url), _actors(office, options or Options()) as actors:
            Threads(stop).run(actors, settings.poll_seconds)


@contextmanager
def _actors(office: Office, options: Options) -> Iterator[dict[str, Callable[[], None]]]:
    wake = partial(send_execute, make_queue(office.daemon.settings.redis_url))
    actors = {
        "follower": office.daemon.follower.catch_up,
        "announcer": Announcer(office).step,
        "dispatcher": Dispatcher(office, wake).step,
        "claimer": Claimer(office, options.eager).step,
        "opener": Opener(office).step,
        "generator": Generator(office).step,
    }
    if options.only_trains:
        actors = {name: step for name, step in actors.items() if name not in _LESSEES}
    if options.studio is None:
        yield actors
        return
    with working(office, options.studio) as trainer:
        yield {**actors, "trainer": trainer.step}


class Announcer:
    """Says on chain where blobs are served, once, and again if that has changed."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._claims = Claims(office.daemon.settings.deployment)
        self._deeds = Deeds(office.daemon)

    def step(self) -> None:
        url = self._office.daemon.settings.blobs_url
        with self._office.reading() as view:
            before = view.state.endpoints.get(self._office.address)
        if before != url and self._deeds.are_seen():
            self._deeds.send([self._claims.announce_endpoint(url, turn=before or "")])


class Threads:
    """Actors side by side, so that none waits for another's transactions; the first that fails stops them all."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._failures: list[BaseException] = []

    def run(self, actors: dict[str, Callable[[], None]], pause_seconds: float) -> None:
        """Returns when all have ended; raises the first failure."""
        threads = [
            threading.Thread(target=self._keep, args=(name, step, pause_seconds), name=name)
            for name, step in actors.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _keep(self, name: str, step: Callable[[], None], pause_seconds: float) -> None:
        try:
            keep_doing(name, step, self._stop, pause_seconds)
        except BaseException as error:
            _log.error("executor.stopped", actor=name, error=str(error), exc_info=True)
            self._failures.append(error)
            self._stop.set()
