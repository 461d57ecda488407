"""Opened traces: only what hashes to the opened root counts, and what is not known is named leaf by leaf."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executor.models import LoadedModel
from executor.trace import Trace, recompute
from prover.opened import OpenedTrace
from rollup.blobs import Blobs
from rollup.errors import NotFound
from rollup.types import LeafRef
from tests.prover.arena import drawn
from tests.prover.desk import Shelf, changed, leaves_of, no_trace, page_of, reader, serving


@pytest.fixture(scope="module")
def trace(model: LoadedModel) -> Trace:
    return Trace.of(recompute(model.network, drawn(model, 1)))


@pytest.fixture(scope="module")
def other(model: LoadedModel) -> Trace:
    return Trace.of(changed(recompute(model.network, drawn(model, 1)), 1, 0, 9.0))


@pytest.fixture
def shown(model: LoadedModel, trace: Trace) -> OpenedTrace:
    return OpenedTrace(model.network.graph, trace.root)


def largest(trace: Trace) -> int:
    """The step with most leaves."""
    return max(range(len(trace.tensors)), key=lambda step: trace.tensors[step].spec.leaf_count)


def test_tensor__that_nobody_showed__is_not_found(shown: OpenedTrace) -> None:
    with pytest.raises(NotFound, match="the result of step 0 of trace"):
        shown.tensor(0)


def test_fetch__from_who_serves_nothing__changes_nothing(shown: OpenedTrace) -> None:
    shown.fetch(reader(Shelf()))
    assert len(shown.missing) == len(shown._graph.steps)


def test_fetch__a_tensor_that_is_not_what_its_root_says__stays_missing(
    shown: OpenedTrace, trace: Trace, other: Trace
) -> None:
    shelf = serving(trace)
    shelf.blobs[trace.tensors[1].root] = other.tensors[1].spec.header + other.tensors[1].data
    shelf.blobs[trace.tensors[2].root] = b"short"
    shown.fetch(reader(shelf))
    assert shown.missing == (1, 2)


def test_fetch__a_list_of_roots_that_is_not_the_traces__is_ignored(
    shown: OpenedTrace, trace: Trace, other: Trace
) -> None:
    shelf = serving(other)
    shelf.blobs[trace.root] = shelf.blobs[other.root]
    shown.fetch(reader(shelf))
    assert len(shown.missing) == len(trace.tensors)


def test_fetch__a_bundle_of_another_number_of_tensors__is_ignored(model: LoadedModel, trace: Trace) -> None:
    shelf = Shelf()
    root = Blobs(shelf).put_tensors(list(trace.tensors[:-1]))
    short = OpenedTrace(model.network.graph, root)
    short.fetch(reader(shelf))
    assert len(short.missing) == len(trace.tensors)


def test_fetch__where_an_answer_is_too_slow__stops_and_goes_on_at_the_next_look(
    shown: OpenedTrace, trace: Trace
) -> None:
    shelf = serving(trace)
    shelf.slow = {trace.tensors[2].root}
    shown.fetch(reader(shelf))
    assert shown.missing == tuple(range(2, len(trace.tensors)))
    asked = len(shelf.asked)
    shelf.slow = set()
    shown.fetch(reader(shelf))
    assert shown.missing == ()
    # Once the list of roots, and only what was missing.
    assert len(shelf.asked) - asked == 1 + len(trace.tensors) - 2


def test_fetch__all_that_is_served__can_be_opened(shown: OpenedTrace, trace: Trace) -> None:
    shown.fetch(reader(serving(trace)))
    assert shown.missing == ()
    assert [shown.tensor(step).root for step in range(len(trace.tensors))] == list(trace.bundle.roots)
    assert shown.path(3) == trace.bundle.path(3)


def test_take__a_result_of_which_a_leaf_is_missing__is_not_known(shown: OpenedTrace, trace: Trace) -> None:
    step = largest(trace)
    refs = leaves_of(trace, step)
    assert len(refs) > 1
    shown.take([page_of(trace, refs, range(len(refs) - 1))])
    assert not shown.knows(step)


def test_take__leaves_of_another_trace__are_not_taken(shown: OpenedTrace, trace: Trace, other: Trace) -> None:
    refs = leaves_of(trace, 1)
    shown.take([page_of(other, refs, range(len(refs)))])
    assert not shown.knows(1)


def test_take__a_path_of_a_wrong_length__is_not_taken(shown: OpenedTrace, trace: Trace) -> None:
    page = page_of(trace, leaves_of(trace, 0), range(len(leaves_of(trace, 0))))
    cut = tuple((position, replace(opening, bundle_path=())) for position, opening in page.supplied)
    shown.take([replace(page, supplied=cut)])
    assert not shown.knows(0)


def test_take__leaves_supplied_over_several_pages__make_the_result(shown: OpenedTrace, trace: Trace) -> None:
    step = largest(trace)
    refs = leaves_of(trace, step)
    first, second = refs[:1], refs[1:]
    pages = [page_of(trace, second, reversed(range(len(second))), 1), page_of(trace, first, [0])]
    shown.take(pages)
    assert shown.tensor(step).data == trace.tensors[step].data
    assert shown.path(step) == trace.bundle.path(step)


def test_take__a_leaf_named_as_an_operand__counts_for_the_step_that_made_it(shown: OpenedTrace, trace: Trace) -> None:
    graph = shown._graph
    step, slot, made = next(
        (number, place + 1, operand.index)
        for number, record in enumerate(graph.steps)
        for place, operand in enumerate(record.operands)
        if operand.source.name == "STEP"
    )
    page = page_of(trace, leaves_of(trace, made), range(len(leaves_of(trace, made))))
    shown.take([replace(page, refs=tuple(LeafRef(step, slot, ref.leaf) for ref in page.refs))])
    assert shown.knows(made)


def test_leaves_to_demand__are_whole_results_from_the_output_backwards(shown: OpenedTrace, trace: Trace) -> None:
    last = len(trace.tensors) - 1
    whole = [ref for step in reversed(range(last + 1)) for ref in leaves_of(trace, step)]
    assert list(shown.leaves_to_demand()) == whole
    shown.take([page_of(trace, leaves_of(trace, last), [0])])
    assert list(shown.leaves_to_demand()) == whole[1:]


def test_leaves_to_demand__within_a_limit__end_with_one_leaf_of_what_does_not_fit(
    shown: OpenedTrace, trace: Trace
) -> None:
    step = largest(trace)
    before = sum(trace.tensors[number].spec.leaf_count for number in range(step + 1, len(trace.tensors)))
    refs = shown.leaves_to_demand(before + 1)
    assert len(refs) == before + 1
    assert refs[-1] == LeafRef(step, 0, 0)
    assert len(shown.leaves_to_demand(before)) == before


def test_a_trace_without_steps_shown__names_its_root(model: LoadedModel) -> None:
    assert OpenedTrace(model.network.graph, no_trace()).root == no_trace()
