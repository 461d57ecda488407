"""Records and the interfaces' structs are the same: fields, order, nesting; and encoding forgets nothing."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from rollup import types
from rollup.chain.abi import record_of, to_record, types_of
from rollup.chain.artifacts import load
from rollup.codec import values_of
from rollup.errors import BadEncoding
from rollup.properties import types as property_types
from rollup.types import Address, Certainty, Contested, Model
from tests.rollup.story import MODEL

Component = Mapping[str, Any]


def components(item: Component) -> Iterator[tuple[str, tuple[Component, ...]]]:
    """Every struct in a parameter, by name."""
    name = item.get("internalType", "")
    if name.startswith("struct "):
        yield name.removeprefix("struct ").split("[")[0], tuple(item["components"])
    for inner in item.get("components", ()):
        yield from components(inner)


# Python follows demand pages by their events; what the judges tell each other it never sees.
UNREAD = {"DemandPage", "Case", "Run"}
STRUCTS = {
    name: found
    for contract, artifact in load().contracts.items()
    if contract[0] == "I" and contract[1].isupper()
    for entry in artifact.abi
    for item in (*entry.get("inputs", ()), *entry.get("outputs", ()))
    for name, found in components(item)
    if name not in UNREAD
}


def record_class(name: str) -> type:
    """The record that stands for a struct. Raises AttributeError if there is none."""
    found: type = getattr(types if hasattr(types, name) else property_types, name)
    return found


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def test_structs__are_all_there() -> None:
    assert {"Request", "ClaimWitness", "FaultProof", "Dispute", "Model"} <= STRUCTS.keys()
    assert all(record_class(name) for name in STRUCTS)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_records__have_the_fields_of_their_structs_in_order(name: str) -> None:
    cls = record_class(name)
    assert [field.name for field in dataclasses.fields(cls)] == [snake(item["name"]) for item in STRUCTS[name]]
    hints = typing.get_type_hints(cls)
    for item in STRUCTS[name]:
        is_many = typing.get_origin(hints[snake(item["name"])]) is tuple
        assert is_many == item["type"].endswith("[]"), item["name"]


def test_record_of__what_was_encoded__is_the_same_record() -> None:
    (abi,) = types_of([{"type": "tuple", "components": STRUCTS["Model"]}])
    assert to_record(Model, decode([abi], encode([abi], [values_of(MODEL)]))[0]) == MODEL


def test_record_of__what_does_not_fit__is_refused() -> None:
    with pytest.raises(BadEncoding, match="Contested has 3 fields, got 2"):
        to_record(Contested, (1, 2))
    with pytest.raises(BadEncoding, match="99 is no Certainty"):
        record_of(Certainty, 99)
    assert record_of(Address, "0x" + "ab" * 20) == b"\xab" * 20
