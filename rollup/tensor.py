"""Canonical tensors: header, big-endian bytes, leaves, roots, openings (PROTOCOL.md, 2.2 and 2.3).

Works on bytes; turning a torch or numpy array into canonical bytes is the caller's (`numpy` big-endian views do it).
Refuses every header that is not canonical, before anything of its size is allocated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import prod

from rollup.errors import BadEncoding
from rollup.hashing import Team
from rollup.merkle import Tree, keccak256, sha256, top_of_run
from rollup.types import LEAF_BYTES, ZERO_WORD, BundleRoot, Opening, TensorRoot

LEAF_TAG = keccak256(b"anh.v1.leaf")
_HASHING = Team(LEAF_TAG)
TENSOR_TAG = keccak256(b"anh.v1.tensor")
BUNDLE_TAG = keccak256(b"anh.v1.bundle")
MAX_RANK = 7
MAX_ELEMENTS = 2**32 - 1


class DType(IntEnum):
    """Element types; the value is the code in a tensor header."""

    F32 = 1
    F16 = 2
    BF16 = 3
    I64 = 4
    I32 = 5
    U8 = 6
    BOOL = 7

    @property
    def width(self) -> int:
        """Bytes of one element."""
        return _WIDTHS[self]

    @property
    def numpy(self) -> str:
        """Big-endian numpy dtype string of the canonical bytes (16-bit floats as raw u2)."""
        return _NUMPY[self]


_WIDTHS = {
    DType.F32: 4,
    DType.F16: 2,
    DType.BF16: 2,
    DType.I64: 8,
    DType.I32: 4,
    DType.U8: 1,
    DType.BOOL: 1,
}
_NUMPY = {
    DType.F32: ">f4",
    DType.F16: ">u2",
    DType.BF16: ">u2",
    DType.I64: ">i8",
    DType.I32: ">i4",
    DType.U8: "u1",
    DType.BOOL: "u1",
}


@dataclass(frozen=True)
class TensorSpec:
    """dtype and shape of one tensor. Raises BadEncoding where a header could not be canonical."""

    dtype: DType
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.shape) > MAX_RANK:
            raise BadEncoding(f"rank {len(self.shape)} is above {MAX_RANK}")
        for size in self.shape:
            if not 1 <= size < 2**32:
                raise BadEncoding(f"dimension {size} of shape {self.shape} is outside 1..2^32-1")
        if self.elements > MAX_ELEMENTS:
            raise BadEncoding(f"{self.elements} elements are above {MAX_ELEMENTS}")

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def byte_length(self) -> int:
        return self.elements * self.dtype.width

    @property
    def leaf_count(self) -> int:
        return -(-self.byte_length // LEAF_BYTES)

    @property
    def header(self) -> bytes:
        """The 32-byte header word."""
        dims = b"".join(size.to_bytes(4, "big") for size in self.shape)
        return (bytes([self.dtype, len(self.shape), 0, 0]) + dims).ljust(32, b"\0")

    @classmethod
    def from_header(cls, header: bytes) -> TensorSpec:
        """Raises BadEncoding unless `header` is canonical."""
        if len(header) != 32:
            raise BadEncoding(f"a tensor header has 32 bytes, got {len(header)}")
        code, rank = header[0], header[1]
        if code not in DType.__members__.values() or rank > MAX_RANK:
            raise BadEncoding(f"dtype {code} or rank {rank} of header {header.hex()} is unknown")
        shape = tuple(int.from_bytes(header[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))
        spec = cls(DType(code), shape)
        if spec.header != header:
            raise BadEncoding(f"header {header.hex()} is not canonical")
        return spec

    def leaves_of(self, first: int, count: int) -> tuple[int, int]:
        """First and last leaf of the run of `count` elements from `first`. Raises BadEncoding if outside."""
        if count < 1 or not 0 <= first <= first + count <= self.elements:
            raise BadEncoding(f"elements {first}..{first + count - 1} are outside 0..{self.elements - 1}")
        return first * self.dtype.width // LEAF_BYTES, ((first + count) * self.dtype.width - 1) // LEAF_BYTES


class Tensor:
    """One committed tensor: canonical bytes and their tree."""

    def __init__(self, spec: TensorSpec, data: bytes) -> None:
        if len(data) != spec.byte_length:
            raise BadEncoding(
                f"a tensor {spec.shape} of {spec.dtype.name} has {spec.byte_length} bytes, got {len(data)}"
            )
        self.spec = spec
        self.data = data
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """Built when first asked for: the fast path never is."""
        if self._tree is None:
            # Nothing lies over a single leaf, and of most tensors of an item there is no more.
            is_leaf = self.spec.leaf_count == 1
            lowest = [leaf_hash(self.data)] if is_leaf else _HASHING.lowest_levels(memoryview(self.data))
            self._tree = Tree.over(lowest)
        return self._tree

    @property
    def root(self) -> TensorRoot:
        return tensor_root(self.spec, self.tree.top)

    def leaf(self, index: int) -> bytes:
        return self.data[index * LEAF_BYTES : (index + 1) * LEAF_BYTES]

    def open_leaves(self, first: int, last: int, bundle_path: tuple[bytes, ...] = ()) -> Opening:
        """Opening of leaves `first..last`, inclusive."""
        leaves = self.data[first * LEAF_BYTES : (last + 1) * LEAF_BYTES]
        return Opening(leaves, self.tree.run_path(first, last), bundle_path)

    def open(self, first: int, count: int, bundle_path: tuple[bytes, ...] = ()) -> Opening:
        """Opening of the leaves that hold elements `first .. first + count`."""
        return self.open_leaves(*self.spec.leaves_of(first, count), bundle_path)


def hash_together(tensors: Iterable[Tensor]) -> None:
    """Builds the trees of many tensors, at less cost than one by one; those of the same bytes share theirs."""
    firsts: dict[tuple[int, bytes], Tensor] = {}
    own, twins = [], []
    for tensor in tensors:
        first = firsts.setdefault((len(tensor.data), tensor.leaf(0)), tensor)
        if first is not tensor and first.data == tensor.data:
            twins.append((tensor, first))
        elif tensor.spec.leaf_count > 1:
            own.append(tensor)
    for tensor, lowest in zip(own, _HASHING.levels_of([memoryview(tensor.data) for tensor in own]), strict=True):
        tensor._tree = Tree.over(lowest)
    for tensor, first in twins:
        tensor._tree = first.tree


class Bundle:
    """An ordered list of tensor roots under one root."""

    def __init__(self, roots: Sequence[TensorRoot]) -> None:
        self.roots = tuple(roots)
        # A model may have no weights: its bundle is the zero leaf under a count of zero.
        self._tree = Tree(self.roots or (ZERO_WORD,))

    @property
    def root(self) -> BundleRoot:
        return bundle_root(len(self.roots), self._tree.top)

    def path(self, index: int) -> tuple[bytes, ...]:
        return self._tree.path(index)


def leaf_hash(data: bytes) -> bytes:
    return sha256(LEAF_TAG + data)


def tensor_root(spec: TensorSpec, top: bytes) -> TensorRoot:
    return TensorRoot(sha256(TENSOR_TAG + spec.header + top))


def bundle_root(count: int, top: bytes) -> BundleRoot:
    return BundleRoot(sha256(BUNDLE_TAG + count.to_bytes(32, "big") + top))


def root_of_opening(spec: TensorSpec, opening: Opening, first: int, last: int) -> TensorRoot:
    """Tensor root that an opening of leaves `first..last` proves. Raises BadEncoding for a wrong length or path."""
    expected = min((last + 1) * LEAF_BYTES, spec.byte_length) - first * LEAF_BYTES
    if len(opening.leaves) != expected:
        raise BadEncoding(f"leaves {first}..{last} have {expected} bytes, got {len(opening.leaves)}")
    chunks = [opening.leaves[i : i + LEAF_BYTES] for i in range(0, expected, LEAF_BYTES)]
    top = top_of_run([leaf_hash(chunk) for chunk in chunks], first, spec.leaf_count, opening.siblings)
    return tensor_root(spec, top)


def root_of_bundle(root: TensorRoot, index: int, count: int, path: Sequence[bytes]) -> BundleRoot:
    """Bundle root that a tensor's path proves. Raises BadEncoding for a wrong path."""
    return bundle_root(count, top_of_run([root], index, count, path))
