"""Leaves of one run on demand: of inputs, weights and trace, each opened up to its bundle's root, and of the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rollup.blobs import Blobs
from rollup.chain.disputes import Supply
from rollup.graph import Graph, Source
from rollup.tensor import Bundle, Tensor
from rollup.types import BundleRoot, LeafRef, Opening, TensorRoot
from rollup.view import Page


@dataclass(frozen=True)
class Run:
    """What an opened run consists of. `output`: what its claim holds of the output, whole or by root."""

    graph: Graph
    inputs: tuple[Tensor, ...]
    weights_root: BundleRoot
    trace_root: BundleRoot
    output: bytes


class Shelf:
    """Reads a tensor when one of its leaves is first asked for."""

    def __init__(self, blobs: Blobs, run: Run) -> None:
        self._blobs = blobs
        self._graph, self._output = run.graph, run.output
        self._bundles = {
            Source.INPUT: Bundle([tensor.root for tensor in run.inputs]),
            Source.WEIGHT: blobs.get_bundle(run.weights_root),
            Source.STEP: blobs.get_bundle(run.trace_root),
        }
        self._tensors = {(Source.INPUT, place): tensor for place, tensor in enumerate(run.inputs)}

    def supply(self, page: Page, positions: Sequence[int]) -> Supply:
        """Arguments of a `supply` call for some positions of a demand page."""
        refs = [page.refs[position] for position in positions]
        return Supply(
            page.number,
            page.refs,
            tuple(positions),
            tuple(self._graph.step_proof(ref.step) for ref in refs),
            tuple(self._open(ref) for ref in refs),
        )

    def _open(self, ref: LeafRef) -> Opening:
        if ref.step == len(self._graph.steps):
            return self._claimed.open_leaves(ref.leaf, ref.leaf)
        source, index = Source.STEP, ref.step
        if ref.slot:
            operand = self._graph.steps[ref.step].operands[ref.slot - 1]
            source, index = operand.source, operand.index
        return self._tensor(source, index).open_leaves(ref.leaf, ref.leaf, self._bundles[source].path(index))

    @cached_property
    def _claimed(self) -> Tensor:
        return self._blobs.get_tensor(TensorRoot(self._output))

    def _tensor(self, source: Source, index: int) -> Tensor:
        if (source, index) not in self._tensors:
            self._tensors[source, index] = self._blobs.get_tensor(self._bundles[source].roots[index])
        return self._tensors[source, index]
