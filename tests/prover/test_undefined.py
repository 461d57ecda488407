"""Claims that a request overflows: true ones are left alone and become final, false ones fall, however they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from executor.overflow import find_overflow
from executor.tensors import canonical_bytes, to_canonical
from executor.trace import Trace, recompute
from prover.checker import Checker
from rollup.chain.claims import Claims
from rollup.codec import Overflow
from rollup.tensor import Bundle
from rollup.tensor import Tensor as Committed
from rollup.types import ZERO_WORD, Certainty, ClaimId, DisputeStatus, FaultKind, TensorRoot, Verdict
from tests.chain_fixture import KEEPER, Anvil
from tests.executor.nets import Clamped
from tests.prover.arena import TERMS, WINDOWS, Arena
from tests.prover.desk import case_of, fault_of, reader, serving

HUGE = 3e38
# The first contraction of the network: patches before it, what clamps after it.
SUMS = 1


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with Anvil() as chain:
        yield Arena(chain, tmp_path_factory.mktemp("arena"), Clamped(), replace(TERMS, hi=HUGE))


def bright() -> list[Tensor]:
    """An ordinary picture but for one pixel."""
    picture = torch.rand((1, 1, 8, 8), generator=torch.Generator().manual_seed(5))
    picture[0, 0, 3, 4] = HUGE
    return [picture]


def entry(arena: Arena, place: Overflow, results: Sequence[Tensor], served: bool = True) -> bytes:
    """What names `place`, over a trace of these results that ends there."""
    tensors: list[Committed] = [to_canonical(result) for result in results[: place.step + 1]]
    if served:
        for tensor in tensors:
            arena.blobs.put_tensor(tensor)
    roots = [tensor.root for tensor in tensors]
    roots += [TensorRoot(ZERO_WORD)] * (len(arena.model.network.graph.steps) - len(roots))
    bundle = Bundle(roots)
    return place.encoded + (arena.blobs.put_bundle(bundle) if served else bundle.root)


def lied(arena: Arena, place: Overflow, results: Sequence[Tensor] | None = None, served: bool = True) -> ClaimId:
    """A liar's claim that an ordinary request overflows at `place`."""
    inputs = [torch.rand((1, 1, 8, 8))]
    results = recompute(arena.model.network, inputs) if results is None else results
    return arena.told_undefined(arena.ask(inputs), entry(arena, place, results, served))


def test_a_bright_pixel__overflows_and_is_left_alone_until_it_is_final(arena: Arena) -> None:
    inputs = bright()
    data = [canonical_bytes(inputs[0])]
    found = find_overflow(arena.model, data)
    assert found is not None
    assert found.place.step == SUMS
    logits = np.frombuffer(arena.model.runner.run([data])[0], ">f4")
    assert np.isfinite(logits).all(), "the output shows nothing of it"
    request = arena.ask(inputs)
    claim = arena.told_undefined(request, found.store(arena.blobs))
    arena.look(2)
    assert arena.dispute(claim).status is DisputeStatus.NONE
    arena.anvil.warp(WINDOWS.challenge)
    made = arena.view.claims_of(arena.view.claim(claim))
    batch = arena.view.state.request_batches[made.batch.requests].batch
    arena.anvil.sender(KEEPER).send(Claims(arena.deployment).finalise(batch, made.batch))
    assert arena.certainty(claim) is Certainty.UNDEFINED
    assert arena.view.certainty(arena.view.request(request)) is Certainty.UNDEFINED


def test_an_ordinary_request_called_an_overflow__is_refuted_in_one_transaction(arena: Arena) -> None:
    claim = lied(arena, Overflow(SUMS, 7))
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    assert not any(arena.dispute(claim).challenger), "nobody had to challenge it"


@pytest.mark.parametrize("place", [Overflow(2**32 - 1, 0), Overflow(SUMS, 2**32 - 1), Overflow(0, 0)], ids=str)
def test_a_place_where_nothing_can_overflow__is_refuted(arena: Arena, place: Overflow) -> None:
    claim = lied(arena, place)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_an_overflow_made_up_in_the_trace__is_refuted_as_any_wrong_step(arena: Arena) -> None:
    inputs = [torch.rand((1, 1, 8, 8))]
    results = recompute(arena.model.network, inputs)
    results[SUMS].reshape(-1)[7] = torch.inf
    claim = arena.told_undefined(arena.ask(inputs), entry(arena, Overflow(SUMS, 7), results))
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_an_overflow_with_a_trace_that_nobody_serves__is_asked_for_up_to_the_overflow_and_starves(arena: Arena) -> None:
    claim = lied(arena, Overflow(SUMS, 7), served=False)
    arena.look(3)
    assert arena.dispute(claim).status is DisputeStatus.OPENED
    (page,) = arena.view.dispute(claim).pages
    assert {ref.step for ref in page.refs} == {0, SUMS}
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_an_output_through_an_overflow__is_rejected_and_not_slashed(arena: Arena) -> None:
    inputs = bright()
    output = arena.model.runner.run([[canonical_bytes(tensor) for tensor in inputs]])[0]
    case = case_of(arena.model, Checker(arena.model), inputs, output)
    trace = Trace.of(recompute(arena.model.network, inputs))
    case.look_at_trace(trace.root, reader(serving(trace)), ())
    fault = fault_of(case)
    assert fault is not None
    assert (fault.proof.kind, fault.verdict) == (FaultKind.UNDEFINED, Verdict.BEYOND_CALIBRATED)
