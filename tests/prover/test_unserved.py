"""Outputs that a claim holds only by root, and nobody serves: on a real chain, demanded, supplied and proven."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from executor.shelf import Run, Shelf
from executor.tensors import to_canonical
from executor.trace import Trace
from rollup.blobs import Blobs, open_blobs
from rollup.chain.disputes import Disputes
from rollup.events import FaultProven
from rollup.tensor import Tensor
from rollup.types import Certainty, ClaimId, DisputeStatus, FaultKind, LeafRef
from tests.actors import ChangedOutput, Lie, SkippedLayer
from tests.chain_fixture import CHALLENGER, Anvil
from tests.executor.nets import Features
from tests.prover.arena import FIRST_LIAR, WINDOWS, Arena, Honest, drawn


class HiddenOutput(ChangedOutput):
    """Claims what nobody gets to see, and opens an honest trace."""

    name = "hidden output"
    shows_output = False


class HiddenSkippedLayer(SkippedLayer):
    """Claims what nobody gets to see, and opens the trace of a lazy run."""

    name = "hidden skipped layer"
    shows_output = False


class DeadEndpoint(Honest):
    """Honest, but its endpoint has nothing."""

    name = "dead endpoint"
    serves = False
    shows_output = False


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with Anvil() as chain:
        yield Arena(chain, tmp_path_factory.mktemp("wide"), Features())


@pytest.fixture(autouse=True)
def _a_bold_watchtower(arena: Arena) -> None:
    arena.tower = arena.watchtower(CHALLENGER, challenges_unserved=True)


def opened(arena: Arena, lie: Lie) -> ClaimId:
    """A claim that was challenged because nobody serves its output, its trace open, and what is missing demanded."""
    liar = arena.liar(lie)
    claim = arena.told(liar)
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.NONE
    arena.anvil.warp(WINDOWS.challenge // 2)
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.CHALLENGED
    liar.answer(arena.view, claim)
    arena.look(3)
    liar.close()
    return claim


def supply(arena: Arena, claim: ClaimId, lie: Lie, folder: Path) -> None:
    """As an executor does it, from blobs that it serves to nobody."""
    blobs: Blobs = open_blobs(folder)
    made, inputs = arena.view.claim(claim), drawn(arena.model, arena._asked)
    output, trace = lie.output(arena.model, inputs), lie.trace(arena.model, inputs)
    assert isinstance(trace, Trace)
    blobs.put_tensor(Tensor(arena.model.network.graph.output, output))
    trace_root = blobs.put_tensors(list(trace.tensors))
    weights_root = blobs.put_tensors([to_canonical(weight) for weight in arena.model.network.weights])
    held = tuple(to_canonical(tensor) for tensor in inputs)
    shelf = Shelf(blobs, Run(arena.model.network.graph, held, weights_root, trace_root, made.output))
    (page,) = arena.view.dispute(claim).pages
    for start in range(0, len(page.refs), 16):
        supplied = shelf.supply(page, page.missing[start : start + 16])
        arena.anvil.sender(FIRST_LIAR).send(Disputes(arena.deployment).supply(arena.view.witness(claim), supplied))


def output_leaf(arena: Arena) -> LeafRef:
    return LeafRef(len(arena.model.network.graph.steps), 0, 0)


def test_a_hidden_output__is_demanded_and_its_liar_starves(arena: Arena) -> None:
    claim = opened(arena, HiddenOutput())
    (page,) = arena.view.dispute(claim).pages
    # The trace is served: nothing else is missing.
    assert page.refs == (output_leaf(arena),)
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_a_hidden_output_that_is_supplied__is_proven_by_its_link(arena: Arena, tmp_path: Path) -> None:
    claim = opened(arena, HiddenOutput())
    supply(arena, claim, HiddenOutput(), tmp_path)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    (proven,) = (event for event in arena.view._events if isinstance(event, FaultProven) and event.id == claim)
    assert proven.kind is FaultKind.LINK


def test_an_honest_executor_that_supplies_all__is_acquitted(arena: Arena, tmp_path: Path) -> None:
    claim = opened(arena, DeadEndpoint())
    (page,) = arena.view.dispute(claim).pages
    steps = arena.model.network.graph.steps
    assert page.refs[0] == output_leaf(arena)
    assert len(page.refs) == 1 + sum(step.result.leaf_count for step in steps)
    supply(arena, claim, DeadEndpoint(), tmp_path)
    arena.look()
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply + WINDOWS.prove)
    arena.look()
    assert arena.dispute(claim).status is DisputeStatus.ACQUITTED
    assert arena.certainty(claim) is Certainty.PROVISIONAL


def test_a_hidden_output__without_being_told_to__is_spoken_of_and_left_alone(arena: Arena) -> None:
    arena.tower = arena.watchtower(CHALLENGER)
    liar = arena.liar(HiddenOutput())
    claim = arena.told(liar)
    arena.anvil.warp(WINDOWS.challenge // 2)
    with capture_logs() as logs:
        arena.look(2)
    (said,) = (entry for entry in logs if entry.get("claim") == claim.hex())
    assert "nobody serves the claimed output" in said["reason"]
    assert arena.dispute(claim).status is DisputeStatus.NONE
    liar.close()


@pytest.mark.parametrize(
    ("lie", "status"), [(HiddenOutput, DisputeStatus.CHALLENGED), (DeadEndpoint, DisputeStatus.NONE)]
)
def test_an_output_that_is_served_late__is_looked_at_like_any_other(
    arena: Arena, lie: type[Lie], status: DisputeStatus
) -> None:
    liar = arena.liar(lie())
    claim = arena.told(liar)
    arena.look()
    assert claim in arena.tower._claims.cases
    output = liar.lie.output(arena.model, drawn(arena.model, arena._asked))
    liar._blobs.put_tensor(Tensor(arena.model.network.graph.output, output))
    arena.anvil.warp(2)
    arena.look()
    assert arena.dispute(claim).status is status
    # Within reach it is not looked at again.
    is_quiet = status is DisputeStatus.NONE
    assert (claim in arena.tower._claims._quiet, claim in arena.tower._claims.cases) == (is_quiet, not is_quiet)
    liar.close()


def test_a_hidden_output_of_an_eager_claim__is_demanded_and_its_liar_starves(arena: Arena) -> None:
    claim = arena.told_eagerly(HiddenOutput())
    arena.anvil.warp(WINDOWS.challenge // 2)
    arena.look(3)
    (page,) = arena.view.dispute(claim).pages
    assert page.refs == (output_leaf(arena),)
    arena.anvil.warp(WINDOWS.collect + WINDOWS.supply)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED


def test_a_wrong_eager_trace__is_proven_although_its_output_is_hidden(arena: Arena) -> None:
    claim = arena.told_eagerly(HiddenSkippedLayer())
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    assert not any(arena.dispute(claim).challenger)


def test_an_output_that_is_served_after_the_challenge__needs_no_demand(arena: Arena) -> None:
    liar = arena.liar(HiddenOutput())
    claim = arena.told(liar)
    # Asked for in vain ever more rarely.
    for seconds in (0, 2, 4, 8, 16):
        arena.anvil.warp(seconds)
        arena.look()
    assert arena.dispute(claim).status is DisputeStatus.CHALLENGED
    output = liar.lie.output(arena.model, drawn(arena.model, arena._asked))
    liar._blobs.put_tensor(Tensor(arena.model.network.graph.output, output))
    liar.answer(arena.view, claim)
    arena.look()
    assert arena.certainty(claim) is Certainty.REFUTED
    assert arena.view.dispute(claim).pages == ()
    liar.close()
