"""What runs behind the window: the journal, the chain's reader, and two threads that follow chain and Redis.

A fault that only a person can mend is kept, and told to everybody who asks from then on. Knows nothing of HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from api.changes import Changes
from api.limits import CallCounter, Limits
from api.window import Health, Window
from rollup.blobs import open_blobs
from rollup.chain.client import Client
from rollup.chain.follower import Follower
from rollup.chain.keys import load_key
from rollup.chain.lane import LaneReader
from rollup.chain.signatures import KeySigner
from rollup.config import Settings
from rollup.curves import Curves
from rollup.errors import BadInput, Retry, RollupError, Stop, Unavailable
from rollup.journal import RequestStatus, open_journal
from rollup.live import Live
from rollup.sequencer import Sequencer
from rollup.view import View

JOIN_SECONDS = 5.0
_log = structlog.get_logger()


class Backstage:
    """Opened for one application. Raises WrongChain; BadInput without a key to sign receipts with."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        if settings.key is None:
            raise BadInput("the settings name no key; the API signs receipts with the sequencer's")
        deployment = settings.deployment
        self._settings = settings
        self._client = Client(settings.rpc_url, deployment.chain_id, settings.rpc_timeout_seconds)
        self._require_right_chain()
        self._follower = Follower.from_settings(settings, self._client)
        self._journal = open_journal(settings.journal_url)
        self._live = Live(settings.redis_url)
        self._changes = Changes()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._fault: Stop | None = None
        lane = LaneReader(self._client, deployment)
        signer = KeySigner(load_key(settings.key))
        blobs = open_blobs(settings.blobs)
        self.window = Window(
            deployment=deployment,
            reading=self.reading,
            requests=self._journal.requests,
            sequencer=Sequencer(self._journal.requests, blobs, lane, signer, deployment.domain),
            chain=lane,
            counter=CallCounter(limits, self._live.count),
            curves=Curves(self._live),
            health=self.health,
            limits=limits,
            changes=self._changes,
        )

    def start(self) -> None:
        for run in (self._follow_chain, self._follow_updates):
            self._threads.append(threading.Thread(target=run, name=run.__name__, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        self._stop.set()
        self._changes.announce()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._live.close()
        self._journal.close()

    @contextmanager
    def reading(self) -> Iterator[View]:
        """The view, held still. Raises Unavailable until the chain was read once, and the fault once there is one."""
        if self._fault is not None:
            raise self._fault
        with self._follower.reading() as view:
            if not view.block_hash:
                raise Unavailable("the chain has not been read yet")
            yield view

    def health(self) -> Health:
        return Health(
            chain=str(self._fault) if self._fault else _word(self._client.require_chain),
            journal=_word(lambda: self._journal.requests.find(RequestStatus.POSTING, 1)),
            redis="ok" if self._live.answers() else "away",
        )

    def _require_right_chain(self) -> None:
        try:
            self._client.require_chain()
        except Unavailable as error:
            _log.warning("api.chain_away", error=str(error))

    def _follow_chain(self) -> None:
        try:
            self._await_chain()
            self._follower.run(self._stop, self._changes.announce)
        except RollupError as error:
            self._fault = error if isinstance(error, Stop) else Stop(str(error))
            _log.error("api.chain_fault", error=str(error))

    def _await_chain(self) -> None:
        """Returns when the right chain answers. Raises WrongChain."""
        while not self._stop.is_set():
            try:
                return self._client.require_chain()
            except Retry:
                self._stop.wait(self._settings.poll_seconds)

    def _follow_updates(self) -> None:
        self._live.listen(lambda _topic, _status: self._changes.announce(), self._stop)


def _word(ask: Callable[[], object]) -> str:
    """The word ok, or why it does not answer."""
    try:
        ask()
    except RollupError as error:
        return str(error)
    return "ok"
