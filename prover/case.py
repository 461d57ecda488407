"""One claim under examination: what the watchtower knows of it, and the opinion that follows.

Looks are taken one after another, the dear ones only when the cheap ones ask for them. Decides no move (strategy.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prover.checker import Checker
from prover.fault_proof import Evidence
from prover.opened import OpenedTrace
from prover.position import Fault, Opinion
from rollup.blobs import BlobReader
from rollup.graph import Graph, Numerics
from rollup.judge.judge import judge
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import INLINE_OUTPUT_BYTES, BundleRoot, ClaimId, Committed, Model
from rollup.view import Page


class Held:
    """A bundle whose tensors are all at hand."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = tuple(tensors)
        self.bundle = Bundle([tensor.root for tensor in tensors])

    def tensor(self, index: int) -> Tensor:
        return self._tensors[index]

    def path(self, index: int) -> tuple[bytes, ...]:
        return self.bundle.path(index)


@dataclass(frozen=True)
class Known:
    """A model as a case needs it: its record, graph, numerics, weights and checker."""

    record: Model
    graph: Graph
    numerics: Numerics
    weights: Held
    checker: Checker


@dataclass
class Case:
    """`entry_output`: what the claim holds, bytes or a root; `output`: the canonical bytes of the claimed tensor."""

    claim: ClaimId
    known: Known
    inputs: Held
    entry_output: bytes
    output: bytes
    opinion: Opinion = field(default_factory=Opinion)
    trace: OpenedTrace | None = None
    # What was missing when the trace was last checked: it is checked again when more of it is known.
    _checked: tuple[int, ...] | None = None

    @property
    def input_bytes(self) -> list[bytes]:
        return [self.inputs.tensor(index).data for index in range(len(self.known.record.inputs))]

    def look_again(self) -> None:
        """The second, independent evaluation."""
        second = self.known.checker.second_deviation(self.input_bytes, self.output)
        self.opinion = replace(self.opinion, second=second)

    def look_at_trace(self, root: BundleRoot, served: BlobReader | None, pages: Sequence[Page]) -> None:
        """Checks what is known of the opened trace. Raises Doubt if two evaluations of it disagree."""
        if self.trace is None or self.trace.root != root:
            self.trace = OpenedTrace(self.known.graph, root)
            self._checked = None
        if served is not None and self.trace.missing:
            self.trace.fetch(served)
        self.trace.take(pages)
        if self._checked != self.trace.missing:
            self.opinion = self._opinion_of(self.trace)
            self._checked = self.trace.missing

    def _opinion_of(self, trace: OpenedTrace) -> Opinion:
        evidence = self._evidence(trace)
        proof = self.known.checker.find_fault(evidence, trace)
        fault = None if proof is None else Fault(evidence.committed, proof, judge(evidence.committed, proof))
        return replace(self.opinion, fault=fault, missing=trace.leaves_to_demand())

    def _evidence(self, trace: OpenedTrace) -> Evidence:
        known, record = self.known, self.known.record
        committed = Committed(
            graph_root=record.graph_root,
            graph_header=record.graph_header,
            inputs_root=self.inputs.bundle.root,
            weights_root=record.weights_root,
            trace_root=trace.root,
            numerics_root=record.numerics_root,
            numerics_header=record.numerics_header,
            output_header=record.output_header,
            output_band=record.output_band,
            slash_band=record.slash_band,
            claimed_output=self.entry_output,
        )
        claimed = None if self._is_inline else Tensor(known.graph.output, self.output)
        return Evidence(committed, known.graph, known.numerics, self.inputs, known.weights, trace, claimed)

    @property
    def _is_inline(self) -> bool:
        return TensorSpec.from_header(self.known.record.output_header).byte_length <= INLINE_OUTPUT_BYTES
