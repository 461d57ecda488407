"""Ids and addresses, as people write them."""

from __future__ import annotations

import pytest

from rollup.errors import BadInput
from rollup.hexes import read_address, read_word


@pytest.mark.parametrize("text", ["", "0x", "ab" * 31, "0x" + "ab" * 33, "zz" * 32, "0X" + "ab" * 32, " " + "ab" * 32])
def test_read_word__what_is_none__is_refused_by_its_name(text: str) -> None:
    with pytest.raises(BadInput, match="a model's id has 32 bytes of hex, got '"):
        read_word(text, "a model's id")


@pytest.mark.parametrize("text", ["", "ab" * 19, "0x" + "ab" * 21, "ab" * 32])
def test_read_address__what_is_none__is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="an address has 20 bytes of hex, got '"):
        read_address(text)


def test_read__with_and_without_its_prefix() -> None:
    assert read_word("ab" * 32, "an id") == read_word("0x" + "AB" * 32, "an id") == bytes([0xAB] * 32)
    assert read_address("ab" * 20) == read_address("0x" + "AB" * 20) == bytes([0xAB] * 20)
