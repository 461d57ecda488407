"""Records of what was signed, and the store that outlives a crash between sign, send and record.

The journal implements TransactionStore; MemoryStore is its working twin. Knows nothing of the chain.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from rollup.types import Address


@dataclass(frozen=True)
class SignedTransaction:
    """One signed version of a transaction. Versions of one deed share nonce and intent key and differ in fees.

    `raw` is enough to send it again; it holds no secret. `hash` names it. `max_fee_wei` and `tip_wei` are per gas.
    """

    sender: Address
    nonce: int
    intent: str
    hash: bytes
    raw: bytes = field(repr=False)
    max_fee_wei: int
    tip_wei: int


class TransactionStore(Protocol):
    """Durable record of signed transactions, one stream of nonces per sender."""

    def record(self, transaction: SignedTransaction) -> None:
        """Durable when it returns. Called before the transaction is sent. A hash that is known is not added again."""

    def of_intent(self, sender: Address, intent: str) -> tuple[SignedTransaction, ...]:
        """All versions signed for an intent key, oldest first."""

    def from_nonce(self, sender: Address, nonce: int) -> tuple[SignedTransaction, ...]:
        """All versions with this nonce or a later one, by nonce, then oldest first."""


class MemoryStore:
    """TransactionStore in memory: for tests, and for a sender whose deeds need not outlive the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._transactions: dict[bytes, SignedTransaction] = {}

    def record(self, transaction: SignedTransaction) -> None:
        with self._lock:
            self._transactions.setdefault(transaction.hash, transaction)

    def of_intent(self, sender: Address, intent: str) -> tuple[SignedTransaction, ...]:
        with self._lock:
            return tuple(
                version
                for version in self._transactions.values()
                if (version.sender, version.intent) == (sender, intent)
            )

    def from_nonce(self, sender: Address, nonce: int) -> tuple[SignedTransaction, ...]:
        with self._lock:
            versions = [
                version
                for version in self._transactions.values()
                if version.sender == sender and version.nonce >= nonce
            ]
        return tuple(sorted(versions, key=lambda version: version.nonce))
