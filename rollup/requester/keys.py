"""Pool keys, each in a file of its own that only its owner can read.

A pool's key unmasks every sealed item: whoever has it early can fit a network to them. So it stands in no log, no
error and no `repr`, and whoever loses it loses the unscored share. Knows nothing of pools.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rollup.errors import BadInput, NotFound, Unavailable
from rollup.properties.pool import KEY_BYTES, key_hash


@dataclass(frozen=True)
class PoolKey:
    """The key of one pool. Its text shows the hash only."""

    secret: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What the training request says of it."""
        return key_hash(self.secret)


class PoolKeys:
    """Keys in a folder, by their hashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def draw(self) -> PoolKey:
        """A new key, durable before it is returned. Raises Unavailable if it cannot be kept."""
        key = PoolKey(secrets.token_bytes(KEY_BYTES))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._path(key.hash), key.secret)
        except OSError as error:
            raise Unavailable(f"a pool's key cannot be kept in {self._folder}: {error.strerror}") from None
        return key

    def read(self, hash_: bytes) -> PoolKey:
        """The key with a hash. Raises NotFound without it, BadInput for a file that holds another or is open to others.

        No error quotes what a file holds.
        """
        path = self._path(hash_)
        try:
            mode, secret = path.stat().st_mode, path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"{self._folder} has no key with the hash 0x{hash_.hex()}") from None
        except OSError as error:
            raise Unavailable(f"the key {path} cannot be read: {error.strerror}") from None
        if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadInput(f"the key {path} has mode {stat.S_IMODE(mode):o}: others than its owner can reach it")
        if len(secret) != KEY_BYTES or key_hash(secret) != hash_:
            raise BadInput(f"the key {path} is not the one that its name says")
        return PoolKey(secret)

    def has(self, hash_: bytes) -> bool:
        return self._path(hash_).is_file()

    def _path(self, hash_: bytes) -> Path:
        return self._folder / f"{hash_.hex()}.key"

    def _write(self, path: Path, secret: bytes) -> None:
        draft = path.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
