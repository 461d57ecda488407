"""The bytes of each kind of blob, and the check that they are what their name says.

Tensor: header word | canonical bytes, under the tensor root. Bundle: 32 bytes per tensor root, under the bundle root.
Numerics: header word | one u32 per step, under the numerics root. Pool: 64 bytes an item, under the pool root. Recipe:
any bytes, under their SHA-256. Anything else (a program under its graph root) is checked by a function of the caller's.
Knows nothing of where blobs lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from rollup.errors import BadEncoding, Refused, Retry
from rollup.graph import MAX_STEPS, Numerics
from rollup.merkle import sha256
from rollup.numerics import Profile
from rollup.properties.pool import ENTRY_BYTES, Pool
from rollup.properties.types import MAX_OPENED_ITEMS, MAX_SCORED_ITEMS
from rollup.tensor import Bundle, Tensor, TensorSpec, hash_together
from rollup.types import BundleRoot, NumericsRoot, TensorRoot

# Largest blob that is read whole: 2 GiB, far above any tensor that a fault proof can be built for in time.
MAX_BLOB_BYTES = 2**31
# A bundle holds at most the trace of the largest graph.
MAX_BUNDLE_BYTES = 32 * MAX_STEPS
MAX_NUMERICS_BYTES = 32 + 4 * MAX_STEPS
# A pool whose sealed items are all scored, and its opened ones.
MAX_POOL_BYTES = ENTRY_BYTES * (MAX_SCORED_ITEMS + MAX_OPENED_ITEMS)
MAX_RECIPE_BYTES = 2**20

T = TypeVar("T")


class BlobSource(Protocol):
    """Where blobs are read."""

    def read(self, name: bytes, limit: int) -> bytes:
        """The whole blob. Raises NotFound, Unavailable, and BadEncoding, before it allocates, above `limit` bytes."""


class BlobStore(BlobSource, Protocol):
    """Where blobs are also written."""

    def write(self, name: bytes, data: bytes) -> None:
        """All or nothing, and durable when it returns. Raises Unavailable."""

    def exists(self, name: bytes) -> bool: ...


class BlobReader:
    """Reads and verifies. Every method raises NotFound, Unavailable, and BadEncoding where bytes and name differ."""

    def __init__(self, source: BlobSource, max_bytes: int = MAX_BLOB_BYTES) -> None:
        self._source = source
        self._max_bytes = max_bytes

    def get_tensor(self, root: TensorRoot, spec: TensorSpec | None = None) -> Tensor:
        """The tensor under `root`; where the caller knows its `spec`, no other is taken and nothing larger is read."""
        tensor = self._read_tensor(root, spec)
        _require_name(root, tensor.root)
        return tensor

    def get_served(self, wanted: Sequence[tuple[TensorRoot, TensorSpec]]) -> list[Tensor | None]:
        """The tensors under these roots, hashed together; None for what is not served, or served wrong.

        Ends early, with fewer, at the first that would have to be asked for again.
        """
        read: list[Tensor | None] = []
        for root, spec in wanted:
            try:
                read.append(self._read_tensor(root, spec))
            except Retry:
                break
            except Refused:
                read.append(None)
        hash_together(tensor for tensor in read if tensor is not None)
        return [tensor and self._verified(tensor, root) for tensor, (root, _) in zip(read, wanted, strict=False)]

    def _read_tensor(self, root: TensorRoot, spec: TensorSpec | None) -> Tensor:
        """What lies under `root`, unverified but for its `spec`."""
        limit = self._max_bytes if spec is None else min(self._max_bytes, 32 + spec.byte_length)
        data = self._source.read(root, limit)
        header = data[:32]
        if spec is not None and header == spec.header:
            return Tensor(spec, data[32:])
        tensor = Tensor(TensorSpec.from_header(header), data[32:])
        if spec is not None:
            raise BadEncoding(f"blob 0x{root.hex()} is a {tensor.spec}, expected {spec}")
        return tensor

    def _verified(self, tensor: Tensor, root: TensorRoot) -> Tensor | None:
        """The tensor under `root`: this one, or what else is served for it."""
        if tensor.root == root:
            return tensor
        with suppress(Refused, Retry):
            return self.get_tensor(root, tensor.spec)
        return None

    def get_bundle(self, root: BundleRoot) -> Bundle:
        """The list of tensor roots under `root`."""
        data = self._source.read(root, MAX_BUNDLE_BYTES)
        if len(data) % 32:
            raise BadEncoding(f"blob 0x{root.hex()} has {len(data)} bytes, no list of 32-byte roots")
        bundle = Bundle([TensorRoot(data[i : i + 32]) for i in range(0, len(data), 32)])
        _require_name(root, bundle.root)
        return bundle

    def get_tensors(self, root: BundleRoot) -> list[Tensor]:
        """All tensors of a bundle, in order."""
        return [self.get_tensor(tensor) for tensor in self.get_bundle(root).roots]

    def get_numerics(self, root: NumericsRoot) -> Numerics:
        """The calibrated factors under `root`."""
        data = self._source.read(root, MAX_NUMERICS_BYTES)
        if len(data) < 36 or len(data) % 4:
            raise BadEncoding(f"blob 0x{root.hex()} has {len(data)} bytes, no numerics")
        numerics = Numerics(
            tuple(int.from_bytes(data[i : i + 4], "big") for i in range(32, len(data), 4)),
            Profile.from_header(data[:32]),
        )
        _require_name(root, numerics.root)
        return numerics

    def get_pool(self, root: bytes) -> Pool:
        """The leaves of a training's pool under `root`."""
        pool = Pool.decode(self._source.read(root, MAX_POOL_BYTES))
        _require_name(root, pool.root)
        return pool

    def get_recipe(self, digest: bytes) -> bytes:
        """The recipe that a requester suggests, under its SHA-256."""
        recipe = self._source.read(digest, MAX_RECIPE_BYTES)
        _require_name(digest, sha256(recipe))
        return recipe

    def get_named(self, name: bytes, check: Callable[[bytes], T], max_bytes: int | None = None) -> T:
        """What `check` makes of the bytes under `name`; it raises BadEncoding where they do not hash to that name."""
        return check(self._source.read(name, self._max_bytes if max_bytes is None else max_bytes))

    def read(self, name: bytes) -> bytes:
        """Bytes as they lie there, unverified: for passing them on to somebody who verifies."""
        return self._source.read(name, self._max_bytes)


