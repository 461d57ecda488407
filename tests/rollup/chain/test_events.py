"""Logs to events: every field in its place, nothing missed, nothing told twice, and reorgs told."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from eth_abi.abi import encode

from rollup import events
from rollup.chain.artifacts import abi_of, load
from rollup.chain.client import Block, Client, RawLog, Which
from rollup.chain.deploy import create_address
from rollup.chain.events import Decoder, EventStream
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.errors import BadEncoding, Unavailable
from rollup.events import Deposited, Update
from rollup.merkle import keccak256
from rollup.properties import events as property_events
from rollup.types import Address
from tests.chain_fixture import Anvil, anvil_key

ACCOUNT = Address(b"a" * 20)


class Ledger:
    """A Vault alone on a chain: its deposits are the events."""

    def __init__(self, anvil: Anvil) -> None:
        self.anvil = anvil
        self._sender = anvil.sender(0)
        self.vault = create_address(self._sender.address, 0)
        vault = load()["Vault"]
        self._sender.send(Intent("create", None, vault.bytecode + encode(["address[]"], [[]])))
        self.deployment = Deployment(anvil.chain_id, 1, *[self.vault] * 11)
        self._paid = 0

    def deposit(self, *amounts: int) -> None:
        for amount in amounts:
            self._paid += 1
            data = abi_of("IVault").encode_call("deposit", ACCOUNT)
            self._sender.send(Intent(f"deposit:{self._paid}", self.vault, data, amount))

    def stream(self, client: Client | None = None, confirmations: int = 0, chunk_blocks: int = 1_000) -> EventStream:
        return EventStream(client or self.anvil.client(), self.deployment, confirmations, [self.vault], chunk_blocks)


@pytest.fixture
def ledger(anvil: Anvil) -> Ledger:
    return Ledger(anvil)


def amounts(update: Update | None) -> list[int]:
    assert update is not None
    return [event.amount_wei for event in update.events if isinstance(event, Deposited)]


def drain(stream: EventStream) -> list[Update]:
    found = []
    while (update := stream.poll()) is not None:
        found.append(update)
    return found


class ForkingClient(Client):
    """The chain is reorganised between two of the stream's questions."""

    anvil: Anvil | None = None

    def logs(self, emitters: Sequence[Address], first: int, last: int) -> tuple[RawLog, ...]:
        found = super().logs(emitters, first, last)
        if self.anvil is not None:
            self.anvil.rpc("anvil_reorg", 2, [])
            self.anvil = None
        return found


class LateForkingClient(Client):
    """The chain is reorganised just after it said that block `fork_after` stands."""

    anvil: Anvil | None = None
    fork_after = -1

    def block(self, which: Which) -> Block:
        found = super().block(which)
        if which == self.fork_after and self.anvil is not None:
            self.anvil.rpc("anvil_reorg", 4, [])
            self.anvil = None
        return found


def test_decode__a_log_that_is_cut_short__is_refused() -> None:
    topics = (keccak256(b"Burned(address,uint256)"), bytes(32))
    log = RawLog(ACCOUNT, topics, bytes(31), 1, b"h" * 32, b"t" * 32, 0)
    with pytest.raises(BadEncoding, match="31 bytes are not a result of event Burned"):
        Decoder.of_contracts().decode(log, 0)


def test_decode__an_enum_value_that_nobody_knows__is_refused() -> None:
    topics = (keccak256(b"Silenced(bytes32,uint8)"), bytes(32))
    log = RawLog(ACCOUNT, topics, (9).to_bytes(32, "big"), 1, b"h" * 32, b"t" * 32, 0)
    with pytest.raises(BadEncoding, match="9 is no DisputeStatus"):
        Decoder.of_contracts().decode(log, 0)


def test_decode__a_strangers_event__is_none() -> None:
    log = RawLog(ACCOUNT, (keccak256(b"Hello()"),), b"", 1, b"h" * 32, b"t" * 32, 0)
    assert Decoder.of_contracts().decode(log, 0) is None


