from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadEncoding
from rollup.merkle import keccak256, sha256
from rollup.tensor import (
    MAX_ELEMENTS,
    Bundle,
    DType,
    Tensor,
    TensorSpec,
    bundle_root,
    hash_together,
    root_of_bundle,
    root_of_opening,
)
from rollup.types import LEAF_BYTES, ZERO_WORD, Opening, TensorRoot

shapes = st.lists(st.integers(1, 9), max_size=4).map(tuple)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (2**32,), (2**16, 2**16), (1,) * 8, (-1,)])
def test_spec__shape_outside_the_format__is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadEncoding):
        TensorSpec(DType.U8, shape)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        bytes(32),
        bytes([8, 0]).ljust(32, b"\0"),
        bytes([1, 8]).ljust(32, b"\1"),
        bytes([1, 1]).ljust(32, b"\0"),
        bytes([1, 0, 0, 0, 0, 0, 0, 1]).ljust(32, b"\0"),
        bytes([1, 0, 1]).ljust(32, b"\0"),
        bytes([1, 1, 0, 0, 0, 0, 0, 2]).ljust(31, b"\0") + b"\1",
        bytes([1, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]).ljust(32, b"\0"),
    ],
)
def test_from_header__not_canonical__is_refused(header: bytes) -> None:
    with pytest.raises(BadEncoding):
        TensorSpec.from_header(header)


@given(st.sampled_from(DType), shapes)
def test_from_header__canonical__is_the_spec(dtype: DType, shape: tuple[int, ...]) -> None:
    spec = TensorSpec(dtype, shape)
    assert TensorSpec.from_header(spec.header) == spec
    assert spec.byte_length == int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype.numpy).itemsize


def test_spec__largest_tensor__is_counted() -> None:
    spec = TensorSpec(DType.I64, (MAX_ELEMENTS,))
    assert spec.byte_length == 8 * (2**32 - 1)
    assert spec.leaf_count == 2**25


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 0), (0, 601), (600, 1)])
def test_leaves_of__run_outside__is_refused(first: int, count: int) -> None:
    with pytest.raises(BadEncoding):
        TensorSpec(DType.F32, (600,)).leaves_of(first, count)


@pytest.mark.parametrize(
    ("first", "count", "leaves"), [(0, 256, (0, 0)), (255, 2, (0, 1)), (256, 1, (1, 1)), (0, 600, (0, 2))]
)
def test_leaves_of__run__names_the_leaves_that_hold_it(first: int, count: int, leaves: tuple[int, int]) -> None:
    assert TensorSpec(DType.F32, (600,)).leaves_of(first, count) == leaves


def test_tensor__wrong_length__is_refused() -> None:
    with pytest.raises(BadEncoding, match="has 8 bytes, got 9"):
        Tensor(TensorSpec(DType.F32, (2,)), bytes(9))


def test_root__one_leaf__is_the_definition() -> None:
    spec, data = TensorSpec(DType.F32, (2,)), b"\1" * 8
    leaf = sha256(keccak256(b"anh.v1.leaf") + data)
    assert Tensor(spec, data).root == sha256(keccak256(b"anh.v1.tensor") + spec.header + leaf)


def test_root__same_bytes_in_another_shape_or_dtype__is_another() -> None:
    specs = [TensorSpec(DType.F32, (4,)), TensorSpec(DType.F32, (2, 2)), TensorSpec(DType.I32, (4,))]
    assert len({Tensor(spec, bytes(16)).root for spec in specs}) == 3


@given(st.integers(1, 4000), st.integers(0, 3999), st.integers(1, 600))
def test_open__any_run__proves_the_root_and_nothing_else(length: int, first: int, count: int) -> None:
    spec = TensorSpec(DType.U8, (length,))
    tensor = Tensor(spec, bytes(index * 7 % 256 for index in range(length)))
    first %= length
    count = min(count, length - first)
    opening = tensor.open(first, count)
    leaves = spec.leaves_of(first, count)
    assert root_of_opening(spec, opening, *leaves) == tensor.root
    start = first - leaves[0] * LEAF_BYTES
    assert opening.leaves[start : start + count] == tensor.data[first : first + count]
    changed = Opening(bytes([opening.leaves[0] ^ 1]) + opening.leaves[1:], opening.siblings, ())
    assert root_of_opening(spec, changed, *leaves) != tensor.root


@pytest.mark.parametrize("change", [b"", b"\0"])
def test_root_of_opening__wrong_length__is_refused(change: bytes) -> None:
    tensor = Tensor(TensorSpec(DType.U8, (1500,)), bytes(1500))
    opening = tensor.open_leaves(1, 1)
    leaves = opening.leaves + change if change else opening.leaves[:-1]
    with pytest.raises(BadEncoding, match=r"leaves 1\.\.1 have 476 bytes"):
        root_of_opening(tensor.spec, Opening(leaves, opening.siblings, ()), 1, 1)


def test_bundle__any_tensor__proves_the_root_in_its_own_place_only() -> None:
    roots = [TensorRoot(sha256(bytes([index]))) for index in range(6)]
    bundle = Bundle(roots)
    for index, root in enumerate(roots):
        assert root_of_bundle(root, index, 6, bundle.path(index)) == bundle.root
    assert root_of_bundle(roots[0], 1, 6, bundle.path(0)) != bundle.root


def test_bundle__count__is_part_of_the_root() -> None:
    roots = [TensorRoot(sha256(bytes([index]))) for index in range(3)]
    assert Bundle(roots).root != Bundle([*roots, TensorRoot(ZERO_WORD)]).root


def test_bundle__without_tensors__has_the_root_of_none() -> None:
    assert Bundle([]).root == bundle_root(0, ZERO_WORD)


def test_hash_together__of_tensors_alike_in_part__gives_each_its_own_root() -> None:
    first = bytes(range(250)) * 20
    datas = [first, first, first[:-1] + b"x", b"x" + first[1:], bytes(5000), first[:1000], first[:1000], first]
    specs = [TensorSpec(DType.U8, (len(data) // 50, 50)) for data in datas]
    specs[-1] = TensorSpec(DType.U8, (50, 100))
    together = [Tensor(spec, data) for spec, data in zip(specs, datas, strict=True)]
    hash_together(together)
    alone = [Tensor(spec, data) for spec, data in zip(specs, datas, strict=True)]
    assert [tensor.root for tensor in together] == [tensor.root for tensor in alone]
    assert len({tensor.root for tensor in together}) == 6
    for mine, other in zip(together, alone, strict=True):
        last = mine.spec.leaf_count - 1
        assert mine.open_leaves(last, last) == other.open_leaves(last, last)
    # The same bytes are hashed once, whatever their shape.
    assert together[0].tree is together[1].tree is together[-1].tree