class Blobs(BlobReader):
    """Reads, verifies and writes. Writing what is there already does nothing: a name has one content."""

    def __init__(self, store: BlobStore, max_bytes: int = MAX_BLOB_BYTES) -> None:
        super().__init__(store, max_bytes)
        self._store = store

    def put_tensor(self, tensor: Tensor) -> TensorRoot:
        self.put_named(tensor.root, tensor.spec.header + tensor.data)
        return tensor.root

    def put_bundle(self, bundle: Bundle) -> BundleRoot:
        self.put_named(bundle.root, b"".join(bundle.roots))
        return bundle.root

    def put_tensors(self, tensors: list[Tensor]) -> BundleRoot:
        """Stores tensors, then the bundle that names them, so that what a stored bundle names is there."""
        return self.put_bundle(Bundle([self.put_tensor(tensor) for tensor in tensors]))

    def put_numerics(self, numerics: Numerics) -> NumericsRoot:
        factors = b"".join(factor.to_bytes(4, "big") for factor in numerics.factors)
        self.put_named(numerics.root, numerics.header + factors)
        return numerics.root

    def put_pool(self, pool: Pool) -> bytes:
        self.put_named(pool.root, pool.encoded)
        return pool.root

    def put_recipe(self, recipe: bytes) -> bytes:
        """Raises BadEncoding for a recipe that nobody would read."""
        if len(recipe) > MAX_RECIPE_BYTES:
            raise BadEncoding(f"a recipe of {len(recipe)} bytes is above {MAX_RECIPE_BYTES}")
        digest = sha256(recipe)
        self.put_named(digest, recipe)
        return digest

    def put_named(self, name: bytes, data: bytes) -> None:
        """Stores bytes under a name whose truth the caller vouches for. Raises BadEncoding above the size limit."""
        if len(name) != 32:
            raise BadEncoding(f"a blob's name has 32 bytes, got {len(name)}")
        if len(data) > self._max_bytes:
            raise BadEncoding(f"a blob of {len(data)} bytes is above {self._max_bytes}")
        if not self._store.exists(name):
            self._store.write(name, data)

    def exists(self, name: bytes) -> bool:
        return self._store.exists(name)


def _require_name(expected: bytes, received: bytes) -> None:
    if expected != received:
        raise BadEncoding(f"blob 0x{expected.hex()} hashes to 0x{received.hex()}")
