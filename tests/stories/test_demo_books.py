"""The demo's books add up: shares of a transaction that several acts have in common are equal parts of it."""

from __future__ import annotations

from rollup.chain.client import Receipt
from rollup.events import Burned, Finalised, Locked, Paid, Place
from rollup.types import Address, ClaimBatchId
from tests.stories.books import Books

ALICE, MODULE = Address(b"a" * 20), Address(b"m" * 20)
FIRST, SECOND = (ClaimBatchId(bytes([n]) * 32) for n in (1, 2))


class Receipts:
    """Every transaction took 100 gas."""

    def receipt(self, transaction: bytes) -> Receipt:
        return Receipt(transaction, 1, b"h" * 32, True, 100, 100, None)


def place(transaction: bytes, index: int) -> Place:
    return Place(1, index, 1000 + index, b"h" * 32, transaction, MODULE)


def books_of(*events: object) -> Books:
    books = Books.__new__(Books)
    books._client, books._events = Receipts(), list(events)  # type: ignore[assignment,arg-type]
    return books


def test_entries__a_transaction_of_two_acts__is_shared_in_equal_parts() -> None:
    shared, own = b"t" * 32, b"u" * 32
    books = books_of(
        Finalised(place(shared, 0), FIRST, 1, ALICE),
        Finalised(place(shared, 1), SECOND, 1, ALICE),
        Paid(place(shared, 2), MODULE, ALICE, 10),
        Burned(place(shared, 3), MODULE, 4),
        Finalised(place(own, 4), FIRST, 1, ALICE),
        Locked(place(own, 5), MODULE, ALICE, 3),
    )
    first, second = books.entries([frozenset({FIRST}), frozenset({SECOND})])
    assert (first.transactions, first.gas, first.net_wei, first.burned_wei) == (2, 150, {ALICE: 2}, 2)
    assert (second.transactions, second.gas, second.net_wei, second.burned_wei) == (1, 50, {ALICE: 5}, 2)


def test_has__only_what_was_said_of_that_thing() -> None:
    books = books_of(Finalised(place(b"t" * 32, 0), FIRST, 1, ALICE))
    assert books.has(Finalised, FIRST)
    assert not books.has(Finalised, SECOND)
    assert not books.has(Paid, FIRST)
