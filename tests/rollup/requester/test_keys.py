"""Pool keys: kept before they are used, readable by their owner only, and never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rollup.errors import BadInput, NotFound, Unavailable
from rollup.properties.pool import key_hash
from rollup.requester.keys import PoolKeys


def test_read__no_such_key__is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no key with the hash 0x0101"):
        PoolKeys(tmp_path).read(bytes([1] * 32))


def test_read__a_file_that_others_can_read__is_refused(tmp_path: Path) -> None:
    keys = PoolKeys(tmp_path / "keys")
    key = keys.draw()
    (path,) = (tmp_path / "keys").glob("*.key")
    path.chmod(0o640)
    with pytest.raises(BadInput, match="has mode 640"):
        keys.read(key.hash)


def test_read__the_wrong_key__is_refused_and_not_quoted(tmp_path: Path) -> None:
    keys = PoolKeys(tmp_path / "keys")
    key, other = keys.draw(), keys.draw()
    (tmp_path / "keys" / f"{key.hash.hex()}.key").write_bytes(other.secret)
    with pytest.raises(BadInput, match="not the one that its name says") as refused:
        keys.read(key.hash)
    assert other.secret.hex() not in str(refused.value)


def test_draw__a_folder_that_cannot_be_made__is_said(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file in its place")
    with pytest.raises(Unavailable, match="cannot be kept"):
        PoolKeys(tmp_path / "keys").draw()


def test_draw__is_kept_for_its_owner_only(tmp_path: Path) -> None:
    keys = PoolKeys(tmp_path / "keys")
    key = keys.draw()
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert keys.has(key.hash)
    assert keys.read(key.hash) == key
    assert key.hash == key_hash(key.secret)


def test_draw__twice__gives_two_keys(tmp_path: Path) -> None:
    keys = PoolKeys(tmp_path)
    assert keys.draw().secret != keys.draw().secret


def test_repr__shows_no_secret(tmp_path: Path) -> None:
    key = PoolKeys(tmp_path).draw()
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)
