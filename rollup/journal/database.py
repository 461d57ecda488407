"""Connections to the journal's database: durable writes, one writer at a time, one clear error for each failure.

Knows nothing of what is written.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, event, exc, make_url
from sqlalchemy.dialects import postgresql, sqlite

from rollup.errors import Conflict, Unavailable
from rollup.journal.tables import METADATA, counters

BUSY_TIMEOUT_SECONDS = 10.0
_WRITES = "journal_writes"
# Any number that nobody else locks in the same database.
_SETUP_LOCK = 0x616E68
_WAL_RETRY_SECONDS = 0.02


class Database:
    """A SQLite file or a PostgreSQL database. Raises Unavailable where it cannot be opened.

    `url`: SQLAlchemy URL, such as `sqlite:////var/anh/journal.db` or `postgresql+pg8000://user@host/anh`.
    """

    def __init__(self, url: str, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> None:
        self._name = make_url(url).render_as_string(hide_password=True)
        self._engine = _engine(url, busy_timeout_seconds)
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                # Several processes may open a new journal at once; SQLite's write lock makes them take turns anyway.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SETUP_LOCK})")
            METADATA.create_all(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises Unavailable."""
        with self._clear_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block has ended, and undone if it raises.

        On SQLite it holds the file's write lock from its first statement, so that what it reads stays true until it
        writes; on PostgreSQL callers lock the rows they decide on. Raises Unavailable (disk full, locked, away) or
        Conflict (a uniqueness rule).
        """
        writer = self._engine.execution_options(**{_WRITES: True})
        with self._clear_errors(), writer.begin() as connection:
            yield connection

    def next_value(self, connection: Connection, counter: str) -> int:
        """Takes the next number of a counter, from 1, inside a write; a rollback gives it back."""
        self.raise_counter(connection, counter, 0)
        update = counters.update().where(counters.c.name == counter).values(value=counters.c.value + 1)
        return int(connection.execute(update.returning(counters.c.value)).scalar_one())

    def raise_counter(self, connection: Connection, counter: str, at_least: int) -> None:
        """Makes a counter at least so high, inside a write.

        This holds the counter's row until the transaction ends, so it also makes writers take turns on PostgreSQL.
        """
        self.insert_missing(connection, counters, {"name": counter, "value": 0})
        floor = sqlalchemy.case((counters.c.value < at_least, at_least), else_=counters.c.value)
        connection.execute(counters.update().where(counters.c.name == counter).values(value=floor))

    def insert_missing(self, connection: Connection, table: Table, values: dict[str, Any]) -> bool:
        """Inserts a row unless its key is taken; returns whether it was inserted."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        return bool(connection.execute(insert(table).values(values).on_conflict_do_nothing()).rowcount)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except exc.IntegrityError as error:
            raise Conflict(f"journal {self._name} holds something else under this name: {error.orig}") from error
        except exc.DBAPIError as error:
            raise Unavailable(f"journal {self._name} does not answer: {error.orig}") from error
        except exc.TimeoutError as error:
            raise Unavailable(f"journal {self._name} has no free connection: {error}") from error


def _engine(url: str, busy_timeout_seconds: float) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(url, pool_pre_ping=True)
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": busy_timeout_seconds})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        # The driver would begin transactions itself, and too late; `_begin` does it below.
        connection.isolation_level = None
        _use_wal(connection, busy_timeout_seconds)
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(connection: Any, seconds: float) -> None:
    """Readers go on beside a writer. SQLite does not wait for this lock by itself when a file is new to several."""
    limit = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > limit:
                raise
            time.sleep(_WAL_RETRY_SECONDS)
