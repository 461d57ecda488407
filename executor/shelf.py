"""Leaves of one run on demand: inputs, weights and trace, each opened up to its bundle's root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.blobs import Blobs
from rollup.chain.disputes import Supply
from rollup.graph import Graph, Source
from rollup.tensor import Bundle, Tensor
from rollup.types import BundleRoot, LeafRef, Opening, StepProof
from rollup.view import Page


@dataclass(frozen=True)
class Run:
    """What an opened run consists of."""

    graph: Graph
    inputs: tuple[Tensor, ...]
    weights_root: BundleRoot
    trace_root: BundleRoot


class Shelf:
    """Reads a tensor when one of its leaves is first asked for."""

    def __init__(self, blobs: Blobs, run: Run) -> None:
        self._blobs = blobs
        self._graph = run.graph
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
            tuple(StepProof(self._graph.steps[ref.step].record, self._graph.step_path(ref.step)) for ref in refs),
            tuple(self._open(ref) for ref in refs),
        )

    def _open(self, ref: LeafRef) -> Opening:
        source, index = Source.STEP, ref.step
        if ref.slot:
            operand = self._graph.steps[ref.step].operands[ref.slot - 1]
            source, index = operand.source, operand.index
        return self._tensor(source, index).open_leaves(ref.leaf, ref.leaf, self._bundles[source].path(index))

    def _tensor(self, source: Source, index: int) -> Tensor:
        if (source, index) not in self._tensors:
            self._tensors[source, index] = self._blobs.get_tensor(self._bundles[source].roots[index])
        return self._tensors[source, index]
