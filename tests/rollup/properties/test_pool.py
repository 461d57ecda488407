"""Pools: what masks hide and who can lift them, and what proves an item."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from random import Random

import pytest

from rollup.errors import BadEncoding
from rollup.merkle import keccak256
from rollup.properties.pool import (
    MASK_TAG,
    Pool,
    PoolEntry,
    item_key,
    key_hash,
    mask,
    mask_item,
    masked,
    pool_root,
)
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import BundleRoot

KEY = bytes(range(32))
RANDOM = Random("pool")
SPECS = (TensorSpec(DType.F32, (1, 5, 7)), TensorSpec(DType.U8, (3,)))


def item() -> list[Tensor]:
    return [Tensor(spec, RANDOM.randbytes(spec.byte_length)) for spec in SPECS]


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.of(KEY, [mask_item(KEY, index, item())[1] for index in range(6)])


def test_item_key__of_a_short_pool_key__is_refused() -> None:
    with pytest.raises(BadEncoding, match="32 bytes, got 31"):
        item_key(KEY[:31], 0)
    with pytest.raises(BadEncoding, match="32 bytes, got 33"):
        key_hash(KEY + b"x")


def test_item_key__of_another_item_or_pool__is_another() -> None:
    assert len({item_key(KEY, 0), item_key(KEY, 1), item_key(KEY[::-1], 0), key_hash(KEY)}) == 4


def test_mask__every_block__is_the_hash_of_its_number() -> None:
    key, tensor = item_key(KEY, 3), 2
    blocks = [
        hashlib.sha256(MASK_TAG + key + (tensor * 2**64 + block).to_bytes(32, "big")).digest() for block in range(5)
    ]
    assert mask(key, tensor, 0, 130) == b"".join(blocks)[:130]
    assert mask(key, tensor, 2, 64) == blocks[2] + blocks[3]
    assert mask(key, tensor, 0, 0) == b""


def test_masked__twice__is_the_item_again() -> None:
    tensors = item()
    hidden = masked(item_key(KEY, 1), tensors)
    assert [tensor.spec for tensor in hidden] == list(SPECS)
    assert all(there.data != tensor.data for there, tensor in zip(hidden, tensors, strict=True))
    assert [tensor.data for tensor in masked(item_key(KEY, 1), hidden)] == [tensor.data for tensor in tensors]


def test_masked__equal_tensors__differ_by_place_and_by_item() -> None:
    tensor = Tensor(SPECS[0], bytes(SPECS[0].byte_length))
    first, second = masked(item_key(KEY, 0), [tensor, tensor])
    (other,) = masked(item_key(KEY, 1), [tensor])
    assert len({first.data, second.data, other.data}) == 3


def test_mask_item__has_the_bundle_root_of_what_it_shows() -> None:
    tensors, root = mask_item(KEY, 2, item())
    assert root == Bundle([tensor.root for tensor in tensors]).root


def test_opened__with_the_key_of_another_item__is_refused(pool: Pool) -> None:
    with pytest.raises(BadEncoding, match="not that of item 2"):
        pool.opened(2, item_key(KEY, 3))


def test_opened__every_item__proves_the_root(pool: Pool) -> None:
    for index, entry in enumerate(pool.entries):
        opened, shown = pool.opened(index, item_key(KEY, index)), pool.shown(index)
        assert PoolEntry(keccak256(opened.key), opened.masked_root) == entry
        assert (shown.index, shown.key_hash, shown.masked_root) == (index, entry.key_hash, entry.masked_root)
        assert pool_root(entry, index, 6, opened.path) == pool_root(entry, index, 6, shown.path) == pool.root


def test_pool_root__of_another_place_or_item__is_another(pool: Pool) -> None:
    path = pool.shown(1).path
    assert pool_root(pool.entries[1], 0, 6, path) != pool.root
    assert pool_root(pool.entries[2], 1, 6, path) != pool.root
    with pytest.raises(BadEncoding):
        pool_root(pool.entries[1], 1, 6, path[:-1])


def test_unsound__of_the_key_or_another__names_items_that_do_not_follow(pool: Pool) -> None:
    changed = Pool((*pool.entries[:4], replace(pool.entries[4], key_hash=bytes(32)), pool.entries[5]))
    assert pool.unsound(KEY) == []
    assert changed.unsound(KEY) == [4]
    assert pool.unsound(KEY[::-1]) == list(range(6))


@pytest.mark.parametrize("length", [0, 63, 65, 96])
def test_decode__other_than_whole_items__is_refused(length: int) -> None:
    with pytest.raises(BadEncoding, match=f"{length} bytes are no pool"):
        Pool.decode(bytes(length))


def test_decode__what_was_encoded__is_the_pool_again(pool: Pool) -> None:
    assert len(pool.encoded) == 6 * 64
    assert Pool.decode(pool.encoded) == pool
    assert Pool.decode(pool.encoded).root == pool.root


def test_root__of_one_item__is_its_leaf() -> None:
    entry = PoolEntry(bytes(32), BundleRoot(bytes(32)))
    assert Pool((entry,)).root == entry.leaf
