"""Weights files: safetensors, read and written as canonical tensors.

The file is a stranger's: its header is checked whole (names, dtypes, shapes, offsets without overlap or gap) before
anything of a tensor's size is allocated, and only tensors that the caller expects are taken. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rollup.errors import BadEncoding
from rollup.program import Weight
from rollup.tensor import DType, Tensor

MAX_HEADER_BYTES = 8 * 2**20
MAX_FILE_BYTES = 2**36
_LENGTH_BYTES = 8
# 16-bit floats are in no profile yet.
_NAMES = {DType.F32: "F32", DType.I64: "I64", DType.I32: "I32", DType.U8: "U8", DType.BOOL: "BOOL"}


def write_weights(path: Path, weights: Sequence[Weight], tensors: Sequence[Tensor]) -> None:
    """Writes tensors under the names of `weights`. Raises BadEncoding for 16-bit floats, which no file holds."""
    header: dict[str, Any] = {}
    end = 0
    for weight, tensor in zip(weights, tensors, strict=True):
        start, end = end, end + tensor.spec.byte_length
        dtype = _NAMES.get(tensor.spec.dtype)
        if dtype is None:
            raise BadEncoding(f"the weight {weight.name!r} is of {tensor.spec.dtype.name}, which no file holds")
        header[weight.name] = {"dtype": dtype, "shape": list(tensor.spec.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
        for tensor in tensors:
            file.write(_swapped(tensor.data, tensor.spec.dtype))


def read_weights(path: Path, weights: Sequence[Weight], max_bytes: int = MAX_FILE_BYTES) -> tuple[Tensor, ...]:
    """Tensors of exactly `weights`, in their order. Raises BadEncoding that says what is wrong with the file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise BadEncoding(f"{path.name} has {size} bytes, at most {max_bytes} are read")
        header, start = _header(file, size)
        offsets = _offsets(header, weights, size - start)
        return tuple(_read(file, start + offsets[weight.name], weight) for weight in weights)


def _header(file: BinaryIO, size: int) -> tuple[Mapping[str, Any], int]:
    """The header, and where the tensors begin."""
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if length > min(MAX_HEADER_BYTES, size - _LENGTH_BYTES):
        raise BadEncoding(f"a header of {length} bytes does not fit a file of {size} (at most {MAX_HEADER_BYTES})")
    try:
        header = json.loads(file.read(length), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise BadEncoding(f"the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise BadEncoding("the header is not an object")
    header.pop("__metadata__", None)
    return header, _LENGTH_BYTES + length


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands in it twice")
    return dict(pairs)


def _offsets(header: Mapping[str, Any], weights: Sequence[Weight], available: int) -> dict[str, int]:
    """Where each weight begins. Raises BadEncoding unless the header holds exactly `weights`, side by side."""
    faults = [f"tensor {name[:80]!r} is not expected" for name in header.keys() - {weight.name for weight in weights}]
    spans: list[tuple[int, int, str]] = []
    for weight in weights:
        fault, span = _span(header.get(weight.name), weight)
        faults += fault
        spans += span
    end = 0
    for start, stop, name in sorted(spans):
        if start != end:
            faults.append(f"tensor {name!r} begins at {start}, expected {end}")
        end = stop
    if not faults and end != available:
        faults.append(f"tensors take {end} bytes, the file has {available}")
    if faults:
        raise BadEncoding("; ".join(faults))
    return {name: start for start, _, name in spans}


def _span(item: Any, weight: Weight) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Faults of one header entry, or its span."""
    if not isinstance(item, dict):
        return [f"tensor {weight.name!r} is missing"], []
    expected = {"dtype": _NAMES.get(weight.spec.dtype), "shape": list(weight.spec.shape)}
    received = {key: item.get(key) for key in expected}
    if received != expected:
        return [f"tensor {weight.name!r} is {str(received)[:120]}, expected {expected}"], []
    offsets = item.get("data_offsets")
    # A pair of integers; a bool is none.
    if isinstance(offsets, list) and [type(offset) for offset in offsets] == [int, int]:
        start, stop = offsets
        if start >= 0 and stop - start == weight.spec.byte_length:
            return [], [(start, stop, weight.name)]
    return [f"tensor {weight.name!r} has offsets {str(offsets)[:80]}, not {weight.spec.byte_length} bytes"], []


def _read(file: BinaryIO, offset: int, weight: Weight) -> Tensor:
    file.seek(offset)
    return Tensor(weight.spec, _swapped(file.read(weight.spec.byte_length), weight.spec.dtype))


def _swapped(data: bytes, dtype: DType) -> bytes:
    """Little-endian elements as big-endian ones, and back."""
    return np.frombuffer(data, dtype=dtype.numpy).byteswap().tobytes()


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a file claims to hold, unchecked against anything else. Raises BadEncoding."""
    with path.open("rb") as file:
        header, _ = _header(file, os.fstat(file.fileno()).st_size)
    shapes = {name: item.get("shape") for name, item in header.items() if isinstance(item, dict)}
    return {
        name: tuple(shape)
        for name, shape in shapes.items()
        if isinstance(shape, list) and all(type(size) is int for size in shape)
    }
