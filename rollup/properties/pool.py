"""The pool of a training: items masked under one key, and the tree over them (PROTOCOL.md, 7.1).

Whoever has the pool key can unmask every item; whoever has an item's key, that one. Works on canonical tensors; knows
nothing of models or of where blobs lie.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rollup.errors import BadEncoding
from rollup.merkle import Tree, keccak256, top_of_run
from rollup.properties.types import OpenedItem, PoolItem
from rollup.tensor import Bundle, Tensor
from rollup.types import BundleRoot

POOL_KEY_TAG = keccak256(b"anh.v1.pool-key")
ITEM_KEY_TAG = keccak256(b"anh.v1.item-key")
MASK_TAG = keccak256(b"anh.v1.mask")
ITEM_TAG = keccak256(b"anh.v1.item")
KEY_BYTES = 32
# Of an item in a pool's blob: `keccak256(item key) | masked root`.
ENTRY_BYTES = 64
BLOCK_BYTES = 32
_TENSOR_SHIFT = 64


def key_hash(pool_key: bytes) -> bytes:
    """What a training request says of its pool's key."""
    return keccak256(POOL_KEY_TAG + _key(pool_key))


def item_key(pool_key: bytes, index: int) -> bytes:
    """Key of item `index` of the pool."""
    return keccak256(ITEM_KEY_TAG + _key(pool_key) + index.to_bytes(32, "big"))


def _key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise BadEncoding(f"a key has {KEY_BYTES} bytes, got {len(key)}")
    return key


def mask(key: bytes, tensor: int, first: int, byte_length: int) -> bytes:
    """`byte_length` bytes of an item's mask for its tensor number `tensor`, from block `first` of 32 bytes on."""
    # One copied state for every block: tag and key fill SHA-256's first block, so half of the work is done once.
    begun = hashlib.sha256(MASK_TAG + _key(key)).copy
    start = (tensor << _TENSOR_SHIFT) + first
    blocks = []
    for number in range(start, start - (-byte_length // BLOCK_BYTES)):
        state = begun()
        state.update(number.to_bytes(32, "big"))
        blocks.append(state.digest())
    return b"".join(blocks)[:byte_length]


def masked(key: bytes, tensors: Sequence[Tensor]) -> list[Tensor]:
    """An item's tensors, masked under its key; masked again they are what they were."""
    return [
        Tensor(tensor.spec, xored(tensor.data, mask(key, t, 0, len(tensor.data)))) for t, tensor in enumerate(tensors)
    ]


def xored(left: bytes, right: bytes) -> bytes:
    """Of as many bytes."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


@dataclass(frozen=True)
class PoolEntry:
    """What the pool commits of an item: the hash of its key, and the bundle root of its masked tensors."""

    key_hash: bytes
    masked_root: BundleRoot

    @property
    def leaf(self) -> bytes:
        return keccak256(ITEM_TAG + self.key_hash + self.masked_root)


@dataclass(frozen=True)
class Pool:
    """All items of a pool, by index."""

    entries: tuple[PoolEntry, ...]

    @classmethod
    def of(cls, pool_key: bytes, roots: Sequence[BundleRoot]) -> Pool:
        """The pool whose masked items have these bundle roots."""
        return cls(tuple(PoolEntry(keccak256(item_key(pool_key, i)), root) for i, root in enumerate(roots)))

    @cached_property
    def tree(self) -> Tree:
        return Tree([entry.leaf for entry in self.entries], keccak256)

    @property
    def root(self) -> bytes:
        return self.tree.top

    def opened(self, index: int, key: bytes) -> OpenedItem:
        """Item `index` with its key, as the requester opens it. Raises BadEncoding if it is another item's key."""
        if keccak256(key) != self.entries[index].key_hash:
            raise BadEncoding(f"the key is not that of item {index} of the pool")
        return OpenedItem(key, self.entries[index].masked_root, self.tree.path(index))

    def shown(self, index: int) -> PoolItem:
        """Item `index` with its path, to be judged by."""
        entry = self.entries[index]
        return PoolItem(index, entry.key_hash, entry.masked_root, self.tree.path(index))

    def unsound(self, pool_key: bytes) -> list[int]:
        """Items whose keys do not follow from the pool's: whoever shows one spoils the pool."""
        return [i for i, entry in enumerate(self.entries) if keccak256(item_key(pool_key, i)) != entry.key_hash]

    @property
    def encoded(self) -> bytes:
        """The pool as a blob: 64 bytes an item."""
        return b"".join(entry.key_hash + entry.masked_root for entry in self.entries)

    @classmethod
    def decode(cls, data: bytes) -> Pool:
        """Raises BadEncoding unless the bytes are whole items, at least one."""
        if not data or len(data) % ENTRY_BYTES:
            raise BadEncoding(f"{len(data)} bytes are no pool: an item has {ENTRY_BYTES}, and there is at least one")
        starts = range(0, len(data), ENTRY_BYTES)
        return cls(tuple(PoolEntry(data[i : i + 32], BundleRoot(data[i + 32 : i + 64])) for i in starts))


def pool_root(entry: PoolEntry, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """Root of the pool of `count` items that an item's path proves. Raises BadEncoding for a wrong path."""
    return top_of_run([entry.leaf], index, count, path, keccak256)


def mask_item(pool_key: bytes, index: int, tensors: Sequence[Tensor]) -> tuple[list[Tensor], BundleRoot]:
    """Item `index` as the pool shows it to everybody: its masked tensors, and their bundle root."""
    hidden = masked(item_key(pool_key, index), tensors)
    return hidden, Bundle([tensor.root for tensor in hidden]).root
