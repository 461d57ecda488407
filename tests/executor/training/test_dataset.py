"""Data sets: what is refused before anything is trained on it, and how a batch is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from executor.capture import capture
from executor.training.dataset import Dataset, augment, read_dataset
from executor.training.recipe import Augmentation, Loss
from rollup.errors import BadEncoding, BadInput
from rollup.program import Program
from tests.digits import DigitNet


@pytest.fixture(scope="module")
def program() -> Program:
    return capture(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)]).program


def read(folder: Path, program: Program, loss: Loss = Loss.CROSS_ENTROPY, **tensors: Tensor) -> Dataset:
    path = folder / "data.safetensors"
    save_file(tensors, path)
    return read_dataset(path, program, loss)


def test_read_dataset__no_file__is_refused(tmp_path: Path, program: Program) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_dataset(tmp_path / "data.safetensors", program, Loss.CROSS_ENTROPY)


def test_read_dataset__empty__is_refused(tmp_path: Path, program: Program) -> None:
    with pytest.raises(BadInput, match="has 0 targets"):
        read(tmp_path, program, input_0=torch.zeros(0, 1, 8, 8), targets=torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize("label", [-1, 10])
def test_read_dataset__label_out_of_range__is_refused(tmp_path: Path, program: Program, label: int) -> None:
    with pytest.raises(BadInput, match=f"the target {label}, outside the 10 classes"):
        read(tmp_path, program, input_0=torch.zeros(2, 1, 8, 8), targets=torch.tensor([3, label]))


def test_read_dataset__target_that_is_no_number__is_refused(tmp_path: Path, program: Program) -> None:
    targets = torch.zeros(2, 10)
    targets[1, 1] = torch.nan
    with pytest.raises(BadInput, match="not finite"):
        read(tmp_path, program, Loss.SQUARED_ERROR, input_0=torch.zeros(2, 1, 8, 8), targets=targets)


def test_read_dataset__inputs_of_another_shape__are_refused(tmp_path: Path, program: Program) -> None:
    with pytest.raises(BadEncoding, match="input_0"):
        read(tmp_path, program, input_0=torch.zeros(2, 1, 9, 8), targets=torch.tensor([1, 2]))


def test_read_dataset__what_fits__is_read(tmp_path: Path, program: Program) -> None:
    pictures, labels = torch.rand(3, 1, 8, 8), torch.tensor([1, 2, 3])
    data = read(tmp_path, program, input_0=pictures, targets=labels)
    assert len(data) == 3
    assert torch.equal(data.inputs[0], pictures)
    assert torch.equal(data.take(torch.tensor([2, 0])).targets, torch.tensor([3, 1]))


def test_augment__shift__moves_each_picture_and_puts_zeros_behind_it() -> None:
    picture = torch.arange(1.0, 65).reshape(1, 1, 8, 8).repeat(40, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    (moved,) = augment(Dataset((picture,), torch.zeros(40)), Augmentation(shift=2), generator).inputs
    padded = torch.nn.functional.pad(picture[0, 0], (2, 2, 2, 2))
    places = {tuple(padded[y : y + 8, x : x + 8].flatten().tolist()) for y in range(5) for x in range(5)}
    seen = {tuple(one.flatten().tolist()) for one in moved}
    assert seen <= places
    assert len(seen) > 10


def test_augment__integers__stay_as_they_are() -> None:
    tokens = torch.arange(6).reshape(2, 3)
    changes = Augmentation(noise=1.0, shift=2, flip=True)
    data = augment(Dataset((tokens,), tokens), changes, torch.Generator().manual_seed(0))
    assert torch.equal(data.inputs[0], tokens)
