"""Sealed items out of range: one element shows it, and the twin refuses and acquits as the chain would."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from rollup.errors import Refused
from rollup.properties.stray import is_stray, prove_stray
from rollup.properties.types import StrayElement
from tests.rollup.properties.strays import ITEM, NAN, pool_with, stray_element


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda shown: replace(shown, item=ITEM + 1),
        lambda shown: replace(shown, item=8),
        lambda shown: replace(shown, tensor=2),
        lambda shown: replace(shown, tensor=1),
        lambda shown: replace(shown, element=300),
        lambda shown: replace(shown, element=-1),
        lambda shown: replace(shown, element=0),
        lambda shown: replace(shown, masked=replace(shown.masked, leaves=shown.masked.leaves[:-1] + b"\0")),
        lambda shown: replace(shown, pooled=replace(shown.pooled, key_hash=b"k" * 32)),
        lambda shown: replace(shown, pooled=replace(shown.pooled, index=shown.pooled.index ^ 1)),
        lambda shown: replace(shown, pooled=replace(shown.pooled, path=shown.pooled.path[:-1])),
    ],
)
def test_stray__of_something_else__is_refused(spoilt: Callable[[StrayElement], StrayElement]) -> None:
    revealed, shown = stray_element()
    with pytest.raises(Refused):
        is_stray(revealed, spoilt(shown))


def test_stray__an_element_beside_it__is_none() -> None:
    revealed, shown = stray_element()
    assert not is_stray(revealed, replace(shown, element=298))


@pytest.mark.parametrize("raw", [bytes(4), b"\x80\0\0\0", struct.pack(">f", 1)])
def test_prove__an_item_in_range__shows_nothing(raw: bytes) -> None:
    revealed, pool, hidden = pool_with(0, 255, raw)
    assert prove_stray(revealed, pool, ITEM, hidden) is None


@pytest.mark.parametrize(
    ("tensor", "element", "raw"),
    [
        *((0, 0, struct.pack(">f", -1e-30)), (0, 255, struct.pack(">f", 1.0000001)), (0, 256, NAN)),
        *((0, 299, struct.pack(">f", float("inf"))), (1, 0, b"\xff\xff\xff\xff")),
    ],
)
def test_prove__one_element_out_of_range__is_shown(tensor: int, element: int, raw: bytes) -> None:
    revealed, shown = stray_element(tensor, element, raw)
    assert (shown.item, shown.tensor, shown.element) == (ITEM, tensor, element)
    assert is_stray(revealed, shown)
