"""What the journal says when its file cannot be written: locked, full, not there, not a database."""

import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy
from sqlalchemy.dialects import postgresql

from rollup.errors import Unavailable
from rollup.journal import Database, Position, open_journal
from rollup.journal.tables import METADATA

HERE = Position(7, b"h" * 32)


def test_write__while_another_process_holds_the_lock__is_unavailable(tmp_path):
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    impatient = Database(f"sqlite:///{path}", busy_timeout_seconds=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="database is locked"), impatient.write():
        pass
    assert journal.cursors.read("x") is None, "reading goes on beside a writer"
    holder.execute("ROLLBACK")
    holder.close()
    journal.cursors.move("x", HERE)
    journal.close()
    impatient.close()


def test_write__on_a_full_disk__is_unavailable_and_whole(tmp_path):
    journal = open_journal(tmp_path / "journal.db")
    journal.cursors.move("x", HERE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "journal.db-wal").stat().st_size, before[1]))
    try:
        with pytest.raises(Unavailable, match="does not answer"):
            journal.cursors.move("x", Position(8, b"i" * 32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert journal.cursors.read("x") == HERE
    journal.cursors.move("x", Position(8, b"i" * 32))
    assert journal.cursors.read("x") == Position(8, b"i" * 32)
    journal.close()


def test_open__of_what_is_no_database__is_unavailable(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(Unavailable, match="file is not a database"):
        open_journal(path)


def test_open__by_many_at_once__opens_for_all(tmp_path):
    for round_ in range(5):
        with ThreadPoolExecutor(8) as pool:
            opened = list(pool.map(open_journal, [tmp_path / f"{round_}.db"] * 8))
        opened[0].cursors.move("x", HERE)
        assert opened[-1].cursors.read("x") == HERE
        for journal in opened:
            journal.close()


def test_write__that_raises__is_undone(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/journal.db")

    def count_and_fail() -> None:
        with database.write() as connection:
            database.next_value(connection, "c")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        count_and_fail()
    with database.write() as connection:
        assert database.next_value(connection, "c") == 1
    database.close()


def test_write__is_synchronous_to_the_disk(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/journal.db")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    database.close()


def test_tables__are_portable_to_postgresql():
    for table in METADATA.sorted_tables:
        ddl = str(sqlalchemy.schema.CreateTable(table).compile(dialect=postgresql.dialect()))
        assert ddl.strip().startswith(f"CREATE TABLE {table.name}")
        for index in table.indexes:
            str(sqlalchemy.schema.CreateIndex(index).compile(dialect=postgresql.dialect()))