def test_events__one_record_for_every_event_of_the_interfaces__names_in_its_order() -> None:
    same_names = {key: cls.__name__ for key, cls in property_events.SAME_NAMES.items()}
    declared = {
        same_names.get((name, entry["name"]), entry["name"]): [item["name"] for item in entry["inputs"]]
        for name, contract in load().contracts.items()
        if name[0] == "I" and name[1].isupper()
        for entry in contract.abi
        if entry["type"] == "event"
    }
    classes = (*events.EVENTS, *property_events.EVENTS, *property_events.SAME_NAMES.values())
    known = {cls.__name__: [field.name for field in dataclasses.fields(cls)][1:] for cls in classes}
    renamed = {"from": "sender"}
    assert known == {
        name: [renamed.get(item) or "".join(f"_{c.lower()}" if c.isupper() else c for c in item) for item in inputs]
        for name, inputs in declared.items()
    }


def test_poll__gives_every_event_once_in_order(ledger: Ledger) -> None:
    stream = ledger.stream()
    ledger.deposit(1, 2)
    update = stream.poll()
    assert amounts(update) == [1, 2]
    assert stream.poll() is None
    ledger.deposit(3)
    update = stream.poll()
    assert amounts(update) == [3]
    assert update is not None
    event, head = update.events[0], ledger.anvil.client().head()
    assert isinstance(event, Deposited)
    assert (event.account, event.sender) == (ACCOUNT, anvil_key(0).address)
    assert (event.at.block, event.at.block_hash, event.at.timestamp) == (head.number, head.hash, head.timestamp)
    assert (event.at.emitter, update.keep, update.block_hash) == (ledger.vault, None, head.hash)


def test_poll__in_small_chunks__misses_nothing(ledger: Ledger) -> None:
    ledger.deposit(*range(1, 8))
    updates = drain(ledger.stream(chunk_blocks=3))
    assert [amounts(update) for update in updates] == [[1, 2], [3, 4, 5], [6, 7]]


def test_poll__with_confirmations__waits_for_them(ledger: Ledger) -> None:
    stream = ledger.stream(confirmations=2)
    ledger.deposit(1, 2, 3)
    assert [amounts(update) for update in drain(stream)] == [[1]]
    ledger.anvil.mine()
    assert amounts(stream.poll()) == [2]


@pytest.mark.parametrize("depth", [1, 3, 64])
def test_poll__after_a_reorg__says_what_still_stands_and_what_came_instead(ledger: Ledger, depth: int) -> None:
    stream = ledger.stream()
    ledger.deposit(1)
    told = drain(stream)
    ledger.anvil.mine(depth - 1)
    ledger.deposit(2)
    told += drain(stream)
    stands = ledger.anvil.client().head().number - depth
    ledger.anvil.rpc("anvil_reorg", depth, [])
    ledger.deposit(3)
    update = stream.poll()
    assert update is not None
    assert update.keep is not None
    assert update.keep <= stands
    kept = [event for earlier in told for event in earlier.events if event.at.block <= update.keep]
    final = [event.amount_wei for event in (*kept, *update.events) if isinstance(event, Deposited)]
    # The sender brings back what the reorg dropped, and pays the new deposit.
    assert sorted(final) == [1, 2, 3]
    assert stream.poll() is None


def test_poll__a_reorg_while_it_reads__is_told_as_trouble_and_read_again(ledger: Ledger) -> None:
    ledger.deposit(1, 2)
    client = ForkingClient.connect(ledger.anvil.url, ledger.anvil.chain_id)
    assert isinstance(client, ForkingClient)
    client.anvil = ledger.anvil
    stream = ledger.stream(client)
    with pytest.raises(Unavailable, match="reorganised while its events were read"):
        stream.poll()
    assert sum(len(update.events) for update in drain(stream)) == 0


def test_poll__a_reorg_under_what_is_known__is_told_as_trouble_and_read_again(ledger: Ledger) -> None:
    client = LateForkingClient.connect(ledger.anvil.url, ledger.anvil.chain_id)
    assert isinstance(client, LateForkingClient)
    stream = ledger.stream(client, chunk_blocks=1)
    ledger.deposit(1)
    drain(stream)
    client.anvil, client.fork_after = ledger.anvil, client.head().number
    ledger.anvil.mine(3)
    with pytest.raises(Unavailable, match="reorganised while its events were read"):
        stream.poll()
    update = stream.poll()
    assert update is not None
    assert update.keep is not None
    assert update.keep < client.fork_after


def test_poll__when_the_chain_is_gone__loses_nothing(ledger: Ledger) -> None:
    stream = ledger.stream()
    ledger.deposit(1)
    assert amounts(stream.poll()) == [1]
    ledger.anvil.stop()
    with pytest.raises(Unavailable):
        stream.poll()
