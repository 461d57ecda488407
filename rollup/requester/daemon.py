"""The requester's daemon: opens and reveals in time, for every training of its requesters whose key it has: those that
its own account asked for, and those of contracts that it is named. It calls Trainings itself, as whoever has a key may.

A key leaves its file only in the call that reveals it, and in calls that open items, which hold those items' keys.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

import structlog

from rollup.blobs import Blobs, open_blobs
from rollup.chain.daemon import Daemon
from rollup.chain.sender import Intent
from rollup.chain.trainings import Trainings
from rollup.config import Settings
from rollup.errors import Refused
from rollup.journal import open_journal
from rollup.properties.draw import Draw, draw_seed
from rollup.properties.pool import Pool, item_key
from rollup.properties.types import OpenedItem
from rollup.requester.duty import Move, Open, Reveal, decide
from rollup.requester.keys import PoolKey, PoolKeys
from rollup.types import Address
from rollup.view import OrderedTraining

_log = structlog.get_logger()


class Requester:
    """Moves to intents, and intents to the chain."""

    def __init__(self, daemon: Daemon, blobs: Blobs, keys: PoolKeys, contracts: Collection[Address] = ()) -> None:
        self._daemon, self._blobs, self._keys = daemon, blobs, keys
        self._requesters = {daemon.sender.address, *contracts}
        self._trainings = Trainings(daemon.settings.deployment)

    def step(self) -> None:
        """Sends all that is due, then waits for it. What the chain refuses is reported, and looked at again."""
        with self._daemon.follower.reading() as view:
            moves = decide(view, self._requesters, self._keys.has)
        for move in moves:
            try:
                self._daemon.sender.send(self._intent(move))
            except Refused as error:
                _log.error(
                    "requester.refused", training=move.training.id.hex(), move=type(move).__name__, error=str(error)
                )

    def _intent(self, move: Move) -> Intent:
        training = move.training.training
        match move:
            case Open(known):
                return self._trainings.open(training, self._opened(known))
            case Reveal():
                return self._trainings.reveal(training, self._keys.read(training.terms.key_hash).secret)
            case _:
                return self._trainings.settle(training)

    def _opened(self, known: OrderedTraining) -> list[OpenedItem]:
        """What the block after the request's draws, opened."""
        terms = known.training.terms
        beacon = self._daemon.client.block(known.training.requested_block + 1).hash
        draw = Draw(draw_seed(known.id, beacon), terms.pool_count, terms.open_count)
        pool = self._blobs.get_pool(terms.pool_root)
        return opened_items(pool, draw, self._keys.read(terms.key_hash))


def opened_items(pool: Pool, draw: Draw, key: PoolKey) -> list[OpenedItem]:
    """The drawn items with their keys. Raises BadEncoding if the key is another pool's."""
    return [pool.opened(index, item_key(key.secret, index)) for index in draw.opened]


def run_requester(settings: Settings, stop: threading.Event, keys: Path, contracts: Collection[Address]) -> None:
    """Runs until `stop`, for its own account and for `contracts`.

    Raises what a Daemon raises at its start, and Stop if going on would be unsafe.
    """
    with Daemon.start(settings, open_journal(settings.journal_url).transactions) as daemon:
        requester = Requester(daemon, open_blobs(settings.blobs), PoolKeys(keys), contracts)
        daemon.follower.run(stop, requester.step)
