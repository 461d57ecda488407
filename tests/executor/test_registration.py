"""What owners hand over: ranges, samples, windows; each mistake is one clear error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file

from executor.cli import windows_of
from executor.models import draw_inputs
from executor.registration import Terms, prepare, read_samples
from executor.tensors import f32_of_bits
from rollup.blobs import open_blobs
from rollup.errors import BadEncoding, BadInput
from rollup.package import load_program
from rollup.types import Windows
from tests.executor.test_models import package

PROGRAM = package().program
TERMS = Terms(-0.5, 2.0, 7, Windows(9, 8, 7, 6, 5))


@pytest.mark.parametrize(
    ("arrays", "error", "sentence"),
    [
        ({"other": np.zeros((3, 1, 8, 8), np.float32)}, BadInput, "has no input_0"),
        ({"input_0": np.zeros((5000, 1), np.float32)}, BadInput, "1 to 4096 samples"),
        ({"input_0": np.zeros((3, 1, 8, 9), np.float32)}, BadEncoding, "'input_0' is"),
        ({"input_0": np.zeros((3, 1, 8, 8), np.float64)}, BadEncoding, "'input_0' is"),
    ],
)
def test_samples_that_do_not_fit__are_refused(
    tmp_path: Path, arrays: dict[str, NDArray[np.float32]], error: type[Exception], sentence: str
) -> None:
    save_file(arrays, tmp_path / "samples")
    with pytest.raises(error) as refusal:
        read_samples(tmp_path / "samples", PROGRAM)
    assert sentence in str(refusal.value)


def test_samples__are_requests_of_their_own(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)
    save_file({"input_0": pictures}, tmp_path / "samples")
    samples = read_samples(tmp_path / "samples", PROGRAM)
    assert len(samples) == 3
    for (sample,), picture in zip(samples, pictures, strict=True):
        assert np.array_equal(sample.numpy(), picture[None])


@pytest.mark.parametrize(("lo", "hi"), [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("inf")), (-1e39, 0.0)])
def test_a_range_that_is_none__is_refused(tmp_path: Path, lo: float, hi: float) -> None:
    with pytest.raises(BadInput, match="is empty or not within"):
        prepare(open_blobs(tmp_path), package(), replace(TERMS, lo=lo, hi=hi))


def test_each_input__has_a_range_of_its_own(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path)
    record = prepare(blobs, package(), replace(TERMS, ranges=((0.25, 0.5),))).record
    assert [f32_of_bits(bits) for bits in (record.inputs[0].lo, record.inputs[0].hi)] == [0.25, 0.5]
    with pytest.raises(BadInput, match="2 ranges are given for 1 inputs"):
        prepare(blobs, package(), replace(TERMS, ranges=((0.0, 1.0), (0.0, 1.0))))


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,-5", "1,2,3,4,x", ""])
def test_windows_that_are_not_five_numbers__are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="five numbers of seconds"):
        windows_of(text)


def test_windows__are_taken_in_the_order_of_a_dispute() -> None:
    assert windows_of("9,8, 7,6,5") == TERMS.windows


def test_a_registration__names_what_is_stored(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path)
    record = prepare(blobs, package(), TERMS).record
    program, lowered = load_program(blobs, record.graph_root)
    assert program == PROGRAM
    assert record.graph_header == lowered.graph.header
    assert [f32_of_bits(bits) for bits in (record.inputs[0].lo, record.inputs[0].hi)] == [-0.5, 2.0]
    assert (record.min_bond_gas, record.windows) == (7, TERMS.windows)
    assert 0 < f32_of_bits(record.output_band) * 2 <= f32_of_bits(record.slash_band)
    assert blobs.get_numerics(record.numerics_root).header == record.numerics_header
    (drawn,) = draw_inputs(record.inputs, 1, 0)
    assert drawn[0].shape == (1, 1, 8, 8)
