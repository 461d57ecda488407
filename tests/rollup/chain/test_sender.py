"""One nonce stream, at every point where a process can die, and through everything a chain can do to a transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rollup.chain.client import Client
from rollup.chain.keys import Key
from rollup.chain.sender import FeeRules, Intent, Sender
from rollup.chain.transactions import MemoryStore, SignedTransaction
from rollup.errors import BadInput, Conflict, Insolvent, NotYet, Reverted, Unavailable
from rollup.types import Address
from tests.chain_fixture import Anvil, anvil_key

PAYEE = Address(bytes.fromhex("00000000000000000000000000000000000a11ce"))
# Init code that returns a contract whose every call reverts with 4 bytes that no contract of the product declares.
REVERTING = bytes.fromhex("6f63deadbeef60e01b60005260046000fd60005260106010f3")


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class DyingClient(Client):
    """Dies before, or after, the transaction left the machine; or has no connection."""

    death: str | None = None

    def send_raw(self, raw: bytes) -> None:
        if self.death == "before":
            raise Killed
        if self.death == "cut":
            raise Unavailable("cable")
        super().send_raw(raw)
        if self.death == "after":
            raise Killed


class DyingStore(MemoryStore):
    """Dies when it should record."""

    def record(self, transaction: SignedTransaction) -> None:
        raise Killed


def payment(key: str, wei: int = 7) -> Intent:
    return Intent(key, PAYEE, b"", wei)


def sender_of(anvil: Anvil, store: Any = None, death: str | None = None, **options: Any) -> Sender:
    client = DyingClient.connect(anvil.url, anvil.chain_id)
    assert isinstance(client, DyingClient)
    client.death = death
    return Sender(client, anvil_key(0), store or MemoryStore(), poll_seconds=0.02, **options)


def paid(anvil: Anvil) -> int:
    return anvil.client().balance(PAYEE)


def test_send__what_the_chain_refuses__signs_nothing(anvil: Anvil) -> None:
    sender, store = sender_of(anvil), MemoryStore()
    made = sender.send(Intent("create", None, REVERTING))
    assert made.contract is not None
    with pytest.raises(Reverted, match="0xdeadbeef") as caught:
        sender_of(anvil, store).send(Intent("call", made.contract, b""))
    assert caught.value.name == "UnknownError"
    assert store.of_intent(sender.address, "call") == ()


def test_send__beyond_the_balance__stops(anvil: Anvil) -> None:
    poor, client = Key.generate(), anvil.client()
    with pytest.raises(Insolvent, match="has 0 wei, pay sends 0 and gas"):
        Sender(client, poor, MemoryStore()).send(Intent("pay", PAYEE, b""))
    anvil.rpc("anvil_setBalance", "0x" + poor.address.hex(), hex(8))
    with pytest.raises(Insolvent, match="has 8 wei, pay may cost"):
        Sender(client, poor, MemoryStore()).send(Intent("pay", PAYEE, b"", 7, gas_limit=21_000))


def test_send__with_little_more_than_it_costs__is_done(anvil: Anvil) -> None:
    key, base_fee = Key.generate(), anvil.client().head().base_fee_wei
    anvil.rpc("anvil_setBalance", "0x" + key.address.hex(), hex(7 + 4 * 21_000 * base_fee))
    assert Sender(anvil.client(), key, MemoryStore(), poll_seconds=0.02).send(payment("pay")).succeeded
    assert paid(anvil) == 7


def test_send__more_gas_than_a_transaction_may_take__is_refused(anvil: Anvil) -> None:
    with pytest.raises(BadInput, match="a transaction may take 16777216"):
        sender_of(anvil).send(Intent("big", PAYEE, b"", 0, gas_limit=2**24 + 1))


def test_wait__for_what_was_never_submitted__is_refused(anvil: Anvil) -> None:
    with pytest.raises(BadInput, match="pay was never submitted"):
        sender_of(anvil).wait(payment("pay"))


def test_send__without_a_chain__is_unavailable() -> None:
    client = Client("http://127.0.0.1:9", 31337, timeout_seconds=1.0)
    with pytest.raises(Unavailable):
        Sender(client, anvil_key(0), MemoryStore()).send(payment("pay"))


def test_send__a_mined_failure__is_told_and_may_be_tried_again(anvil: Anvil) -> None:
    sender = sender_of(anvil)
    made = sender.send(Intent("create", None, REVERTING))
    deed = Intent("call", made.contract, b"", gas_limit=100_000)
    for nonce in (1, 2):
        with pytest.raises(Reverted, match="0xdeadbeef"):
            sender.send(deed)
        assert anvil.client().nonce(sender.address) == nonce + 1


def test_send__the_same_key_twice__pays_once(anvil: Anvil) -> None:
    sender = sender_of(anvil)
    assert sender.send(payment("pay")) == sender.send(payment("pay"))
    assert paid(anvil) == 7


def test_send__from_many_threads__uses_one_nonce_stream(anvil: Anvil) -> None:
    sender = sender_of(anvil)
    keys = [f"pay:{number % 8}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda key: sender.send(payment(key)), keys))
    assert len({receipt.transaction for receipt in receipts}) == 8
    assert paid(anvil) == 8 * 7
    assert anvil.client().nonce(sender.address) == 8


@pytest.mark.parametrize("death", ["before", "after"])
def test_send__killed_around_the_sending__is_continued_by_the_next_process(anvil: Anvil, death: str) -> None:
    store = MemoryStore()
    with pytest.raises(Killed):
        sender_of(anvil, store, death).send(payment("pay"))
    receipt = sender_of(anvil, store).send(payment("pay"))
    assert receipt.succeeded
    assert paid(anvil) == 7
    assert len(store.of_intent(anvil_key(0).address, "pay")) == 1


def test_send__killed_between_sign_and_record__leaves_nothing_behind(anvil: Anvil) -> None:
    with pytest.raises(Killed):
        sender_of(anvil, DyingStore()).send(payment("pay"))
    assert paid(anvil) == 0
    assert sender_of(anvil).send(payment("pay")).succeeded
    assert paid(anvil) == 7


def test_push__by_the_next_process__sends_all_that_was_recorded(anvil: Anvil) -> None:
    store = MemoryStore()
    for key in ("one", "two", "three"):
        with pytest.raises(Unavailable):
            sender_of(anvil, store, "cut").submit(payment(key))
    sender_of(anvil, store).push()
    assert paid(anvil) == 3 * 7


def test_wait__while_the_connection_is_cut__goes_on_when_it_is_back(anvil: Anvil) -> None:
    store = MemoryStore()
    sender = sender_of(anvil, store, "cut")
    with pytest.raises(Unavailable):
        sender.submit(payment("pay"))
    with pytest.raises(Unavailable, match="cable"):
        sender.wait(payment("pay"), timeout_seconds=0.1)
    client = sender._client
    assert isinstance(client, DyingClient)
    client.death = None
    assert sender.wait(payment("pay")).succeeded
    assert paid(anvil) == 7


def test_wait__for_a_block_that_does_not_come__is_not_yet(anvil: Anvil) -> None:
    anvil.rpc("evm_setAutomine", False)
    sender = sender_of(anvil)
    with pytest.raises(NotYet, match="pay is sent and not mined"):
        sender.send(payment("pay"), timeout_seconds=0.1)
    anvil.mine()
    assert sender.send(payment("pay")).succeeded
    assert paid(anvil) == 7


def test_wait__after_the_pool_dropped_it__sends_it_again(anvil: Anvil) -> None:
    anvil.rpc("evm_setAutomine", False)
    sender = sender_of(anvil)
    sender.submit(payment("pay"))
    anvil.rpc("anvil_dropAllTransactions")
    anvil.mine()
    sender.push()
    anvil.mine()
    assert sender.wait(payment("pay")).succeeded


def test_wait__with_a_base_fee_ten_times_higher__replaces_within_two_blocks(anvil: Anvil) -> None:
    anvil.rpc("evm_setAutomine", False)
    store = MemoryStore()
    sender = sender_of(anvil, store)
    sender.submit(payment("pay"))
    fee = anvil.client().head().base_fee_wei
    for _ in range(2):
        anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(10 * fee))
        anvil.mine()
        assert paid(anvil) == 0
        sender.push()
    anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(10 * fee))
    anvil.mine()
    assert sender.wait(payment("pay")).succeeded
    first, second = store.of_intent(sender.address, "pay")
    assert first.nonce == second.nonce
    assert second.max_fee_wei >= 10 * fee
    assert paid(anvil) == 7


def test_fees__at_the_cap__are_not_raised() -> None:
    rules = FeeRules(tip_wei=1, cap_wei=100)
    version = SignedTransaction(PAYEE, 0, "pay", b"", b"", max_fee_wei=95, tip_wei=1)
    assert rules.raised(version, base_fee_wei=1_000) is None


def test_push__after_a_reorg__brings_a_mined_transaction_back(anvil: Anvil) -> None:
    sender = sender_of(anvil)
    sender.send(payment("pay"))
    anvil.mine(3)
    anvil.rpc("anvil_reorg", 4, [])
    assert paid(anvil) == 0
    assert sender.send(payment("pay")).succeeded
    assert paid(anvil) == 7


def test_wait__when_somebody_else_used_the_nonce__is_a_conflict_and_may_be_tried_again(anvil: Anvil) -> None:
    store = MemoryStore()
    with pytest.raises(Killed):
        sender_of(anvil, store, "before").submit(payment("pay"))
    sender_of(anvil, MemoryStore()).send(payment("foreign", 1))
    anvil.mine(3)
    with pytest.raises(Conflict, match="nonce 0 of pay"):
        sender_of(anvil, store).wait(payment("pay"))
    assert sender_of(anvil, store).send(payment("pay")).succeeded
    assert paid(anvil) == 8


def test_send__on_a_slow_chain__waits_for_its_block() -> None:
    with Anvil(block_seconds=1) as anvil:
        sender = sender_of(anvil)
        threads = [threading.Thread(target=sender.send, args=(payment(f"pay:{n}"),)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert paid(anvil) == 3 * 7
