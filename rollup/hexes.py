"""Ids and addresses as people write them, in commands and files: in hex, with 0x before it or not."""

from __future__ import annotations

from re import fullmatch

from rollup.errors import BadInput
from rollup.types import Address


def read_word(text: str, name: str) -> bytes:
    """An id or a root. `name` is what the error calls it. Raises BadInput."""
    return _read(text, 32, name)


def read_address(text: str) -> Address:
    """Raises BadInput."""
    return Address(_read(text, 20, "an address"))


def _read(text: str, length: int, name: str) -> bytes:
    if not fullmatch(f"(0x)?[0-9a-fA-F]{{{2 * length}}}", text):
        raise BadInput(f"{name} has {length} bytes of hex, got {text!r}")
    return bytes.fromhex(text.removeprefix("0x"))
