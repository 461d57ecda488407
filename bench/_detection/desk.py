"""A watchtower's desk without a chain: traces are opened before its checker, and whatever it proves is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from bench._subjects import Subject
from executor.models import LoadedModel
from executor.network import Network
from executor.runner import Runner
from executor.tensors import bits_of_f32_above, to_canonical
from executor.trace import Trace
from prover.checker import Checker
from prover.fault_proof import Evidence
from prover.known import Held
from prover.opened import OpenedTrace
from rollup.blobs import BlobReader, Blobs
from rollup.errors import NotFound
from rollup.graph import Numerics
from rollup.judge.judge import judge
from rollup.types import (
    INLINE_OUTPUT_BYTES,
    BundleRoot,
    Committed,
    Model,
    NumericsRoot,
    Verdict,
    Windows,
)

_WINDOWS = Windows(60, 60, 60, 60, 60)


class Shelf:
    """Blobs in memory."""

    def __init__(self) -> None:
        self._blobs: dict[bytes, bytes] = {}

    def read(self, name: bytes, limit: int) -> bytes:
        if name not in self._blobs:
            raise NotFound(f"no blob 0x{name.hex()}")
        return self._blobs[name]

    def write(self, name: bytes, data: bytes) -> None:
        self._blobs[name] = data

    def exists(self, name: bytes) -> bool:
        return name in self._blobs


@dataclass(frozen=True)
class Bands:
    """Absolute, of the output."""

    output: float
    slash: float


class Desk:
    """One model as its watchtower knows it."""

    def __init__(self, network: Network, numerics: Numerics, bands: Bands) -> None:
        self._network, self._numerics, self._bands = network, numerics, bands
        self._weights = Held([to_canonical(weight) for weight in network.weights])
        self.checker = Checker(LoadedModel(self.record, network, numerics, Runner(network)))

    @classmethod
    def of(cls, subject: Subject) -> Desk:
        """A model's, calibrated."""
        found = subject.calibration
        return cls(subject.network, found.numerics, Bands(found.output_band, found.slash_band))

    @cached_property
    def record(self) -> Model:
        """What the registry would hold."""
        graph, numerics = self._network.graph, self._numerics
        return Model(
            graph_root=graph.root,
            graph_header=graph.header,
            weights_root=self._weights.bundle.root,
            numerics_root=NumericsRoot(numerics.root),
            numerics_header=numerics.header,
            inputs=(),
            output_header=graph.output.header,
            output_band=bits_of_f32_above(self._bands.output),
            slash_band=bits_of_f32_above(self._bands.slash),
            min_bond_gas=0,
            windows=_WINDOWS,
        )

    def evidence(self, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> Evidence:
        """All that faults of this trace are shown from."""
        trace = Trace.of(list(results))
        return self._evidence(inputs, trace, self._opened(trace, self.served(trace)))

    def served(self, trace: Trace) -> Shelf:
        """What an executor serves of a trace."""
        shelf = Shelf()
        Blobs(shelf).put_tensors(list(trace.tensors))
        return shelf

    def verdict(self, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> Verdict:
        """The judge's, on the gravest fault that the checker finds in this trace, claimed with its own output."""
        trace = Trace.of(list(results))
        return self.opened_verdict(inputs, trace, self.served(trace))

    def opened_verdict(self, inputs: Sequence[Tensor], trace: Trace, shelf: Shelf) -> Verdict:
        """The same of a trace that is served already: it is fetched, hashed and checked."""
        opened = self._opened(trace, shelf)
        evidence = self._evidence(inputs, trace, opened)
        proof = self.checker.find_fault(evidence, opened)
        return Verdict.NO_FAULT if proof is None else judge(evidence.committed, proof)

    def _opened(self, trace: Trace, shelf: Shelf) -> OpenedTrace:
        opened = OpenedTrace(self._network.graph, trace.root)
        opened.fetch(BlobReader(shelf))
        return opened

    def _evidence(self, inputs: Sequence[Tensor], trace: Trace, opened: OpenedTrace) -> Evidence:
        held = Held([to_canonical(tensor) for tensor in inputs])
        output = trace.tensors[-1]
        is_inline = output.spec.byte_length <= INLINE_OUTPUT_BYTES
        record = self.record
        committed = Committed(
            graph_root=record.graph_root,
            graph_header=record.graph_header,
            inputs_root=held.bundle.root,
            weights_root=record.weights_root,
            trace_root=BundleRoot(trace.root),
            numerics_root=record.numerics_root,
            numerics_header=record.numerics_header,
            output_header=record.output_header,
            output_band=record.output_band,
            slash_band=record.slash_band,
            claimed_output=output.data if is_inline else output.root,
            undefined=False,
        )
        claimed = None if is_inline else output
        return Evidence(committed, self._network.graph, self._numerics, held, self._weights, opened, claimed)
