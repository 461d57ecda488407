"""What a beacon selects: the items that a requester opens, the uniforms that sample a text (PROTOCOL.md, 7).

A beacon is the hash of a block that nobody knew when the request was made.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rollup.errors import BadInput
from rollup.merkle import keccak256, sha256
from rollup.properties.types import MAX_OPENED_ITEMS, MAX_SCORED_ITEMS, TrainingId
from rollup.types import RequestId

DRAW_TAG = keccak256(b"anh.v1.draw")
SEED_TAG = keccak256(b"anh.v1.seed")
UNIFORM_TAG = keccak256(b"anh.v1.uniform")
# Blocks whose hashes the chain remembers.
BEACON_BLOCKS = 256
_UNIFORM_BITS = 24


def is_beacon_ready(anchor: int, block: int) -> bool:
    """Whether block `block` can read the hash of the block after `anchor`, unless it is lost."""
    return block > anchor + 1


def is_beacon_lost(anchor: int, block: int) -> bool:
    """Whether block `block` can no longer read it."""
    return block > anchor + 1 + BEACON_BLOCKS


def draw_seed(training: TrainingId, beacon: bytes) -> bytes:
    """`beacon`: hash of the block after the one of the request."""
    return keccak256(DRAW_TAG + training + beacon)


@dataclass(frozen=True)
class Draw:
    """Which items of a pool are opened and which stay sealed. Raises BadInput for a pool that cannot be drawn from."""

    seed: bytes
    pool_count: int
    open_count: int

    def __post_init__(self) -> None:
        if not 1 <= self.open_count <= MAX_OPENED_ITEMS:
            raise BadInput(f"{self.open_count} opened items are outside 1..{MAX_OPENED_ITEMS}")
        if self.pool_count % self.open_count or self.stratum < 2:
            raise BadInput(
                f"a pool of {self.pool_count} items is no multiple, at least twice, of the {self.open_count} opened"
            )
        if self.sealed_count > MAX_SCORED_ITEMS:
            raise BadInput(f"{self.sealed_count} sealed items are above {MAX_SCORED_ITEMS}")

    @property
    def stratum(self) -> int:
        """Items in a stratum, of which one is opened."""
        return self.pool_count // self.open_count

    @property
    def sealed_count(self) -> int:
        return self.pool_count - self.open_count

    def opened_index(self, stratum: int) -> int:
        """Pool index of the item that is opened of a stratum."""
        drawn = int.from_bytes(keccak256(self.seed + stratum.to_bytes(32, "big")), "big")
        return stratum * self.stratum + drawn % self.stratum

    @property
    def opened(self) -> tuple[int, ...]:
        """Pool indices of all opened items, in order."""
        return tuple(self.opened_index(stratum) for stratum in range(self.open_count))

    def sealed_index(self, item: int) -> int:
        """Pool index of sealed item number `item`."""
        if not 0 <= item < self.sealed_count:
            raise BadInput(f"sealed item {item} is outside 0..{self.sealed_count - 1}")
        stratum, place = divmod(item, self.stratum - 1)
        index = stratum * self.stratum + place
        return index + (index >= self.opened_index(stratum))

    @property
    def sealed(self) -> tuple[int, ...]:
        """Pool indices of all sealed items, in order."""
        opened = set(self.opened)
        return tuple(index for index in range(self.pool_count) if index not in opened)

    def sealed_number(self, index: int) -> int | None:
        """Number among the sealed items of the one at pool index `index`; None if that one is opened."""
        if not 0 <= index < self.pool_count:
            raise BadInput(f"item {index} is outside 0..{self.pool_count - 1}")
        stratum, opened = index // self.stratum, self.opened_index(index // self.stratum)
        return None if index == opened else index - stratum - (index > opened)


def text_seed(generation: RequestId, beacon: bytes) -> bytes:
    """Seed of a sampled text's uniforms. `beacon`: hash of the block after the anchor."""
    return keccak256(SEED_TAG + generation + beacon)


def uniform(seed: bytes, index: int) -> float:
    """Uniform number `index` in [0, 1): a multiple of 2^-24, so that an f32 holds it exactly."""
    drawn = int.from_bytes(sha256(UNIFORM_TAG + seed + index.to_bytes(32, "big")), "big")
    return (drawn >> (256 - _UNIFORM_BITS)) / (1 << _UNIFORM_BITS)


def uniforms(seed: bytes, count: int) -> bytes:
    """Canonical bytes of the first `count` uniforms: f32 [1, count]."""
    return struct.pack(f">{count}f", *(uniform(seed, index) for index in range(count)))
