"""Items as a requester has them: one safetensors file, the inputs of all of them stacked, then the targets.

For training data and for the pool alike. Every item is checked against the ranges that its scorer is registered with:
an item outside them would be nobody's to score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollup.blobs import Blobs
from rollup.errors import BadInput
from rollup.inputs import split_inputs
from rollup.program import Weight
from rollup.properties.pool import Pool, mask_item
from rollup.requester.keys import PoolKey
from rollup.tensor import Tensor, TensorSpec
from rollup.types import BundleRoot, InputSpec
from rollup.weights import read_shapes, read_weights

TARGETS = "targets"


@dataclass(frozen=True)
class Items:
    """`stacked`: one tensor [n, ...] for each input of the scorer, the last one the targets."""

    stacked: tuple[Tensor, ...]
    specs: tuple[InputSpec, ...]

    def __len__(self) -> int:
        return self.stacked[0].spec.shape[0]

    def item(self, place: int) -> list[Tensor]:
        """The scorer's inputs for one item. Raises BadInput, with the item's number, for an element out of range."""
        try:
            return split_inputs(self.specs, b"".join(_part(tensor, place) for tensor in self.stacked))
        except BadInput as error:
            raise BadInput(f"item {place}: {error}") from error


def _part(tensor: Tensor, place: int) -> bytes:
    length = tensor.spec.byte_length // tensor.spec.shape[0]
    return tensor.data[place * length : (place + 1) * length]


def read_items(path: Path, specs: Sequence[InputSpec]) -> Items:
    """Reads `input_0` [n, ...], ... and `targets` [n, ...], which `specs`, a scorer's inputs, say of one item.

    Raises BadInput for a missing or empty file and for an item out of range, BadEncoding for one that does not fit.
    """
    if not path.is_file():
        raise BadInput(f"{path} holds no items: there is no such file")
    count = (read_shapes(path).get(TARGETS) or (0,))[0]
    if count < 1:
        raise BadInput(f"{path} holds no items: it has {count} {TARGETS}")
    shapes = [TensorSpec.from_header(spec.header) for spec in specs]
    names = [*(f"input_{place}" for place in range(len(shapes) - 1)), TARGETS]
    weights = [
        Weight(name, TensorSpec(shape.dtype, (count, *shape.shape[1:])))
        for name, shape in zip(names, shapes, strict=True)
    ]
    items = Items(read_weights(path, weights), tuple(specs))
    for place in range(count):
        items.item(place)
    return items


def put_pool(blobs: Blobs, key: PoolKey, items: Items) -> Pool:
    """Masks all items and stores them, then the pool that names them. Raises BadInput for an empty one."""
    roots: list[BundleRoot] = []
    for index in range(len(items)):
        masked, root = mask_item(key.secret, index, items.item(index))
        blobs.put_tensors(masked)
        roots.append(root)
    pool = Pool.of(key.secret, roots)
    blobs.put_pool(pool)
    return pool


def put_data(blobs: Blobs, items: Items) -> BundleRoot:
    """Stores training data; its root is what the request names."""
    return blobs.put_tensors(list(items.stacked))
