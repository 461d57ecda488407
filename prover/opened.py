"""What is known of one opened trace: tensors its executor serves, and leaves it supplied on chain.

Everything is verified against the trace root before it counts. What is not known is named leaf by leaf, so that it can
be demanded. Knows no torch and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.blobs import BlobReader
from rollup.errors import BadEncoding, NotFound, RollupError
from rollup.graph import Graph, Source
from rollup.tensor import Bundle, Tensor, TensorSpec, root_of_bundle
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, LeafRef, Opening
from rollup.view import Page


class OpenedTrace:
    """Results of the steps of one run, as far as anybody has shown them. A bundle for prover/fault_proof.py.

    `length`: of how many steps there are results; a trace that overflows ends there.
    """

    def __init__(self, graph: Graph, root: BundleRoot, length: int | None = None) -> None:
        self._graph, self.root = graph, root
        self._length = len(graph.steps) if length is None else min(length, len(graph.steps))
        self._tensors: dict[int, Tensor] = {}
        # Of what was fetched, and of what was supplied on chain.
        self._bundle: Bundle | None = None
        self._paths: dict[int, tuple[bytes, ...]] = {}

    def tensor(self, index: int) -> Tensor:
        """Result of step `index`. Raises NotFound if nobody has shown all of it."""
        if index not in self._tensors:
            raise NotFound(f"the result of step {index} of trace 0x{self.root.hex()} is not served")
        return self._tensors[index]

    def path(self, index: int) -> tuple[bytes, ...]:
        return self._paths[index] if self._bundle is None else self._bundle.path(index)

    def knows(self, index: int) -> bool:
        return index in self._tensors

    def knows_step(self, number: int) -> bool:
        """Whether the result of a step and all results that it reads are known."""
        read = [operand.index for operand in self._graph.steps[number].operands if operand.source is Source.STEP]
        return self._tensors.keys() >= {number, *read}

    @property
    def missing(self) -> tuple[int, ...]:
        """Steps whose results are not known, in order."""
        return tuple(step for step in range(self._length) if step not in self._tensors)

    def fetch(self, blobs: BlobReader) -> None:
        """Takes what an endpoint serves of what is missing. What it does not serve, or serves wrong, stays missing."""
        try:
            bundle = blobs.get_bundle(self.root)
        except RollupError:
            return
        if len(bundle.roots) != len(self._graph.steps):
            return
        self._bundle, missing = bundle, self.missing
        # Where one is slow or away, or its share of this look is spent, the next look goes on from there.
        served = blobs.get_served([(bundle.roots[step], self._graph.steps[step].result) for step in missing])
        for step, tensor in zip(missing, served, strict=False):
            if tensor is not None:
                self._tensors[step] = tensor

    def take(self, pages: Sequence[Page]) -> None:
        """Takes results all of whose leaves were supplied on chain."""
        supplied: dict[int, dict[int, Opening]] = {}
        for page in pages:
            for position, opening in page.supplied:
                step = self._step_of(page.refs[position])
                if step is not None:
                    supplied.setdefault(step, {})[page.refs[position].leaf] = opening
        for step, leaves in supplied.items():
            self._take_step(step, self._graph.steps[step].result, leaves)

    def _take_step(self, step: int, spec: TensorSpec, leaves: dict[int, Opening]) -> None:
        if self.knows(step) or len(leaves) != spec.leaf_count:
            return
        tensor = Tensor(spec, b"".join(leaves[leaf].leaves for leaf in sorted(leaves)))
        path = leaves[0].bundle_path
        try:
            proven = root_of_bundle(tensor.root, step, len(self._graph.steps), path)
        except BadEncoding:
            return
        if proven == self.root:
            self._tensors[step], self._paths[step] = tensor, path

    def _step_of(self, ref: LeafRef) -> int | None:
        """The step whose result a ref names; None for inputs, weights and the claimed output."""
        if ref.step == len(self._graph.steps):
            return None
        if ref.slot == 0:
            return ref.step
        operand = self._graph.steps[ref.step].operands[ref.slot - 1]
        return operand.index if operand.source is Source.STEP else None

    def leaves_to_demand(self, limit: int = MAX_DEMAND_LEAVES) -> tuple[LeafRef, ...]:
        """All leaves of missing results, from the output backwards, whole results only, at most `limit`."""
        refs: list[LeafRef] = []
        for step in reversed(self.missing):
            count = self._graph.steps[step].result.leaf_count
            if len(refs) + count > limit:
                # One leaf of a result that does not fit still has to be supplied or lost over.
                refs.extend([LeafRef(step, 0, 0)] if len(refs) < limit else [])
                break
            refs.extend(LeafRef(step, 0, leaf) for leaf in range(count))
        return tuple(refs)
