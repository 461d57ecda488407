"""Signed transactions in flight: the durable TransactionStore of rollup/chain/sender.py.

Recorded before they are sent. Knows nothing of what became of them, which the chain alone says.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select

from rollup.chain.transactions import SignedTransaction
from rollup.journal.database import Database
from rollup.journal.tables import transactions
from rollup.types import Address

# Fees per gas are below 2^63 wei, but wei are text wherever they are stored.
_WEI = ("max_fee_wei", "tip_wei")


class Transactions:
    """Every method raises Unavailable if the journal does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, transaction: SignedTransaction) -> None:
        """Durable when it returns. A hash that is known is not added again."""
        row = {name: getattr(transaction, name) for name in SignedTransaction.__dataclass_fields__}
        with self._database.write() as connection:
            order = self._database.next_value(connection, "transactions")
            wei = {name: str(row[name]) for name in _WEI}
            self._database.insert_missing(connection, transactions, {**row, **wei, "order": order})

    def of_intent(self, sender: Address, intent: str) -> tuple[SignedTransaction, ...]:
        """All versions signed for an intent key, oldest first."""
        found = and_(transactions.c.sender == sender, transactions.c.intent == intent)
        return self._read(found, transactions.c.order)

    def from_nonce(self, sender: Address, nonce: int) -> tuple[SignedTransaction, ...]:
        """All versions with this nonce or a later one, by nonce, then oldest first."""
        found = and_(transactions.c.sender == sender, transactions.c.nonce >= nonce)
        return self._read(found, transactions.c.nonce, transactions.c.order)

    def _read(self, condition: Any, *order: Any) -> tuple[SignedTransaction, ...]:
        columns = [transactions.c[name] for name in SignedTransaction.__dataclass_fields__]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).where(condition).order_by(*order)).all()
        return tuple(
            SignedTransaction(**{**row._mapping, **{name: int(row._mapping[name]) for name in _WEI}}) for row in rows
        )
