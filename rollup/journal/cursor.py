"""How far a reader of the chain's events has come. Knows nothing of the events."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from rollup.journal.database import Database
from rollup.journal.tables import cursors


@dataclass(frozen=True)
class Position:
    """The last block that was read whole; its hash shows whether a reorg has removed it."""

    block_number: int
    block_hash: bytes


class Cursors:
    """One position per named reader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> Position | None:
        with self._database.read() as connection:
            row = connection.execute(select(cursors).where(cursors.c.name == name)).one_or_none()
        return None if row is None else Position(row.block_number, row.block_hash)

    def move(self, name: str, position: Position) -> None:
        """Sets the position, forwards or, after a reorg, backwards."""
        values = {"block_number": position.block_number, "block_hash": position.block_hash}
        with self._database.write() as connection:
            moved = connection.execute(cursors.update().where(cursors.c.name == name).values(values))
            if not moved.rowcount:
                connection.execute(cursors.insert().values(name=name, **values))
