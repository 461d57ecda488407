"""Reads: pinned, translated, timed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from rollup.chain.abi import Abi, ErrorTable
from rollup.chain.artifacts import load
from rollup.chain.client import Call, Client, NotAccepted
from rollup.chain.sender import Intent
from rollup.errors import BadEncoding, BadInput, NotFound, Reverted, Unavailable, WrongChain
from rollup.types import Address
from tests.chain_fixture import Anvil, anvil_key

# Returns the base fee, and the number of the block that it sees.
LOOKOUT = Address(b"\xaa" * 20)
LOOKOUT_CODE = "0x486000524360205260406000f3"


def lookout(client: Client, block: bytes | str = "latest", call: Call | None = None) -> tuple[int, int]:
    data = client.call(call or Call(LOOKOUT, b""), block)
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


@pytest.fixture
def silent_server() -> Iterator[int]:
    """Takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_connect__to_another_chain__stops(anvil: Anvil) -> None:
    with pytest.raises(WrongChain, match="serves chain 31337, the settings name chain 1"):
        Client.connect(anvil.url, 1)


def test_connect__to_a_server_that_never_answers__is_unavailable_in_time(silent_server: int) -> None:
    begin = time.monotonic()
    with pytest.raises(Unavailable, match="ReadTimeout") as caught:
        Client.connect(f"http://127.0.0.1:{silent_server}/token", 1, timeout_seconds=0.3)
    assert time.monotonic() - begin < 3
    assert "token" not in str(caught.value)


def test_connect__to_nobody__is_unavailable() -> None:
    with pytest.raises(Unavailable, match="the chain does not answer eth_chainId"):
        Client.connect("http://127.0.0.1:9", 1)


def test_block__that_is_not_there__is_not_found(anvil: Anvil) -> None:
    with pytest.raises(NotFound, match="the chain has no block 99"):
        anvil.client().block(99)


def test_send_raw__what_is_no_transaction__is_not_accepted(anvil: Anvil) -> None:
    with pytest.raises(NotAccepted, match="decode"):
        anvil.client().send_raw(b"123")


def test_at__reads_the_state_of_its_block_whatever_comes_after(anvil: Anvil) -> None:
    client, payee = anvil.client(), Address(b"p" * 20)
    before = client.at(client.head())
    anvil.sender(0).send(Intent("pay", payee, b"", 5))
    assert (before.balance(payee), client.at(client.head()).balance(payee)) == (0, 5)
    anvil.rpc("anvil_setCode", "0x" + LOOKOUT.hex(), LOOKOUT_CODE)
    anvil.mine(2)
    pinned = client.head()
    anvil.mine(2)
    assert lookout(client, pinned.hash)[1] == pinned.number


def test_at__a_block_that_a_reorg_dropped__is_unavailable(anvil: Anvil) -> None:
    client = anvil.client()
    anvil.mine(2)
    dropped = client.at(client.head())
    anvil.rpc("anvil_reorg", 1, [])
    anvil.mine()
    with pytest.raises(Unavailable):
        dropped.balance(LOOKOUT)


def test_call__with_a_gas_price__sees_the_base_fee(anvil: Anvil) -> None:
    client = anvil.client()
    anvil.rpc("anvil_setCode", "0x" + LOOKOUT.hex(), LOOKOUT_CODE)
    head = client.head()
    priced = Call(LOOKOUT, b"", 0, anvil_key(0).address, head.base_fee_wei)
    assert lookout(client, head.hash, priced)[0] == head.base_fee_wei


def test_errors__of_every_contract__are_told_by_name_and_values() -> None:
    table = ErrorTable(entry for contract in load().contracts.values() for entry in contract.abi)
    entries = {e["name"]: e for c in load().contracts.values() for e in c.abi if e["type"] == "error"}
    assert {"WindowOpen", "BondTooLow", "NoFaultFound", "NotAModule"} <= entries.keys()
    known = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")
    assert str(table.decode(known)) == "the chain refuses: Panic(code 17)"
    message = bytes.fromhex("08c379a0") + b"".join(n.to_bytes(32, "big") for n in (32, 2)) + b"no".ljust(32, b"\0")
    assert table.decode(message).values == {"message": "no"}
    assert table.decode(b"").name == "NoReason"
    assert table.decode(b"abcd1234").values == {"data": "0x6162636431323334"}
    with pytest.raises(BadEncoding, match="error Panic"):
        table.decode(known[:10])


def test_abi__values_that_do_not_fit__are_refused() -> None:
    vault = Abi("IVault", load()["IVault"].abi)
    with pytest.raises(BadInput, match=r"the values do not fit IVault\.balanceOf"):
        vault.encode_call("balanceOf", b"short")
    with pytest.raises(BadInput, match=r"IVault\.balanceOf takes 1 values, got 2"):
        vault.encode_call("balanceOf", LOOKOUT, LOOKOUT)
    with pytest.raises(NotFound, match="IVault has no function steal"):
        vault.encode_call("steal")
    with pytest.raises(BadEncoding, match=r"0 bytes are not a result of IVault\.balanceOf"):
        vault.decode_result("balanceOf", b"")


def test_call__that_reverts__is_reverted_with_what_the_contract_says(anvil: Anvil) -> None:
    code = load()["Vault"].bytecode + bytes.fromhex("20".rjust(64, "0") + "0" * 64)
    vault = anvil.sender(0).send(Intent("create", None, code)).contract
    data = Abi("IVault", load()["IVault"].abi).encode_call("burn", 1)
    for look in (anvil.client().call, anvil.client().estimate_gas):
        with pytest.raises(Reverted) as caught:
            look(Call(vault, data))
        assert caught.value.name == "NotAModule"
        assert caught.value.values == {"received": "0x" + "00" * 20}
