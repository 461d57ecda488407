"""Keys: loaded from an encrypted keystore or the environment, locked against a second process, never shown.

A key is never taken from an argument, which every user of the machine can read. Knows nothing of nonces.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.exceptions import BadSignature as BadKeySignature
from eth_typing import Hash32
from eth_utils.exceptions import ValidationError

from rollup.config import KeySource
from rollup.errors import BadInput, BadSignature, KeyInUse, NotFound
from rollup.types import Address

# Half the order of secp256k1: of two valid s the lower one is taken.
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Key:
    """One account's private key. Its text shows the address only."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = Address(bytes.fromhex(account.address[2:]))

    @classmethod
    def from_bytes(cls, secret: bytes) -> Key:
        """Raises BadInput unless `secret` is a 32-byte private key; never quotes it."""
        try:
            return cls(Account.from_key(secret))
        except (ValueError, ValidationError):
            # Without the cause: its text may quote the key.
            raise BadInput(f"{len(secret)} bytes are not a private key") from None

    @classmethod
    def generate(cls) -> Key:
        return cls(Account.create())

    def __repr__(self) -> str:
        return f"Key(0x{self.address.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def sign_transaction(self, transaction: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Raw bytes and hash of the signed transaction."""
        signed = self._account.sign_transaction(dict(transaction))
        return bytes(signed.raw_transaction), bytes(signed.hash)

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r | s | v over a 32-byte digest, such as a request id."""
        return bytes(self._account.unsafe_sign_hash(Hash32(digest)).signature)

    def save(self, keystore: Path, password_file: Path) -> KeySource:
        """Writes an encrypted keystore, readable by its owner only, with the password that `password_file` holds."""
        encrypted = self._account.encrypt(_password(password_file))
        with open(os.open(keystore, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(encrypted, file)
        return KeySource(keystore, password_file)


def load_key(
    source: KeySource, environment: Mapping[str, str] | None = None, arguments: Sequence[str] | None = None
) -> Key:
    """The key that `source` names.

    Raises NotFound if it is not there, BadInput if it is no key, the password is wrong, or the process's own
    arguments show it.
    """
    secret = _secret(source, os.environ if environment is None else environment)
    key = Key.from_bytes(secret)
    if any(secret.hex() in argument.lower() for argument in (sys.argv if arguments is None else arguments)):
        raise BadInput(f"the key of 0x{key.address.hex()} stands in an argument, where every user can read it")
    return key


def _secret(source: KeySource, environment: Mapping[str, str]) -> bytes:
    if source.variable is not None:
        if source.variable not in environment:
            raise NotFound(f"the environment has no variable {source.variable} to hold a key")
        try:
            return bytes.fromhex(environment[source.variable].strip().removeprefix("0x"))
        except ValueError:
            raise BadInput(f"the environment variable {source.variable} does not hold a key") from None
    assert source.keystore is not None
    assert source.password_file is not None
    try:
        return bytes(Account.decrypt(json.loads(source.keystore.read_text()), _password(source.password_file)))
    except FileNotFoundError as error:
        raise NotFound(f"there is no keystore {source.keystore}") from error
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"the keystore {source.keystore} does not open with its password file") from None


def _password(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise NotFound(f"there is no password file {path}") from error


class KeyLock:
    """Held by the one process that signs with a key; the system lets go of it when the process dies."""

    def __init__(self, folder: Path, address: Address) -> None:
        """Raises KeyInUse if another process holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / f"{address.hex()}.lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise KeyInUse(f"another process signs with the key of 0x{address.hex()}") from error

    def release(self) -> None:
        self._file.close()


def recover(digest: bytes, signature: bytes) -> Address:
    """Who signed a 32-byte digest. Raises BadSignature if nobody can have.

    Takes r | s | v with v 27 or 28 and s in the lower half, as Inbox does, so that no request has two signatures.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise BadSignature(f"a signature has 65 bytes and ends in 27 or 28, got {len(signature)} bytes")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise BadSignature("the signature's s lies in the upper half of the curve's order")
    try:
        signer = Account._recover_hash(digest, signature=signature)
    except (ValueError, BadKeySignature, ValidationError) as error:
        raise BadSignature("the signature is not one of any account") from error
    return Address(bytes.fromhex(signer[2:]))
