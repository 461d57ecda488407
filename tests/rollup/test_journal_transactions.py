"""The durable TransactionStore does what its in-memory twin does, and outlives its process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollup.chain.transactions import MemoryStore, SignedTransaction, TransactionStore
from rollup.journal import open_journal
from rollup.types import Address

ALICE, BOB = Address(b"\xaa" * 20), Address(b"\xbb" * 20)


def version(number: int, nonce: int, intent: str, sender: Address = ALICE) -> SignedTransaction:
    return SignedTransaction(sender, nonce, intent, bytes([number]) * 32, b"raw" * number, 2**70 + number, number)


@pytest.fixture(params=["memory", "journal"])
def store(request, tmp_path: Path) -> Iterator[TransactionStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    journal = open_journal(tmp_path / "journal.db")
    yield journal.transactions
    journal.close()


def test_of_intent__of_nobody__is_empty(store):
    assert store.of_intent(ALICE, "post") == ()
    assert store.from_nonce(ALICE, 0) == ()


def test_of_intent__gives_all_versions_oldest_first(store):
    first, second, other = version(9, 5, "post"), version(1, 5, "post"), version(3, 6, "claim")
    for each in (first, second, other, version(4, 5, "post", BOB)):
        store.record(each)
    store.record(first)
    assert store.of_intent(ALICE, "post") == (first, second)


def test_from_nonce__is_in_order_of_nonces_then_age(store):
    late, old, new = version(1, 7, "c"), version(9, 6, "b"), version(2, 6, "b")
    for each in (late, old, version(3, 5, "a"), new):
        store.record(each)
    assert store.from_nonce(ALICE, 6) == (old, new, late)


def test_record__outlives_the_process(tmp_path):
    journal = open_journal(tmp_path / "journal.db")
    journal.transactions.record(version(1, 0, "post"))
    journal.close()
    again = open_journal(tmp_path / "journal.db")
    assert again.transactions.of_intent(ALICE, "post") == (version(1, 0, "post"),)
    again.close()
