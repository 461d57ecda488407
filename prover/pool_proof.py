"""Proofs about a training's pool: that a claim's item is not what the pool holds, and that an item's key does not fit.

Each has its pure twin of what Trainings makes of it, which decides before anyone sends it. Knows no chain and no torch:
it reads tensors that somebody fetched and verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from prover.fault_proof import TensorBundle
from rollup.errors import BadEncoding
from rollup.merkle import keccak256, top_of_run
from rollup.properties.draw import Draw
from rollup.properties.pool import BLOCK_BYTES, Pool, PoolEntry, item_key, mask, pool_root, xored
from rollup.properties.scores import ScoreClaim, scored_id
from rollup.properties.stray import RevealedPool
from rollup.properties.types import PoolItem, TrainingTerms, Unmasking
from rollup.types import LEAF_BYTES, Opening

_BLOCKS_PER_LEAF = LEAF_BYTES // BLOCK_BYTES


@dataclass(frozen=True)
class Pooled:
    """What the chain holds of a revealed training and of one claim of its scores: an unmasking is judged against it."""

    claim: ScoreClaim
    terms: TrainingTerms
    draw: Draw
    pool_key: bytes

    @cached_property
    def revealed(self) -> RevealedPool:
        return RevealedPool(self.terms, self.draw, self.pool_key, self.claim.model.inputs)

    def key_of(self, item: int) -> bytes:
        """Key of a sealed item, as it follows from the pool's."""
        return self.revealed.key_of(item)


def is_replaced(pooled: Pooled, shown: Unmasking) -> bool:
    """Whether the claim's item differs from the pool's by more than its mask: then the chain refutes the claim.

    Raises BadEncoding where the chain would refuse to look.
    """
    _require_claimed(pooled, shown)
    # Of a spoiled item nobody is convicted.
    pooled.revealed.require_pooled(shown.item, shown.pooled)
    for opening, root in ((shown.masked, shown.pooled.masked_root), (shown.claimed, shown.inputs_root)):
        pooled.revealed.require_leaf(shown.tensor, shown.leaf, opening, root)
    hidden = mask(pooled.key_of(shown.item), shown.tensor, shown.leaf * _BLOCKS_PER_LEAF, len(shown.masked.leaves))
    return xored(shown.masked.leaves, shown.claimed.leaves) != hidden


def is_spoiled(terms: TrainingTerms, pool_key: bytes, item: PoolItem) -> bool:
    """Whether an item's key does not follow from the pool's: then nobody is scored, and the chain ends the training.

    Raises BadEncoding if the item is not in the pool.
    """
    entry = PoolEntry(item.key_hash, item.masked_root)
    if pool_root(entry, item.index, terms.pool_count, item.path) != terms.pool_root:
        raise BadEncoding(f"item {item.index} is not in the pool 0x{terms.pool_root.hex()}")
    return keccak256(item_key(pool_key, item.index)) != item.key_hash


def prove_replaced(
    pooled: Pooled, pool: Pool, item: int, masked: TensorBundle, claimed: TensorBundle
) -> Unmasking | None:
    """Proof that sealed item `item` was replaced; None if every leaf of it is what the pool's unmasks to.

    `masked`: the pool's tensors of it; `claimed`: those under its claimed root. Raises NotFound where one is missing.
    """
    for tensor in range(len(pooled.claim.model.inputs)):
        hidden, said = masked.tensor(tensor), claimed.tensor(tensor)
        key = pooled.key_of(item)
        held = xored(hidden.data, mask(key, tensor, 0, len(hidden.data)))
        for leaf in range(hidden.spec.leaf_count):
            if said.leaf(leaf) != held[leaf * LEAF_BYTES : (leaf + 1) * LEAF_BYTES]:
                openings = (
                    hidden.open_leaves(leaf, leaf, masked.path(tensor)),
                    said.open_leaves(leaf, leaf, claimed.path(tensor)),
                )
                return unmasking(pooled, pool, item, (tensor, leaf), openings)
    return None


def unmasking(
    pooled: Pooled, pool: Pool, item: int, place: tuple[int, int], openings: tuple[Opening, Opening]
) -> Unmasking:
    """The witness of one leaf, replaced or not. `place`: tensor and leaf; `openings`: the pool's, and the claimed."""
    return Unmasking(
        item=item,
        inputs_root=pooled.claim.scoring.items[item],
        item_path=pooled.claim.item_tree.path(item),
        pooled=pool.shown(pooled.draw.sealed_index(item)),
        tensor=place[0],
        leaf=place[1],
        masked=openings[0],
        claimed=openings[1],
    )


def _require_claimed(pooled: Pooled, shown: Unmasking) -> None:
    claim = pooled.claim
    leaf = scored_id(claim.source, claim.scoring.subject, shown.item, shown.inputs_root)
    if top_of_run([leaf], shown.item, claim.count, shown.item_path, keccak256) != claim.requests.root:
        raise BadEncoding(f"item {shown.item} of the claim has not the inputs 0x{shown.inputs_root.hex()}")
