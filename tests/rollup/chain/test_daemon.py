"""How a process that acts begins, and what it refuses to begin with; the keeper, as the first of them, at work."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.chain.daemon import Daemon
from rollup.chain.keys import KeyLock
from rollup.chain.sender import Intent
from rollup.chain.transactions import MemoryStore
from rollup.config import Deployment, KeySource, Settings
from rollup.errors import BadInput, KeyInUse, Unavailable, WrongChain
from rollup.finality import run_keeper
from rollup.types import Address, Certainty, ClaimId
from rollup.view import Delivery
from tests.chain_fixture import CHALLENGER, EXECUTOR, KEEPER, Anvil, anvil_key
from tests.rollup.chain.world import ENTRY, FEE, LIFE, TIP, World
from tests.rollup.story import WINDOWS

VARIABLE = "ANH_TEST_KEEPER"
# Init code of a contract that takes any call, and of one that refuses every call.
LISTENER = bytes.fromhex("60006000526001601ff3")
DEAF = bytes.fromhex("6460006000fd6000526005601bf3")


@pytest.fixture
def settings(anvil: Anvil, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv(VARIABLE, bytes(anvil_key(KEEPER)._account.key).hex())
    return Settings(deployment, anvil.url, locks=tmp_path, key=KeySource(variable=VARIABLE), poll_seconds=0.02)


def test_start__without_a_key__is_refused(settings: Settings) -> None:
    with pytest.raises(BadInput, match="the settings name no key"):
        Daemon.start(replace(settings, key=None))


def test_start__on_another_chain__stops_and_releases_the_key(settings: Settings) -> None:
    elsewhere = replace(settings, deployment=replace(settings.deployment, chain_id=1))
    for _ in range(2):
        with pytest.raises(WrongChain, match="serves chain 31337, the settings name chain 1"):
            Daemon.start(elsewhere)
    with pytest.raises(Unavailable):
        Daemon.start(replace(settings, rpc_url="http://127.0.0.1:9"))


def test_start__with_a_key_that_is_in_use__stops(settings: Settings) -> None:
    lock = KeyLock(settings.locks, anvil_key(KEEPER).address)
    with pytest.raises(KeyInUse):
        Daemon.start(settings)
    lock.release()
    with Daemon.start(settings) as daemon:
        assert daemon.sender.address == anvil_key(KEEPER).address


def test_start__sends_what_was_recorded_and_not_sent(anvil: Anvil, settings: Settings) -> None:
    store, payee = MemoryStore(), Address(b"p" * 20)
    sender = anvil.sender(KEEPER)
    anvil.rpc("evm_setAutomine", False)
    sender.submit(Intent("pay", payee, b"", 5))
    for version in sender._store.of_intent(sender.address, "pay"):
        store.record(version)
    anvil.rpc("anvil_dropAllTransactions")
    Daemon.start(settings, store).lock.release()
    anvil.mine()
    assert anvil.client().balance(payee) == 5


def test_keeper__makes_final_concludes_and_calls_back(anvil: Anvil, settings: Settings) -> None:
    world = World(anvil, settings.deployment)
    made = [world.senders[0].send(Intent(f"create:{code.hex()}", None, code)) for code in (LISTENER, DEAF)]
    listener, deaf = (receipt.contract for receipt in made)
    assert listener is not None
    assert deaf is not None
    heard, unheard, plain, silent = (
        world.claimed(world.requested(callback)) for callback in (listener, deaf, Address(bytes(20)), listener)
    )
    world.do(CHALLENGER, world.disputes.challenge(world.view.witness(silent), value_wei=10**18))
    balance = world.vault.balance_of(world.now, anvil_key(KEEPER).address)

    stop = threading.Event()
    thread = threading.Thread(target=run_keeper, args=(settings, stop))
    thread.start()
    world.warp(max(WINDOWS.challenge, WINDOWS.open) + 60)
    expected = {
        heard: (Certainty.FINAL, Delivery.SENT),
        unheard: (Certainty.FINAL, Delivery.FAILED),
        plain: (Certainty.FINAL, Delivery.NONE),
        silent: (Certainty.REFUTED, Delivery.SENT),
    }
    limit = time.monotonic() + 30
    found: dict[ClaimId, tuple[Certainty, Delivery]] = {}
    while found != expected and time.monotonic() < limit:
        time.sleep(0.05)
        world.warp(1)
        found = {id_: (claim.certainty, claim.delivery) for id_, claim in world.view.state.claims.items()}
    stop.set()
    thread.join()
    assert found == expected
    assert world.vault.balance_of(world.now, anvil_key(KEEPER).address) > balance
    assert world.view.claim(heard).output == ENTRY
    assert world.view.claim(heard).executor == anvil_key(EXECUTOR).address


def test_keeper__that_offers_refunds__pays_back_what_nobody_answered(anvil: Anvil, settings: Settings) -> None:
    world = World(anvil, settings.deployment)
    ordered = world.requested()
    requester = ordered.request.requester
    before = world.vault.balance_of(world.now, requester)
    world.warp(LIFE)
    stop = threading.Event()
    thread = threading.Thread(target=run_keeper, args=(settings, stop, True))
    thread.start()
    limit = time.monotonic() + 30
    while not world.view.request(ordered.id).refunded and time.monotonic() < limit:
        time.sleep(0.05)
        world.warp(1)
    stop.set()
    thread.join()
    assert world.vault.balance_of(world.now, requester) == before + FEE + TIP
