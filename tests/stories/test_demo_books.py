"""The demo's books add up: shares of a transaction that several acts have in common are equal parts of it."""

from __future__ import annotations

from rollup.chain.client import Receipt
from rollup.events import Burned, Finalised, Locked, Paid, Place
from rollup.properties.events import TrainingEnded, WeightsCommitted
from rollup.properties.types import TrainingId, TrainingStatus
from rollup.types import Address, ClaimBatchId
from rollup.view.property_records import NO_MODEL
from tests.stories.books import Books

ALICE, BOB, MODULE = Address(b"a" * 20), Address(b"b" * 20), Address(b"m" * 20)
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


def test_entries__what_came_with_a_call__is_paid_by_whoever_it_names() -> None:
    books = books_of(
        WeightsCommitted(place(b"t" * 32, 0), TrainingId(FIRST), 0, ALICE, b"c" * 32),
        Locked(place(b"t" * 32, 1), MODULE, MODULE, 7),
        Paid(place(b"u" * 32, 2), MODULE, BOB, 4),
        TrainingEnded(place(b"u" * 32, 3), TrainingId(FIRST), TrainingStatus.TRAINED, 0, NO_MODEL, 4, 0, 3),
        Burned(place(b"u" * 32, 4), MODULE, 3),
    )
    (entry,) = books.entries([frozenset({FIRST})])
    assert (entry.net_wei, entry.burned_wei) == ({ALICE: -7, BOB: 4}, 3)
    assert entry.is_balanced


def test_an_entry__in_which_money_came_from_nowhere__is_not_balanced() -> None:
    books = books_of(Finalised(place(b"t" * 32, 0), FIRST, 1, ALICE), Paid(place(b"t" * 32, 1), MODULE, ALICE, 10))
    (entry,) = books.entries([frozenset({FIRST})])
    assert not entry.is_balanced


def test_has__only_what_was_said_of_that_thing() -> None:
    books = books_of(Finalised(place(b"t" * 32, 0), FIRST, 1, ALICE))
    assert books.has(Finalised, FIRST)
    assert not books.has(Finalised, SECOND)
    assert not books.has(Paid, FIRST)
