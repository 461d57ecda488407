"""The sequencer as a process of its own on a real chain, killed again and again: all is posted, and posted once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rollup.chain.lane import LaneReader
from rollup.chain.models import Models
from rollup.chain.vault import Vault
from rollup.codec import request_id
from rollup.config import KeySource, Settings
from rollup.errors import BadInput
from rollup.journal import RequestStatus, open_journal
from rollup.sequencer import run_sequencer
from tests.chain_fixture import REGISTRANT_BOND_WEI, SEQUENCER, Anvil, anvil_key
from tests.toy_lane import ALICE, MODEL, ask

REQUESTS = 12
RUN = """
import threading
from rollup.config import Settings
from rollup.sequencer import run_sequencer
run_sequencer(Settings.load(), threading.Event())
"""


@pytest.fixture
def environment(anvil: Anvil, deployment, tmp_path: Path) -> dict[str, str]:
    deployment.save(tmp_path / "deployment.json")
    key = anvil_key(SEQUENCER)
    return {
        **os.environ,
        "ANH_DEPLOYMENT": str(tmp_path / "deployment.json"),
        "ANH_RPC_URL": anvil.url,
        "ANH_JOURNAL_URL": f"sqlite:///{tmp_path}/journal.db",
        "ANH_REDIS_URL": "redis://127.0.0.1:1/0",
        "ANH_LOCKS": str(tmp_path / "locks"),
        "ANH_POLL_SECONDS": "0.05",
        "ANH_POST_SECONDS": "0",
        "ANH_KEY_VARIABLE": "SEQUENCER_KEY",
        "SEQUENCER_KEY": key._account.key.hex(),
    }


def test_run__with_a_key_that_is_not_the_sequencer_s__is_refused(anvil, deployment, tmp_path, monkeypatch):
    monkeypatch.setenv("OTHER_KEY", anvil_key(SEQUENCER + 1)._account.key.hex())
    settings = Settings(
        deployment,
        rpc_url=anvil.url,
        journal_url=f"sqlite:///{tmp_path}/journal.db",
        locks=tmp_path / "locks",
        key=KeySource(variable="OTHER_KEY"),
    )
    with pytest.raises(BadInput, match="the sequencer is 0x"):
        run_sequencer(settings, threading.Event())


def test_run__killed_again_and_again__posts_all_and_each_once(anvil, deployment, environment, tmp_path):
    sender = anvil.sender(0)
    sender.send(Models(deployment).register(MODEL, REGISTRANT_BOND_WEI))
    sender.send(Vault(deployment).deposit(ALICE.address, 10**15, "once"))
    journal = open_journal(tmp_path / "journal.db")
    line = []
    for nonce in range(REQUESTS):
        # Every second has other terms, so that there are many batches to be killed between.
        fee_wei, until = 10**9 + nonce // 2, int(time.time()) + 3600
        line.append(ask(nonce=nonce, domain=deployment.domain, fee_wei=fee_wei, deadline=until))
        id_ = request_id(line[-1].request, deployment.domain)
        journal.requests.accept(id_, line[-1], 1, lambda _open: None)

    kills, deadline = 0, time.monotonic() + 120
    while journal.requests.find(RequestStatus.ACCEPTED, 1) or journal.requests.find(RequestStatus.POSTING, 1):
        assert time.monotonic() < deadline, "not all was posted in time"
        process = subprocess.Popen([sys.executable, "-c", RUN], env=environment)
        # Long enough to start and to post a few; another moment each time.
        posted = len(journal.requests.find(RequestStatus.POSTED, REQUESTS))
        patience = time.monotonic() + 20
        while len(journal.requests.find(RequestStatus.POSTED, REQUESTS)) < min(posted + 4, REQUESTS):
            assert process.poll() is None, "the sequencer ended by itself"
            assert time.monotonic() < patience, "the sequencer posts nothing"
            time.sleep(0.003 * (kills + 1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills >= 3
    assert LaneReader(anvil.client(), deployment).lane_length() == REQUESTS
    assert LaneReader(anvil.client(), deployment).account(ALICE.address).nonce == REQUESTS
    journal.close()
