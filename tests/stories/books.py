"""What each act of a story cost, and who gained and lost what: read from the chain alone."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from rollup.chain.client import Client, Snapshot
from rollup.chain.events import EventStream
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.events import Burned, Deposited, Event, Locked, Paid, Registered, Requested, Withdrawn
from rollup.properties.events import GenerationRequested, TrainingRequested, WeightsCommitted
from rollup.types import Address

T = TypeVar("T", bound=Event)


@dataclass(frozen=True)
class Entry:
    """One act: its transactions, their gas, seconds of the chain from first to last, and net wei by account.

    `net_wei` counts what the Vault paid less what it locked, and less what came with a call; gas is not in it.
    """

    transactions: int
    gas: int
    seconds: int
    net_wei: dict[Address, int]
    burned_wei: int

    @property
    def is_balanced(self) -> bool:
        """Whether what some lost is what others gained and what was burned, but for shares of a wei."""
        return abs(sum(self.net_wei.values()) + self.burned_wei) <= len(self.net_wei) + 1


class Books:
    """All events of a system from its first block on."""

    def __init__(self, client: Client, deployment: Deployment) -> None:
        self._client, self._deployment = client, deployment
        self._stream = EventStream(client, deployment, emitters=(deployment.vault, *deployment.modules))
        self._events: list[Event] = []

    def read(self) -> None:
        while (update := self._stream.poll()) is not None:
            self._events.extend(update.events)

    def said(self, kind: type[T]) -> list[T]:
        """Events of this kind."""
        return [event for event in self._events if isinstance(event, kind)]

    def has(self, kind: type[Event], name: bytes) -> bool:
        """Whether an event of this kind names this thing."""
        return any(name in _names_in(event) for event in self.said(kind))

    def entries(self, acts: Sequence[frozenset[bytes]]) -> list[Entry]:
        """One entry for each act, given by the names of its requests, batches and claims.

        A transaction that several acts share, such as a page of callbacks, counts in each, its gas and wei in equal
        parts.
        """
        touched = [{event.at.transaction for event in self._events if names & _names_in(event)} for names in acts]
        shares = Counter(transaction for transactions in touched for transaction in transactions)
        return [self._entry(transactions, shares) for transactions in touched]

    def _entry(self, transactions: set[bytes], shares: Counter[bytes]) -> Entry:
        mine = [event for event in self._events if event.at.transaction in transactions]
        net: dict[Address, Fraction] = defaultdict(Fraction)
        burned = Fraction()
        payers: dict[tuple[bytes, Address], Address] = {}
        for event in mine:
            if (payer := _payer(event)) is not None:
                payers[event.at.transaction, event.at.emitter] = payer
            if isinstance(event, Locked):
                # What comes with a call is locked by the module itself, right after it has said whose call that was.
                escrowed = event.account == event.module
                account = payers[event.at.transaction, event.module] if escrowed else event.account
                net[account] -= Fraction(event.amount_wei, shares[event.at.transaction])
            elif isinstance(event, Paid):
                net[event.account] += Fraction(event.amount_wei, shares[event.at.transaction])
            elif isinstance(event, Burned):
                burned += Fraction(event.amount_wei, shares[event.at.transaction])
        times = [event.at.timestamp for event in mine]
        gas = sum(Fraction(self._gas(transaction), shares[transaction]) for transaction in transactions)
        wei = {account: int(amount) for account, amount in net.items()}
        return Entry(len(transactions), int(gas), max(times) - min(times), wei, int(burned))

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


def _payer(event: Event) -> Address | None:
    """Who pays what comes with a call."""
    match event:
        case Requested():
            return event.request.requester
        case TrainingRequested() | GenerationRequested():
            return event.requester
        case WeightsCommitted():
            return event.executor
        case Registered():
            return event.registrant
        case _:
            return None


def _accounts_in(event: Event) -> list[Address]:
    if isinstance(event, Deposited | Withdrawn | Locked | Paid):
        return [event.account]
    return []
