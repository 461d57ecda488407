"""Weights files of strangers: each way to lie is refused; ours are safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rollup.errors import BadEncoding
from rollup.program import Weight
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.weights import read_weights, write_weights
from tests.rollup.programs import f32

WEIGHTS = (Weight("a", f32(2, 3)), Weight("b", f32(4)))
BODY = bytes(24 + 16)


def header() -> dict[str, Any]:
    return {
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "F32", "shape": [4], "data_offsets": [24, 40]},
    }


def file_of(path: Path, text: bytes, body: bytes = BODY, length: int | None = None) -> Path:
    size = len(text) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + text + body)
    return path


def changed(name: str, key: str, value: object) -> bytes:
    document = header()
    document[name][key] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (changed("a", "dtype", "F64"), "'a' is"),
        (changed("a", "shape", [3, 2]), "'a' is"),
        (changed("a", "shape", [2**40, 2**40]), "'a' is"),
        (changed("a", "data_offsets", [0, 2**62]), "not 24 bytes"),
        (changed("a", "data_offsets", [-24, 0]), "not 24 bytes"),
        (changed("a", "data_offsets", [False, 24]), "not 24 bytes"),
        (changed("a", "data_offsets", [0.0, 24.0]), "not 24 bytes"),
        (changed("b", "data_offsets", [8, 24]), "begins at 8, expected 24"),
        (changed("b", "data_offsets", [32, 48]), "begins at 32, expected 24"),
        (json.dumps({"a": header()["a"]}).encode(), "'b' is missing"),
        (json.dumps({**header(), "c": header()["b"]}).encode(), "'c' is not expected"),
        (b'{"a": 1, "a": 2}', "stands in it twice"),
        (b"[]", "not an object"),
        (b"{", "not JSON"),
    ],
)
def test_a_lying_header__is_refused(tmp_path: Path, text: bytes, sentence: str) -> None:
    with pytest.raises(BadEncoding) as refusal:
        read_weights(file_of(tmp_path / "w", text), WEIGHTS)
    assert sentence in str(refusal.value)


def test_a_header_longer_than_the_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadEncoding, match="does not fit a file of 48"):
        read_weights(file_of(tmp_path / "w", b"", length=2**63), WEIGHTS)


def test_bytes_that_nobody_names__are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadEncoding, match="tensors take 40 bytes, the file has 41"):
        read_weights(file_of(tmp_path / "w", json.dumps(header()).encode(), BODY + b"\0"), WEIGHTS)


def test_a_cut_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadEncoding, match="tensors take 40 bytes, the file has 39"):
        read_weights(file_of(tmp_path / "w", json.dumps(header()).encode(), BODY[:-1]), WEIGHTS)


def test_a_file_above_the_limit__is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(BadEncoding, match="at most 20 are read"):
        read_weights(file_of(tmp_path / "w", json.dumps(header()).encode()), WEIGHTS, max_bytes=20)


def test_a_file_of_safetensors__is_read(tmp_path: Path) -> None:
    sixths = (np.arange(6) / 6).astype(np.float32).reshape(2, 3)
    arrays: dict[str, NDArray[np.float32]] = {"b": np.arange(4, dtype=np.float32), "a": sixths}
    save_file(arrays, tmp_path / "w", metadata={"format": "pt"})
    tensors = read_weights(tmp_path / "w", WEIGHTS)
    assert [tensor.spec for tensor in tensors] == [f32(2, 3), f32(4)]
    assert np.array_equal(np.frombuffer(tensors[0].data, ">f4").reshape(2, 3), arrays["a"])


def test_what_is_written__is_read_back_by_safetensors_and_by_us(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 6, dtype=">f4"), np.array([1, 2, 3, 4], ">f4")
    tensors = [Tensor(weight.spec, array.tobytes()) for weight, array in zip(WEIGHTS, values, strict=True)]
    write_weights(tmp_path / "w", WEIGHTS, tensors)
    assert np.array_equal(load_file(tmp_path / "w")["a"].ravel(), values[0])
    assert [tensor.root for tensor in read_weights(tmp_path / "w", WEIGHTS)] == [tensor.root for tensor in tensors]


def test_16_bit_floats__are_not_written(tmp_path: Path) -> None:
    half = Weight("half", TensorSpec(DType.F16, (2,)))
    with pytest.raises(BadEncoding, match="the weight 'half' is of F16, which no file holds"):
        write_weights(tmp_path / "w", [half], [Tensor(half.spec, bytes(4))])


def test_a_mask__is_written_and_read_back(tmp_path: Path) -> None:
    mask = Weight("mask", TensorSpec(DType.BOOL, (2, 2)))
    tensor = Tensor(mask.spec, bytes([0, 1, 1, 0]))
    write_weights(tmp_path / "w", [mask], [tensor])
    assert load_file(tmp_path / "w")["mask"].tolist() == [[False, True], [True, False]]
    assert [each.root for each in read_weights(tmp_path / "w", [mask])] == [tensor.root]
