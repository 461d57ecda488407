"""The journal: what must survive a crash of this machine's processes (SQLite by default, PostgreSQL for fleets).

Requests accepted and not yet on chain, jobs of executors, transactions in flight, cursors into the log of events. What
the chain itself remembers is not here. Nothing is acknowledged before it is durable.
"""

from rollup.journal.cursor import Cursors, Position
from rollup.journal.database import Database
from rollup.journal.jobs import Job, Jobs, JobStatus, Work
from rollup.journal.journal import Journal, open_journal
from rollup.journal.requests import (
    AcceptedRequest,
    Idempotency,
    Placement,
    Requests,
    RequestStatus,
    SignedRequest,
)
from rollup.journal.transactions import Transactions

__all__ = [
    "AcceptedRequest",
    "Cursors",
    "Database",
    "Idempotency",
    "Job",
    "JobStatus",
    "Jobs",
    "Journal",
    "Placement",
    "Position",
    "RequestStatus",
    "Requests",
    "SignedRequest",
    "Transactions",
    "Work",
    "open_journal",
]
