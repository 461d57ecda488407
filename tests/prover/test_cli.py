"""The daemon as it is started: settings in, a liar challenged, a clean end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from prover import cli
from prover.cli import run_watchtower
from prover.disputer import Disputer
from rollup.chain.anvil import development_secret
from rollup.config import KeySource, Settings
from rollup.errors import WrongChain
from rollup.types import DisputeStatus
from tests.actors import SkippedLayer
from tests.chain_fixture import anvil_key
from tests.prover.arena import Arena

WATCHMAN = 9


@pytest.fixture
def settings(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WATCHMAN", development_secret(WATCHMAN))
    return Settings(
        deployment=arena.deployment,
        rpc_url=arena.anvil.url,
        blobs=arena.folder / "blobs",
        locks=arena.folder / "locks",
        key=KeySource(variable="WATCHMAN"),
        poll_seconds=0.05,
    )


def until(is_so: Callable[[], bool], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not is_so() and time.monotonic() < limit:
        time.sleep(0.05)
    return is_so()


def test_watch__on_another_chain__stops_at_once(settings: Settings) -> None:
    elsewhere = replace(settings, deployment=replace(settings.deployment, chain_id=1))
    with pytest.raises(WrongChain):
        run_watchtower(elsewhere, threading.Event())


@pytest.mark.parametrize(("arguments", "is_bold"), [([], False), (["--challenge-unserved"], True)])
def test_watch__is_told_by_its_operator_what_to_challenge(
    arguments: list[str], is_bold: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    towers: list[Disputer] = []
    monkeypatch.setattr(cli, "serve", lambda run, file: run(settings, threading.Event()))
    monkeypatch.setattr(cli, "_watch", lambda settings, stop, follower, disputer, _: towers.append(disputer))
    app = typer.Typer()
    app.command()(cli.watch)
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert [tower._challenges_unserved for tower in towers] == [is_bold]


@pytest.mark.parametrize("has_key", [True, False])
def test_watch__a_liar__is_challenged_with_a_key_and_only_watched_without(
    arena: Arena, settings: Settings, has_key: bool
) -> None:
    liar = arena.liar(SkippedLayer())
    claim = arena.told(liar)
    stop = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_watchtower(settings if has_key else replace(settings, key=None), stop)
        except BaseException as error:
            errors.append(error)

    daemon = threading.Thread(target=run)
    daemon.start()
    is_challenged = until(lambda: arena.dispute(claim).status is DisputeStatus.CHALLENGED, 30 if has_key else 3)
    stop.set()
    daemon.join(30)
    assert is_challenged is has_key
    assert errors == []
    if has_key:
        assert arena.dispute(claim).challenger == anvil_key(WATCHMAN).address
    liar.close()


@pytest.mark.parametrize(("given", "used"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_watch__threads_give_up_their_core_while_they_wait__unless_told_otherwise(
    given: dict[str, str], used: str
) -> None:
    """Set before torch is loaded, which reads it once."""
    script = "import sys, prover, os; assert 'torch' not in sys.modules; print(os.environ['OMP_WAIT_POLICY'])"
    without = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=without | given, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == used
