"""The whole application over a real chain, a real Redis and a real journal, with the sequencer posting beside it."""

import os
import threading
from dataclasses import replace

import httpx
import pytest

from api.app import create_app
from api.client import AnhClient, Offer
from api.schemas import to_hex
from rollup.chain.models import Models
from rollup.config import KeySource, Settings
from rollup.errors import BadInput, WrongChain
from rollup.redis_server import RedisServer
from rollup.sequencer import run_sequencer
from tests.api.stage import serving
from tests.chain_fixture import REGISTRANT_BOND_WEI, SEQUENCER, USER, anvil_key
from tests.toy_lane import MODEL, MODEL_ID, picture

OFFER = Offer(fee_wei=10**9)


@pytest.fixture
def settings(anvil, deployment, tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("SEQUENCER_KEY", anvil_key(SEQUENCER)._account.key.hex())
    return Settings(
        deployment,
        rpc_url=anvil.url,
        journal_url=f"sqlite:///{tmp_path}/journal.db",
        redis_url="redis://127.0.0.1:1/0",
        blobs=tmp_path / "blobs",
        locks=tmp_path / "locks",
        key=KeySource(variable="SEQUENCER_KEY"),
        poll_seconds=0.05,
    )


def with_changes(settings: Settings, **changes) -> Settings:
    return replace(settings, **changes)


def test_create__without_a_key__is_refused(settings):
    with pytest.raises(BadInput, match="signs receipts with the sequencer's"):
        create_app(with_changes(settings, key=None))


def test_create__on_another_chain__is_refused(settings):
    other = with_changes(settings.deployment, chain_id=1)
    with pytest.raises(WrongChain, match="serves chain 31337, the settings name chain 1"):
        create_app(with_changes(settings, deployment=other))


def test_serve__before_the_chain_answers__says_so_and_then_serves(settings, anvil):
    anvil.stop()
    app = create_app(settings)
    with serving(app) as url:
        health = httpx.get(f"{url}/v1/health")
        assert health.status_code == 503
        assert "the chain does not answer" in health.json()["chain"]
        answer = httpx.get(f"{url}/v1/models")
        assert (answer.status_code, answer.json()["detail"]) == (503, "the chain has not been read yet")
        assert httpx.get(f"{url}/v1/system").json()["title"] == "Unavailable"


def test_request__from_deposit_to_its_place_on_chain(settings, anvil, tmp_path):
    anvil.sender(0).send(Models(settings.deployment).register(MODEL, REGISTRANT_BOND_WEI))
    stop = threading.Event()
    with RedisServer(tmp_path / "redis") as redis:
        settings = with_changes(settings, redis_url=redis.url)
        sequencer = threading.Thread(target=run_sequencer, args=(settings, stop))
        sequencer.start()
        try:
            with serving(create_app(settings)) as url:
                client = AnhClient(url, bytes(anvil_key(USER)._account.key))
                client.deposit(anvil.url, 10**12)
                assert client.account()["balance_wei"] == str(10**12)
                ids = client.ask_all(MODEL_ID, [[picture(0.01 * number)] for number in range(20)], OFFER)
                for state in client.follow(ids[-1], seconds=20):
                    if state["status"] == "ordered":
                        break
                states = [client.request(id_) for id_ in ids]
                assert [(state["status"], state["lane"]) for state in states] == [("ordered", 1)] * 20
                assert [state["number"] for state in states] == [state["n"] for state in states] == list(range(20))
                assert client.account()["balance_wei"] == str(10**12 - 20 * OFFER.fee_wei)
                health = httpx.get(f"{url}/v1/health").json()
                assert health == {"status": "ok", "chain": "ok", "journal": "ok", "redis": "ok"}
                assert httpx.get(f"{url}/v1/models").json()["models"][0]["id"] == to_hex(MODEL_ID)
                client.close()
        finally:
            stop.set()
            sequencer.join(15)
    assert not sequencer.is_alive()


def test_the_key__appears_in_nothing_that_is_answered(settings, capfd):
    secret = os.environ["SEQUENCER_KEY"].removeprefix("0x")
    with serving(create_app(settings)) as url:
        texts = [httpx.get(url + path).text for path in ("/v1/system", "/v1/health", "/openapi.json", "/v1/nothing")]
        texts.append(httpx.post(f"{url}/v1/requests", json={"request": {}}).text)
    said = capfd.readouterr()
    assert all(secret not in text for text in [*texts, said.out, said.err, repr(settings)])
