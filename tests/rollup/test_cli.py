"""What is wrong with a start is one sentence on standard error and an exit status; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.chain.anvil import development_secret
from rollup.cli import REFUSED, RETRY, STOP
from rollup.config import Deployment
from rollup.processes import free_port
from tests.chain_fixture import Anvil

CONTRACTS = (bytes([number]) * 20 for number in range(1, 12))
DEPLOYMENT = Deployment(31337, 0, *CONTRACTS)  # type: ignore[arg-type]


def run(folder: Path, command: str, text: str) -> tuple[int, str]:
    """Exit status and last line of `anh COMMAND` over a settings file of this text."""
    (folder / "settings.toml").write_text(text)
    argv = [sys.executable, "-m", "rollup.cli", command, "--settings", str(folder / "settings.toml")]
    environment = {**os.environ, "CANARY_KEY": development_secret(3)}
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in ended.stderr
    assert development_secret(3) not in ended.stdout + ended.stderr
    return ended.returncode, ended.stderr.strip().splitlines()[-1]


def settings_text(folder: Path, rpc_url: str, deployment: Deployment = DEPLOYMENT) -> str:
    deployment.save(folder / "deployment.json")
    values = {
        "deployment": folder / "deployment.json",
        "rpc_url": rpc_url,
        "journal_url": f"sqlite:///{folder}/journal.db",
        "locks": folder / "locks",
        "key_variable": "CANARY_KEY",
        "rpc_timeout_seconds": 2,
    }
    return "".join(f'{name} = "{value}"\n' for name, value in values.items())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "settings name no deployment record"),
        ("deployment = 'gone.json'", "there is no deployment record"),
        ("depolyment = 'x'", "has unknown settings: depolyment"),
        ("deployment = ", "is no TOML file"),
    ],
)
def test_a_start__with_bad_settings__is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    status, said = run(tmp_path, "keeper", text)
    assert status == REFUSED
    assert said.startswith("anh: ")
    assert sentence in said


@pytest.mark.parametrize("command", ["keeper", "sequencer"])
def test_a_start__with_a_dead_rpc__may_be_tried_again(tmp_path: Path, command: str) -> None:
    status, said = run(tmp_path, command, settings_text(tmp_path, f"http://127.0.0.1:{free_port()}"))
    assert (status, said) == (RETRY, "anh: the chain does not answer eth_chainId: ConnectionError")


def test_a_start__on_another_chain__stops(tmp_path: Path, anvil: Anvil) -> None:
    elsewhere = replace(DEPLOYMENT, chain_id=1)
    status, said = run(tmp_path, "api", settings_text(tmp_path, anvil.url, elsewhere))
    assert (status, said) == (STOP, "anh: the endpoint serves chain 31337, the settings name chain 1")
