"""`anh deploy`: a description becomes a system; what is wrong with it is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollup.chain.anvil import development_secret
from rollup.chain.deploy import System
from rollup.cli import build
from rollup.config import Deployment
from rollup.errors import BadInput, Conflict, NotFound
from tests.chain_fixture import Anvil

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "system.toml"


def described(folder: Path, old: str, new: str) -> Path:
    """The example description with one line changed."""
    text = EXAMPLE.read_text()
    assert old in text
    path = folder / "system.toml"
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("min_fee_wei", "minimum_fee"),
        ("lease_term_seconds = 600", 'lease_term_seconds = "600"'),
        ("lease_term_seconds = 600", "lease_term_seconds = -1"),
        ("min_commit_fee_wei = 1_000_000_000_000_000", "min_commit_fee_wei = 0"),
        ("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x70"),
        ("[maximum_windows]", "[maximum]"),
        ("sequencer =", "sequencer"),
    ],
)
def test_load__of_a_bad_description__is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(BadInput, match="is no system description"):
        System.load(described(tmp_path, old, new))


def test_load__without_the_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no system description"):
        System.load(tmp_path / "none.toml")


def test_deploy__over_an_existing_record__is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "deployment.json"
    out.write_text("{}")
    monkeypatch.setenv("ANH_KEY", development_secret(0))
    arguments = ["deploy", str(EXAMPLE), "--rpc-url", "http://127.0.0.1:1", "--chain-id", "31337", "--out", str(out)]
    result = CliRunner().invoke(build(arguments), arguments)
    assert isinstance(result.exception, Conflict)
    assert out.read_text() == "{}"


def test_deploy__puts_the_example_on_a_chain(tmp_path: Path, anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "deployment.json"
    monkeypatch.setenv("ANH_KEY", development_secret(0))
    arguments = ["deploy", str(EXAMPLE), "--rpc-url", anvil.url, "--chain-id", "31337", "--out", str(out)]
    result = CliRunner().invoke(build(arguments), arguments)
    assert result.exit_code == 0, result.output
    deployment = Deployment.load(out)
    assert deployment.chain_id == 31337
    assert anvil.client().code(deployment.claim_chain)
