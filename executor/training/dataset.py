"""Items to train and to check on: one tensor per input, and the targets. Read from safetensors, checked whole.

Knows nothing of roots: whoever fetched the file has compared it with what the request names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from executor.tensors import from_canonical
from executor.training.recipe import Augmentation, Loss
from rollup.errors import BadInput
from rollup.program import Program, Weight
from rollup.tensor import DType, TensorSpec
from rollup.weights import read_shapes, read_weights

MAX_ITEMS = 2**31
TARGETS = "targets"


@dataclass(frozen=True)
class Dataset:
    """`inputs`: one tensor [n, ...] for each input of the program; `targets`: [n, ...]."""

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, places: Tensor) -> Dataset:
        return Dataset(tuple(tensor[places] for tensor in self.inputs), self.targets[places])


def read_dataset(path: Path, program: Program, loss: Loss) -> Dataset:
    """Reads `input_0` [n, ...], ... and `targets`, n each.

    Raises BadInput for an empty one, or for targets that the output cannot have; BadEncoding for a file that does not
    fit the program.
    """
    if not path.is_file():
        raise BadInput(f"{path.name} is no data set: there is no such file")
    shapes = read_shapes(path)
    count = shapes.get(TARGETS, (0,))[0]
    if not 1 <= count < MAX_ITEMS:
        raise BadInput(f"{path.name} has {count} targets, not 1 to {MAX_ITEMS - 1}")
    specs = [
        Weight(f"input_{place}", TensorSpec(spec.dtype, (count, *spec.shape[1:])))
        for place, spec in enumerate(program.inputs)
    ]
    output = program.output.spec.shape
    classified = loss is Loss.CROSS_ENTROPY
    shape = (count, *(output[1:-1] if classified else output[1:]))
    specs.append(Weight(TARGETS, TensorSpec(DType.I64 if classified else DType.F32, shape)))
    *inputs, targets = (from_canonical(tensor) for tensor in read_weights(path, specs))
    if classified:
        _require_classes(targets, output[-1], path.name)
    elif not bool(targets.isfinite().all()):
        raise BadInput(f"{path.name} has targets that are not finite")
    return Dataset(tuple(inputs), targets)


def _require_classes(targets: Tensor, classes: int, name: str) -> None:
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise BadInput(f"{name} has the target {low if low < 0 else high}, outside the {classes} classes of the output")


def augment(data: Dataset, how: Augmentation, generator: torch.Generator) -> Dataset:
    """A batch whose float inputs are changed as `how` says; pictures are inputs of rank 4."""
    return Dataset(tuple(_augmented(tensor, how, generator) for tensor in data.inputs), data.targets)


def _augmented(tensor: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    if how.noise:
        tensor = tensor + how.noise * torch.randn(tensor.shape, generator=generator)
    if tensor.dim() == 4 and how.flip:
        mirrored = torch.rand(len(tensor), 1, 1, 1, generator=generator) < 0.5
        tensor = torch.where(mirrored, tensor.flip(-1), tensor)
    return _shifted(tensor, how.shift, generator) if tensor.dim() == 4 and how.shift else tensor


def _shifted(pictures: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each picture [c, h, w] moved by up to `most` pixels along both axes, zeros behind it."""
    n, _, height, width = pictures.shape
    padded = torch.nn.functional.pad(pictures, (most,) * 4)
    down, right = (torch.randint(0, 2 * most + 1, (n, 1), generator=generator) for _ in range(2))
    rows = (down + torch.arange(height))[:, None, :, None]
    columns = (right + torch.arange(width))[:, None, None, :]
    return padded[torch.arange(n)[:, None, None, None], torch.arange(pictures.shape[1])[:, None, None], rows, columns]
