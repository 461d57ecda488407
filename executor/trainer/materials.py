"""What a training is made from: architecture, scorer, data, and the whole masked pool; fetched, checked, and held.

All of it is here before weights are committed, so that a revealed key is all that is waited for then. Every blob is
compared with its root, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.blobs import BlobReader, Blobs
from rollup.errors import BadEncoding, BadInput, NotFound
from rollup.inputs import split_inputs
from rollup.merkle import keccak256
from rollup.package import Package, load_program, load_weights
from rollup.properties.pool import Pool, masked
from rollup.properties.types import TrainingTerms
from rollup.tensor import Tensor, TensorSpec
from rollup.types import ZERO_WORD, BundleRoot, InputSpec, Model


class Sources:
    """Blobs of one's own first, then those of endpoints that the operator named. What is fetched is kept."""

    def __init__(self, blobs: Blobs, remotes: Sequence[BlobReader] = ()) -> None:
        self._blobs, self._readers = blobs, (blobs, *remotes)

    def read(self, name: bytes, limit: int) -> bytes:
        """The bytes under a name, unverified. Raises NotFound where nobody has them, Unavailable, BadEncoding."""
        for reader in self._readers:
            try:
                return reader.get_named(name, bytes, limit)
            except NotFound:
                continue
        raise NotFound(f"no blob 0x{name.hex()} is here or at {len(self._readers) - 1} other places")

    @property
    def reader(self) -> BlobReader:
        """Reads and verifies, from wherever a blob is."""
        return BlobReader(self)

    def hold(self, tensors: Sequence[Tensor]) -> None:
        """Keeps what was fetched."""
        self._blobs.put_tensors(list(tensors))

    def item(self, root: BundleRoot, specs: Sequence[InputSpec]) -> list[Tensor]:
        """The tensors of an item, masked or not. Raises BadInput for another number, BadEncoding for other shapes."""
        roots = self.reader.get_bundle(root).roots
        if len(roots) != len(specs):
            raise BadInput(f"the item 0x{root.hex()} has {len(roots)} tensors, the scorer takes {len(specs)}")
        shapes = [TensorSpec.from_header(spec.header) for spec in specs]
        return [self.reader.get_tensor(tensor, shape) for tensor, shape in zip(roots, shapes, strict=True)]

    def hold_pool(self, root: bytes, count: int) -> Pool:
        """The pool under a root. Raises BadEncoding for one that is not the one named, or has not `count` items."""
        pool = self.reader.get_pool(root)
        if len(pool.entries) != count:
            raise BadEncoding(f"the pool 0x{root.hex()} has {len(pool.entries)} items, the request says {count}")
        self._blobs.put_pool(pool)
        return pool

    def recipe(self, digest: bytes) -> bytes | None:
        """The recipe that the requester suggests, if any. Raises BadEncoding for another text."""
        return None if digest == ZERO_WORD else self.reader.get_recipe(digest)


@dataclass(frozen=True)
class Materials:
    """`data`: one stacked tensor for each input of the scorer. `opened`: the scorer's inputs of each opened item."""

    architecture: Package
    data: tuple[Tensor, ...]
    opened: tuple[tuple[Tensor, ...], ...]


@dataclass(frozen=True)
class Sealed:
    """The pool as it is held, masked. `specs`: of the scorer's inputs."""

    sources: Sources
    pool: Pool
    specs: tuple[InputSpec, ...]

    def hidden(self, index: int) -> list[Tensor]:
        """Item `index`, masked."""
        return self.sources.item(self.pool.entries[index].masked_root, self.specs)

    def item(self, index: int, key: bytes) -> tuple[Tensor, ...]:
        """Item `index`, unmasked. Raises BadEncoding for another item's key, BadInput for what no scorer takes."""
        entry = self.pool.entries[index]
        if keccak256(key) != entry.key_hash:
            raise BadEncoding(f"the key is not that of item {index} of the pool")
        tensors = masked(key, self.hidden(index))
        try:
            split_inputs(self.specs, b"".join(tensor.data for tensor in tensors))
        except BadInput as error:
            raise BadInput(f"item {index} of the pool: {error}") from error
        return tuple(tensors)


def hold_sealed(sources: Sources, terms: TrainingTerms, scorer: Model) -> Sealed:
    """Fetches the whole pool. Raises NotFound where an item is nowhere."""
    pool = sources.hold_pool(terms.pool_root, terms.pool_count)
    for entry in pool.entries:
        sources.hold(sources.item(entry.masked_root, scorer.inputs))
    return Sealed(sources, pool, scorer.inputs)


def hold_data(sources: Sources, root: BundleRoot, scorer: Model, most_bytes: int) -> tuple[Tensor, ...]:
    """The training data. Raises BadInput unless it is the scorer's inputs, stacked; BadEncoding above `most_bytes`."""
    roots = sources.reader.get_bundle(root).roots
    if len(roots) != len(scorer.inputs):
        raise BadInput(f"the data 0x{root.hex()} are {len(roots)} tensors, the scorer takes {len(scorer.inputs)}")
    tensors = BlobReader(sources, most_bytes).get_tensors(root)
    count = tensors[0].spec.shape[:1]
    for tensor, spec in zip(tensors, scorer.inputs, strict=True):
        one = TensorSpec.from_header(spec.header)
        if tensor.spec != TensorSpec(one.dtype, (*count, *one.shape[1:])):
            raise BadInput(f"the data hold a {tensor.spec}, the scorer takes {one} of each item")
    sources.hold(tensors)
    return tuple(tensors)


def load_architecture(sources: Sources, record: Model) -> Package:
    """The architecture with the weights that it was registered with."""
    program, _ = load_program(sources.reader, record.graph_root)
    return Package(program, load_weights(sources.reader, record.weights_root, program))
