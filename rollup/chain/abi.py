"""Calls, results, errors and events of the contracts as bytes, to and from the records of rollup/types.py.

A record and its Solidity struct have the same fields in the same order, so one conversion serves all. Knows nothing of
transport: what is encoded here is sent by client.py and sender.py.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple

from rollup.codec import values_of
from rollup.errors import BadEncoding, BadInput, NotFound, Reverted
from rollup.merkle import keccak256
from rollup.types import Address

T = TypeVar("T")
Entry = Mapping[str, Any]
# Solidity's own two errors.
_BUILT_IN: tuple[Entry, ...] = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


def types_of(inputs: Sequence[Entry]) -> list[str]:
    """ABI types, structs written as tuples."""
    return [collapse_if_tuple(typing.cast(Any, item)) for item in inputs]


def signature_hash(entry: Entry) -> bytes:
    return keccak256(f"{entry['name']}({','.join(types_of(entry['inputs']))})".encode())


class Abi:
    """Functions of one contract."""

    def __init__(self, name: str, entries: Iterable[Entry]) -> None:
        self.name = name
        entries = tuple(entries)
        self._functions = {entry["name"]: entry for entry in entries if entry["type"] == "function"}
        self.constructor: tuple[Entry, ...] = next(
            (tuple(entry["inputs"]) for entry in entries if entry["type"] == "constructor"), ()
        )

    def encode_call(self, function: str, *arguments: Any) -> bytes:
        """Calldata. Raises BadInput if a value does not fit its type, NotFound for an unknown function."""
        entry = self._entry(function)
        return signature_hash(entry)[:4] + encode_values(f"{self.name}.{function}", entry["inputs"], arguments)

    def decode_result(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Return values as eth_abi gives them. Raises BadEncoding if the bytes are not such a result."""
        return decode_values(f"{self.name}.{function}", types_of(self._entry(function)["outputs"]), data)

    def _entry(self, function: str) -> Entry:
        if function not in self._functions:
            raise NotFound(f"contract {self.name} has no function {function}")
        return self._functions[function]


def encode_values(what: str, inputs: Sequence[Entry], values: Sequence[Any]) -> bytes:
    """ABI encoding of records and plain values. Raises BadInput if they do not fit."""
    if len(values) != len(inputs):
        raise BadInput(f"{what} takes {len(inputs)} values, got {len(values)}")
    try:
        return encode(types_of(inputs), [values_of(value) for value in values])
    except (EncodingError, TypeError, ValueError) as error:
        raise BadInput(f"the values do not fit {what}: {error}") from error


def decode_values(what: str, abi_types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        return tuple(decode(abi_types, data))
    except (DecodingError, ValueError, OverflowError) as error:
        raise BadEncoding(f"{len(data)} bytes are not a result of {what}: {error}") from error


@cache
def _hints(cls: type) -> tuple[Any, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(hints[field.name] for field in dataclasses.fields(cls))


def record_of(hint: Any, value: Any) -> Any:
    """A decoded ABI value as the type `hint`: a record, an enum, an Address, a tuple of them, or a plain value.

    Raises BadEncoding if the number of fields differs or an enum's value is unknown.
    """
    if hint is Address:
        return Address(bytes.fromhex(value[2:]))
    if typing.get_origin(hint) is tuple:
        return tuple(record_of(typing.get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        if value not in hint.__members__.values():
            raise BadEncoding(f"{value} is no {hint.__name__}")
        return hint(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        if len(hints) != len(value):
            raise BadEncoding(f"{hint.__name__} has {len(hints)} fields, got {len(value)}")
        return hint(*(record_of(field, item) for field, item in zip(hints, value, strict=True)))
    return value


def to_record(cls: type[T], value: Any) -> T:
    """`record_of` with its type kept."""
    return typing.cast(T, record_of(cls, value))


class ErrorTable:
    """Custom errors of all contracts by selector, since an inner call's error surfaces from the outer one."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        errors = [entry for entry in (*_BUILT_IN, *entries) if entry["type"] == "error"]
        self._errors = types.MappingProxyType({signature_hash(entry)[:4]: entry for entry in errors})

    def decode(self, data: bytes) -> Reverted:
        """The error behind revert data: its name and values, or the raw bytes if no contract declares it."""
        entry = self._errors.get(data[:4])
        if entry is None:
            return Reverted("UnknownError" if data else "NoReason", {"data": "0x" + data[:68].hex()} if data else {})
        values = decode_values(f"error {entry['name']}", types_of(entry["inputs"]), data[4:])
        names = [item["name"] or str(place) for place, item in enumerate(entry["inputs"])]
        return Reverted(entry["name"], dict(zip(names, values, strict=True)))
