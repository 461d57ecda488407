"""The process that posts: one for each sequencer's key, over the same journal as the API.

Holds the parts together; decides nothing.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing

import structlog

from rollup.chain.daemon import Daemon
from rollup.chain.lane import LaneWriter
from rollup.config import Settings
from rollup.errors import BadInput, Retry
from rollup.journal import RequestStatus, open_journal
from rollup.live import Live
from rollup.sequencer.post import Poster
from rollup.types import RequestId

MAX_BACKOFF_SECONDS = 10.0
_log = structlog.get_logger()


def run_sequencer(settings: Settings, stop: threading.Event) -> None:
    """Posts what was accepted, until `stop`.

    Raises what a Daemon raises at its start, BadInput if the key is not the sequencer's, Unavailable if the journal
    cannot be opened, and Stop or Reverted if going on would be wrong.
    """
    with closing(open_journal(settings.journal_url)) as journal, Daemon.start(settings, journal.transactions) as daemon:
        lane = LaneWriter(daemon.client, settings.deployment, daemon.sender)
        if lane.sequencer() != daemon.sender.address:
            raise BadInput(f"the key is 0x{daemon.sender.address.hex()}'s, the sequencer is 0x{lane.sequencer().hex()}")
        journal.requests.start_line_at(lane.lane_length())
        live = Live(settings.redis_url)

        def placed(id_: RequestId, status: RequestStatus) -> None:
            live.publish("0x" + id_.hex(), status.value)

        poster = Poster(journal.requests, lane, settings.deployment.domain, placed, settings.post_seconds)
        with closing(live):
            _run(poster, lane, settings.poll_seconds, stop)


def _run(poster: Poster, lane: LaneWriter, poll_seconds: float, stop: threading.Event) -> None:
    failures = 0
    while not stop.is_set():
        try:
            lane.push()
            pause = 0.0 if poster.post_once(time.monotonic()) else poll_seconds
            failures = 0
        except Retry as error:
            failures += 1
            pause = min(poll_seconds * 2**failures, MAX_BACKOFF_SECONDS)
            _log.warning("sequencer.retry", error=str(error), pause_seconds=pause)
        stop.wait(pause)
