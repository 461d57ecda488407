"""Cases without a chain: a claim on the small model, its opened trace, and who serves what of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from executor.models import LoadedModel
from executor.tensors import canonical_bytes, f32_of_bits, to_canonical
from executor.trace import Results, Trace
from prover.case import Case
from prover.checker import Checker
from prover.fault_proof import Evidence
from prover.known import Held, Known
from prover.opened import OpenedTrace
from prover.position import Fault
from rollup.blobs import BlobReader, Blobs
from rollup.errors import NotFound, Unavailable
from rollup.types import INLINE_OUTPUT_BYTES, BundleRoot, ClaimId, LeafRef
from rollup.view import Page
from tests.chain_fixture import anvil_key

CLAIM = ClaimId(b"\7" * 32)


class Shelf:
    """Blobs in memory. `slow` names are never answered; `asked` counts."""

    def __init__(self) -> None:
        self.blobs: dict[bytes, bytes] = {}
        self.slow: set[bytes] = set()
        self.asked: list[bytes] = []

    def read(self, name: bytes, limit: int) -> bytes:
        self.asked.append(name)
        if name in self.slow:
            raise Unavailable("too slow")
        if name not in self.blobs:
            raise NotFound("not here")
        return self.blobs[name]

    def write(self, name: bytes, data: bytes) -> None:
        self.blobs[name] = data

    def exists(self, name: bytes) -> bool:
        return name in self.blobs


def serving(trace: Trace, withheld: Sequence[int] = ()) -> Shelf:
    """All tensors of a trace but some."""
    shelf = Shelf()
    Blobs(shelf).put_tensors(list(trace.tensors))
    for step in withheld:
        del shelf.blobs[trace.tensors[step].root]
    return shelf


def reader(shelf: Shelf) -> BlobReader:
    return BlobReader(shelf)


def case_of(model: LoadedModel, checker: Checker, inputs: Sequence[torch.Tensor], output: bytes) -> Case:
    weights = Held([to_canonical(weight) for weight in model.network.weights])
    known = Known(model.record, model.network.graph, model.numerics, weights, checker)
    held = Held([to_canonical(tensor) for tensor in inputs])
    entry = output
    if len(output) > INLINE_OUTPUT_BYTES:
        entry = type(held.tensors[0])(model.network.graph.output, output).root
    return Case(CLAIM, known, held, entry, output)


def opened(case: Case, trace: Trace, withheld: Sequence[int] = ()) -> tuple[Evidence, OpenedTrace]:
    """What the checker is given when somebody served that much of a trace."""
    shown = OpenedTrace(case.known.graph, trace.root)
    shown.fetch(reader(serving(trace, withheld)))
    return case._evidence(shown), shown


def changed(results: Results, step: int, element: int, value: float) -> Results:
    """The same results, but for one element."""
    wrong = [result.clone() for result in results]
    wrong[step].view(-1)[element] = value
    return wrong


def page_of(trace: Trace, refs: Sequence[LeafRef], supplied: Iterable[int], number: int = 0) -> Page:
    """A demand of results' leaves, and the executor's answer."""
    openings = []
    for position in supplied:
        ref = refs[position]
        path = trace.bundle.path(ref.step)
        openings.append((position, trace.tensors[ref.step].open_leaves(ref.leaf, ref.leaf, path)))
    return Page(number, anvil_key(0).address, 1, tuple(refs), tuple(openings))


def leaves_of(trace: Trace, step: int) -> list[LeafRef]:
    return [LeafRef(step, 0, leaf) for leaf in range(trace.tensors[step].spec.leaf_count)]


def fault_of(case: Case) -> Fault | None:
    return case.opinion.fault


def band_of(model: LoadedModel) -> float:
    return f32_of_bits(model.record.output_band)


def run(model: LoadedModel, inputs: Sequence[torch.Tensor]) -> bytes:
    return model.runner.run([[canonical_bytes(tensor) for tensor in inputs]])[0]


def no_trace() -> BundleRoot:
    return BundleRoot(bytes(32))
