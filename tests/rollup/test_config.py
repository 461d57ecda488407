"""Settings: what is refused, what wins, and that nothing secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.config import Deployment, KeySource, Settings
from rollup.errors import BadInput, NotFound
from rollup.types import Address

DEPLOYMENT = Deployment(31337, 5, *(Address(bytes([number]) * 20) for number in range(11)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    DEPLOYMENT.save(tmp_path / "deployment.json")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "anh.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["{", "{}", '{"chain_id": 1, "block": 0, "vault": "0x12"}'])
def test_load__what_is_no_deployment_record__is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "deployment.json").write_text(text)
    with pytest.raises(BadInput, match="is no deployment record"):
        Deployment.load(tmp_path / "deployment.json")


def test_load__without_a_deployment__is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="ANH_DEPLOYMENT"):
        Settings.load(None, {})
    with pytest.raises(NotFound, match=r"no deployment record .*gone\.json"):
        Settings.load(None, {"ANH_DEPLOYMENT": str(folder / "gone.json")})
    with pytest.raises(NotFound, match="no settings file"):
        Settings.load(folder / "gone.toml", {})


def test_load__an_unknown_name__is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="unknown settings: rpc"):
        Settings.load(write(folder, 'rpc = "http://x"\ndeployment = "deployment.json"'), {})


def test_load__a_value_of_the_wrong_kind__is_refused(folder: Path) -> None:
    path = write(folder, 'deployment = "deployment.json"')
    with pytest.raises(BadInput, match="setting poll_seconds cannot be 'often'"):
        Settings.load(path, {"ANH_POLL_SECONDS": "often"})


def test_key_source__that_is_a_key_itself__is_refused_and_not_quoted() -> None:
    secret = "0x" + "ab" * 32
    with pytest.raises(BadInput, match="never in a setting") as caught:
        KeySource(variable=secret)
    assert "abab" not in str(caught.value)
    with pytest.raises(BadInput, match="never in a setting"):
        KeySource(keystore=Path(secret), password_file=Path("p"))


def test_key_source__with_none_or_half_a_place__is_refused() -> None:
    with pytest.raises(BadInput, match="either a keystore file or an environment variable"):
        KeySource()
    with pytest.raises(BadInput, match="needs a password file"):
        KeySource(keystore=Path("k"))


def test_load__the_environment__wins_over_the_file(folder: Path) -> None:
    path = write(folder, 'deployment = "deployment.json"\nblobs = "data"\nconfirmations = 1\nkeystore = "key.json"')
    environment = {"ANH_CONFIRMATIONS": "3", "ANH_PASSWORD_FILE": "/p", "ANH_SOMETHING": "else"}
    settings = Settings.load(path, environment)
    assert settings.deployment == DEPLOYMENT
    assert (settings.blobs, settings.confirmations) == (folder / "data", 3)
    assert settings.key == KeySource(folder / "key.json", Path("/p"))


def test_settings__shown__hide_what_may_hold_a_secret(folder: Path) -> None:
    environment = {
        "ANH_DEPLOYMENT": str(folder / "deployment.json"),
        "ANH_RPC_URL": "https://node.example/canary",
        "ANH_JOURNAL_URL": "postgresql://anh:canary@db/anh",
        "ANH_REDIS_URL": "redis://:canary@queue",
        "ANH_KEY_VARIABLE": "CANARY",
    }
    assert "canary" not in repr(Settings.load(None, environment)).lower()
