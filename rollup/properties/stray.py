"""Sealed items that hold what their scorer does not take: how one element shows it (PROTOCOL.md, 7.1).

What is made of such an element may crash whoever runs it, and the judge may acquit it; so nobody is scored on it.
`is_stray` is the pure twin of what Trainings makes of a proof, and decides before anyone sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.errors import BadEncoding
from rollup.inputs import first_outside, is_within
from rollup.merkle import keccak256
from rollup.properties.draw import Draw
from rollup.properties.pool import BLOCK_BYTES, Pool, PoolEntry, item_key, mask, masked, pool_root, xored
from rollup.properties.types import PoolItem, StrayElement, TrainingTerms
from rollup.tensor import Bundle, Tensor, TensorSpec, root_of_bundle, root_of_opening
from rollup.types import LEAF_BYTES, BundleRoot, InputSpec, Opening


@dataclass(frozen=True)
class RevealedPool:
    """What the chain holds of a revealed training's pool. `inputs`: the scorer's, which are an item's tensors."""

    terms: TrainingTerms
    draw: Draw
    pool_key: bytes
    inputs: tuple[InputSpec, ...]

    def key_of(self, item: int) -> bytes:
        """Key of a sealed item, as it follows from the pool's."""
        return item_key(self.pool_key, self.draw.sealed_index(item))

    def spec(self, tensor: int) -> TensorSpec:
        """Raises BadEncoding if an item has no such tensor."""
        if not 0 <= tensor < len(self.inputs):
            raise BadEncoding(f"tensor {tensor} is outside 0..{len(self.inputs) - 1} of an item")
        return TensorSpec.from_header(self.inputs[tensor].header)

    def require_pooled(self, item: int, shown: PoolItem) -> None:
        """Raises BadEncoding unless `shown` is sealed item `item`, with the key that follows from the pool's."""
        index = self.draw.sealed_index(item)
        if shown.index != index:
            raise BadEncoding(f"sealed item {item} is item {index} of the pool, got {shown.index}")
        entry = PoolEntry(shown.key_hash, shown.masked_root)
        if pool_root(entry, index, self.terms.pool_count, shown.path) != self.terms.pool_root:
            raise BadEncoding(f"item {index} is not in the pool 0x{self.terms.pool_root.hex()}")
        if keccak256(self.key_of(item)) != shown.key_hash:
            raise BadEncoding(f"the key of item {index} does not follow from the pool's")

    def require_leaf(self, tensor: int, leaf: int, opening: Opening, expected: BundleRoot) -> None:
        """Raises BadEncoding unless `opening` is a leaf of a tensor of the item under `expected`."""
        root = root_of_opening(self.spec(tensor), opening, leaf, leaf)
        if root_of_bundle(root, tensor, len(self.inputs), opening.bundle_path) != expected:
            raise BadEncoding(f"the opened leaf is not under 0x{expected.hex()}")


def is_stray(revealed: RevealedPool, shown: StrayElement) -> bool:
    """Whether the element is out of its input's range: then nobody is scored, and the chain ends the training.

    Raises BadEncoding where the chain would refuse to look.
    """
    revealed.require_pooled(shown.item, shown.pooled)
    spec = revealed.spec(shown.tensor)
    leaf, _ = spec.leaves_of(shown.element, 1)
    revealed.require_leaf(shown.tensor, leaf, shown.masked, shown.pooled.masked_root)
    start, place = shown.element * spec.dtype.width - leaf * LEAF_BYTES, (shown.tensor, leaf)
    element = element_of(revealed.key_of(shown.item), place, shown.masked.leaves, start, spec.dtype.width)
    return not is_within(revealed.inputs[shown.tensor], spec.dtype, element)


def element_of(key: bytes, place: tuple[int, int], leaf: bytes, start: int, width: int) -> bytes:
    """Canonical bytes of one element of a masked leaf. `place`: tensor and leaf; `start`: its first byte in that."""
    tensor, number = place
    block, offset = divmod(start, BLOCK_BYTES)
    hidden = mask(key, tensor, number * (LEAF_BYTES // BLOCK_BYTES) + block, BLOCK_BYTES)
    return xored(leaf[start : start + width], hidden[offset : offset + width])


def prove_stray(revealed: RevealedPool, pool: Pool, item: int, hidden: Sequence[Tensor]) -> StrayElement | None:
    """Proof that sealed item `item` is out of range; None if it is not. `hidden`: its masked tensors."""
    for place, plain in enumerate(masked(revealed.key_of(item), hidden)):
        element = first_outside(revealed.inputs[place], plain)
        if element is not None:
            path = Bundle([tensor.root for tensor in hidden]).path(place)
            shown = pool.shown(revealed.draw.sealed_index(item))
            return StrayElement(item, shown, place, element, hidden[place].open(element, 1, path))
    return None
