"""What each act of a story cost, and who gained and lost what: read from the chain alone."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rollup.chain.client import Client, Snapshot
from rollup.chain.events import EventStream
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.events import Burned, Deposited, Event, Locked, Paid, Withdrawn
from rollup.types import Address


@dataclass(frozen=True)
class Entry:
    """One act: its transactions, their gas, seconds of the chain from first to last, and net wei by account.

    `net_wei` counts what the Vault paid less what it locked; the gas that each account paid for is beside it.
    """

    transactions: int
    gas: int
    seconds: int
    net_wei: dict[Address, int]
    burned_wei: int


class Books:
    """All events of a system from its first block on."""

    def __init__(self, client: Client, deployment: Deployment) -> None:
        self._client, self._deployment = client, deployment
        self._stream = EventStream(client, deployment, 0)
        self._events: list[Event] = []

    def read(self) -> None:
        while (update := self._stream.poll()) is not None:
            self._events.extend(update.events)

    def entry(self, names: Iterable[bytes]) -> Entry:
        """The act in which these requests, batches and claims take part."""
        mine = self._touching(set(names))
        net: dict[Address, int] = defaultdict(int)
        burned = 0
        for event in mine:
            if isinstance(event, Locked) and event.account != event.module:
                net[event.account] -= event.amount_wei
            elif isinstance(event, Paid):
                net[event.account] += event.amount_wei
            elif isinstance(event, Burned):
                burned += event.amount_wei
        times = [event.at.timestamp for event in mine]
        transactions = {event.at.transaction for event in mine}
        gas = sum(self._gas(transaction) for transaction in transactions)
        return Entry(len(transactions), gas, max(times) - min(times), dict(net), burned)

    def _touching(self, names: set[bytes]) -> list[Event]:
        """All events of every transaction in which one of the names is mentioned."""
        transactions = {event.at.transaction for event in self._events if names & _names_in(event)}
        return [event for event in self._events if event.at.transaction in transactions]

    def _gas(self, transaction: bytes) -> int:
        receipt = self._client.receipt(transaction)
        assert receipt is not None
        return receipt.gas_used

    def unaccounted_wei(self, modules: Sequence[Address]) -> int:
        """The Vault's own wei less balances, escrows and what was burned: zero if value was conserved."""
        at = Snapshot(self._client, self._client.head())
        vault = Vault(self._deployment)
        accounts = {account for event in self._events for account in _accounts_in(event)}
        owed = sum(vault.balance_of(at, account) for account in accounts)
        owed += sum(vault.escrow_of(at, module) for module in modules) + vault.burned(at)
        return at.balance(self._deployment.vault) - owed


def _names_in(event: Event) -> set[bytes]:
    values = (getattr(event, field.name) for field in dataclasses.fields(event))
    return {value for value in values if isinstance(value, bytes) and len(value) == 32}


def _accounts_in(event: Event) -> list[Address]:
    if isinstance(event, Deposited | Withdrawn | Locked | Paid):
        return [event.account]
    return []
