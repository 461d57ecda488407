"""Inputs of claims: from the chain, from whoever serves them, or unmasked from the pool of a training.

Whatever they come from, they are checked against the root that the request names, and against the model's ranges: what
is outside them may crash whoever runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from prover.known import Held
from prover.pool_proof import Pooled
from prover.sources import Sources
from rollup.blobs import BlobReader
from rollup.errors import BadEncoding, NotFound
from rollup.inputs import split_inputs
from rollup.properties.pool import ENTRY_BYTES, Pool, masked
from rollup.tensor import Tensor, TensorSpec
from rollup.types import BundleRoot, InputSpec
from rollup.view import MadeClaim, MadeCommit, MadeScores, OrderedTraining, View


@dataclass(frozen=True)
class Paper:
    """A claim of scores of a training: the commitment it is of, and what the chain holds of both."""

    training: OrderedTraining
    commit: MadeCommit
    scores: MadeScores

    @cached_property
    def pooled(self) -> Pooled:
        return Pooled(self.scores.claim, self.training.training.terms, self.training.draw, self.training.pool_key)


def paper_of(view: View, scores: MadeScores) -> Paper | None:
    """What a claim of scores is about, if that is a training."""
    place = view.commit_of(scores.id)
    return None if place is None else Paper(*place, scores)


class PoolSource:
    """The pool of one revealed training, as somebody serves it."""

    def __init__(self, blobs: BlobReader, training: OrderedTraining) -> None:
        self._blobs, self._training = blobs, training

    @cached_property
    def pool(self) -> Pool:
        """Raises NotFound where nobody serves it."""
        terms = self._training.training.terms

        def check(data: bytes) -> Pool:
            pool = Pool.decode(data)
            if len(pool.entries) != terms.pool_count or pool.root != terms.pool_root:
                raise BadEncoding(f"blob 0x{terms.pool_root.hex()} is another pool")
            return pool

        return self._blobs.get_named(terms.pool_root, check, terms.pool_count * ENTRY_BYTES)

    @cached_property
    def unsound(self) -> frozenset[int]:
        """Pool indices of items whose keys do not follow from the pool's: nobody can say what they are."""
        return frozenset(self.pool.unsound(self._training.pool_key))

    def masked(self, pooled: Pooled, item: int) -> Held:
        """The masked tensors of a sealed item. Raises NotFound where one is not served."""
        root = self.pool.entries[pooled.draw.sealed_index(item)].masked_root
        return served(self._blobs, root, pooled.claim.model.inputs)

    def item(self, pooled: Pooled, item: int) -> list[Tensor]:
        """What a sealed item is: its tensors, unmasked. Raises NotFound where one is not served, or its key is lost."""
        if pooled.draw.sealed_index(item) in self.unsound:
            raise NotFound(f"the key of item {item} does not follow from the pool's")
        return masked(pooled.key_of(item), self.masked(pooled, item).tensors)


def served(blobs: BlobReader, root: BundleRoot, specs: Sequence[InputSpec]) -> Held:
    """Tensors under a bundle root. Raises NotFound where one is not served, BadEncoding if they are not of `specs`."""
    roots = blobs.get_bundle(root).roots
    if len(roots) != len(specs):
        raise BadEncoding(f"bundle 0x{root.hex()} has {len(roots)} inputs, the model takes {len(specs)}")
    pairs = zip(roots, specs, strict=True)
    return Held([blobs.get_tensor(name, TensorSpec.from_header(spec.header)) for name, spec in pairs])


def within(specs: Sequence[InputSpec], tensors: Sequence[Tensor]) -> Held:
    """Tensors inside their ranges. Raises BadInput for the first element that is not."""
    return Held(split_inputs(specs, b"".join(tensor.data for tensor in tensors)))


class Inputs:
    """Inputs of any claim, wherever they come from."""

    def __init__(self, sources: Sources) -> None:
        self._blobs = sources.all
        self._pools: dict[bytes, PoolSource] = {}

    def pool_of(self, training: OrderedTraining) -> PoolSource:
        if training.id not in self._pools:
            self._pools[training.id] = PoolSource(self._blobs, training)
        return self._pools[training.id]

    def of(self, view: View, claim: MadeClaim) -> Held:
        """Raises NotFound where nobody serves them, BadInput where they are out of range."""
        request = view.request(claim.request)
        specs = view.model(request.request.model).inputs
        if request.inputs:
            return Held(split_inputs(specs, request.inputs))
        scores = view.state.scores.get(claim.batch)
        paper = paper_of(view, scores) if scores is not None else None
        if paper is None:
            return served(self._blobs, request.request.inputs_root, specs)
        return self.item(paper, claim.index)

    def item(self, paper: Paper, index: int) -> Held:
        """The claimed inputs of a sealed item: the pool's if they are the same, else as served. Raises as `of` does."""
        claim = paper.scores.claim
        held = self.pooled(paper, index)
        if held is None or held.bundle.root != claim.scoring.items[index]:
            held = self.claimed(paper, index)
        return within(claim.model.inputs, held.tensors)

    def pooled(self, paper: Paper, index: int) -> Held | None:
        """What a sealed item is by the pool; None where that is not served or is no item, or nobody can know it."""
        with suppress(NotFound, BadEncoding):
            return Held(self.pool_of(paper.training).item(paper.pooled, index))
        return None

    def claimed(self, paper: Paper, index: int) -> Held:
        """The claimed inputs as somebody serves them. Raises NotFound."""
        claim = paper.scores.claim
        return served(self._blobs, claim.scoring.items[index], claim.model.inputs)

    def forget(self, view: View) -> None:
        """Drops pools of trainings of which nothing is watched any more."""
        watched = (view.state.scored_commits.get(id_) for id_ in view.state.active_scores)
        running = {*view.state.active_trainings, *(place[0] for place in watched if place is not None)}
        self._pools = {id_: pool for id_, pool in self._pools.items() if id_ in running}
