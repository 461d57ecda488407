"""One journal: its parts over one database. Knows nothing of what the parts hold."""

from __future__ import annotations

from pathlib import Path

from rollup.journal.cursor import Cursors
from rollup.journal.database import Database
from rollup.journal.jobs import MAX_ATTEMPTS, Jobs
from rollup.journal.requests import Requests
from rollup.journal.transactions import Transactions


class Journal:
    """The parts of a journal. A process opens it once and closes it when it ends."""

    def __init__(self, database: Database, max_attempts: int = MAX_ATTEMPTS) -> None:
        self.database = database
        self.requests = Requests(database)
        self.jobs = Jobs(database, max_attempts)
        self.transactions = Transactions(database)
        self.cursors = Cursors(database)

    def close(self) -> None:
        self.database.close()


def open_journal(url: str | Path, max_attempts: int = MAX_ATTEMPTS) -> Journal:
    """Opens, and creates where missing, the journal at a SQLAlchemy URL or in a SQLite file.

    Raises Unavailable where it cannot be opened.
    """
    if isinstance(url, Path):
        url.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{url.absolute()}"
    return Journal(Database(url), max_attempts)
