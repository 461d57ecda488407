"""When a batch is posted: late enough to be shared, early enough to be taken. Pure: every moment comes in.

Each transaction costs gas of its own, so requests wait a little for others that can share it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollup.admission import POST_MARGIN_SECONDS


@dataclass(frozen=True)
class Standing:
    """The next batch as it stands.

    `waited_seconds`: how long its oldest request has been first in line. `is_closed`: nothing can join it any more,
    because it is full or because what follows in line has other terms. `slack_seconds`: until Inbox refuses its
    deadline.
    """

    waited_seconds: float
    is_closed: bool
    slack_seconds: float


def is_due(batch: Standing, interval_seconds: float) -> bool:
    """Whether to post now rather than to wait for company, at most `interval_seconds`."""
    if batch.is_closed or batch.waited_seconds >= interval_seconds:
        return True
    return batch.slack_seconds <= interval_seconds + POST_MARGIN_SECONDS
