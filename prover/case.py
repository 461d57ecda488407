"""One claim under examination: what the watchtower knows of it, and the opinion that follows.

Looks are taken one after another, the dear ones only when the cheap ones ask for them. Decides no move (strategy.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prover.fault_proof import Evidence
from prover.known import Held, Known
from prover.opened import OpenedTrace
from prover.output import output_leaves, supplied_output
from prover.position import Fault, Opinion
from prover.strategy import REACH, may_overflow
from rollup.blobs import BlobReader
from rollup.codec import Overflow
from rollup.errors import NotFound
from rollup.judge.judge import judge
from rollup.tensor import Tensor
from rollup.types import INLINE_OUTPUT_BYTES, MAX_DEMAND_LEAVES, BundleRoot, ClaimId, Committed, TensorRoot
from rollup.view import Page


@dataclass
class Case:
    """`entry_output`: what the claim holds, bytes or a root, or the overflow it names if `undefined`; `output`: the
    canonical bytes of the claimed tensor, None while nobody has shown it, or if there is none."""

    claim: ClaimId
    known: Known
    inputs: Held
    entry_output: bytes
    output: bytes | None
    undefined: bool = False
    opinion: Opinion = field(default_factory=Opinion)
    trace: OpenedTrace | None = None
    # What was missing when the trace was last checked, and whether the output was: checked again when more is known.
    _checked: tuple[tuple[int, ...], bool] | None = None

    def __post_init__(self) -> None:
        self.opinion = replace(self.opinion, is_unserved=self.is_unserved)

    @property
    def is_unserved(self) -> bool:
        """Whether there is a claimed output that nobody has shown."""
        return self.output is None and not self.undefined

    @property
    def shown_output(self) -> bytes:
        """The claimed output. Raises NotFound while nobody has shown it."""
        if self.output is None:
            raise NotFound(f"nobody serves the claimed output 0x{self.entry_output.hex()}")
        return self.output

    @property
    def input_bytes(self) -> list[bytes]:
        return [tensor.data for tensor in self.inputs.tensors]

    @property
    def is_doubted(self) -> bool:
        """Whether the cheap look found the output beyond reach. NaN is beyond."""
        return self.opinion.deviation is not None and not self.opinion.deviation <= REACH

    @property
    def is_incomparable(self) -> bool:
        """Whether a number is claimed where my own run makes none, and another's may."""
        return may_overflow(self.opinion)

    def take_output(self, output: bytes | None) -> None:
        """Takes the claimed output, as soon as somebody has shown it."""
        self.output = output
        self.opinion = replace(self.opinion, is_unserved=self.is_unserved)

    def take_supplied(self, pages: Sequence[Page]) -> None:
        """Takes the claimed output from leaves that were supplied on chain, if all were."""
        self.take_output(supplied_output(self.known.graph, TensorRoot(self.entry_output), pages))

    def look(self, deviation: float) -> None:
        """Takes the cheap look's result; if that is beyond reach, the second, independent evaluation as well."""
        self.opinion = replace(self.opinion, deviation=deviation)
        if self.is_doubted:
            second = self.known.checker.second_deviation(self.input_bytes, self.shown_output)
            self.opinion = replace(self.opinion, second=second)

    def look_for_overflow(self) -> None:
        """Both looks at a claim that names an overflow: where one run has it, the claim is left alone."""
        checker, place = self.known.checker.overflows, Overflow.decode(self.entry_output)
        self.opinion = replace(self.opinion, deviation=checker.deviation(self.input_bytes, place))
        if self.is_doubted:
            self.opinion = replace(self.opinion, second=checker.second_deviation(self.input_bytes, place))

    def look_at_trace(self, root: BundleRoot, served: BlobReader, pages: Sequence[Page]) -> None:
        """Checks what is known of the opened trace; what was asked for on chain already is not missing any more.

        Raises Doubt if two evaluations of it disagree; once, until more of it is known.
        """
        if self.trace is None or self.trace.root != root:
            self.trace = OpenedTrace(self.known.graph, root, self._trace_length)
            self.opinion = replace(self.opinion, fault=None)
            self._checked = None
        if self.trace.missing:
            self.trace.fetch(served)
        self.trace.take(pages)
        asked = {ref for page in pages for ref in page.refs}
        # The output first: without it a fault of the link can be neither found nor shown.
        unserved = output_leaves(self.known.graph) if self.is_unserved else ()
        wanted = unserved + self.trace.leaves_to_demand(MAX_DEMAND_LEAVES - len(unserved))
        self.opinion = replace(self.opinion, missing=tuple(ref for ref in wanted if ref not in asked))
        unchecked = (self.trace.missing, self.output is None)
        if self._checked != unchecked:
            self._checked = unchecked
            self.opinion = replace(self.opinion, fault=self._find_fault(self.trace))

    @property
    def _trace_length(self) -> int | None:
        return Overflow.decode(self.entry_output).step + 1 if self.undefined else None

    def _find_fault(self, trace: OpenedTrace) -> Fault | None:
        evidence = self._evidence(trace)
        proof = self.known.checker.find_fault(evidence, trace)
        return None if proof is None else Fault(evidence.committed, proof, judge(evidence.committed, proof))

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
            undefined=self.undefined,
            claimed_output=self.entry_output,
        )
        is_inline = known.graph.output.byte_length <= INLINE_OUTPUT_BYTES
        claimed = None if is_inline or self.output is None else Tensor(known.graph.output, self.output)
        return Evidence(committed, known.graph, known.numerics, self.inputs, known.weights, trace, claimed)
