"""Claimed outputs from supplied leaves: whole, verified, and only their own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prover.opened import OpenedTrace
from prover.output import output_leaves, supplied_output
from rollup.graph import Graph, Op, Operand, Source, Step
from rollup.tensor import Tensor
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, LeafRef
from rollup.view import Page
from tests.chain_fixture import anvil_key
from tests.parity.toy import f32


def graph_of(elements: int) -> Graph:
    spec = f32(elements)
    return Graph((spec,), (), (Step(Op.RELU, spec, (Operand(Source.INPUT, 0, spec),)),))


@pytest.fixture
def graph() -> Graph:
    """300 floats are two leaves."""
    return graph_of(300)


@pytest.fixture
def output(graph: Graph) -> Tensor:
    return Tensor(graph.output, bytes(range(240)) * 5)


def page_of(output: Tensor, refs: Sequence[LeafRef], supplied: Sequence[int], number: int = 0) -> Page:
    openings = [(place, output.open_leaves(refs[place].leaf, refs[place].leaf)) for place in supplied]
    return Page(number, anvil_key(0).address, 1, tuple(refs), tuple(openings))


def test_output_leaves__are_named_after_the_last_step(graph: Graph) -> None:
    assert output_leaves(graph) == (LeafRef(1, 0, 0), LeafRef(1, 0, 1))


def test_output_leaves__of_a_huge_output__are_as_many_as_can_be_demanded() -> None:
    assert len(output_leaves(graph_of(2**31))) == MAX_DEMAND_LEAVES


def test_supplied_output__over_several_pages_in_any_order__is_the_output(graph: Graph, output: Tensor) -> None:
    refs = output_leaves(graph)
    pages = [page_of(output, refs[1:], [0], 1), page_of(output, refs[:1], [0])]
    assert supplied_output(graph, output.root, pages) == output.data


def test_supplied_output__with_a_leaf_missing__is_not_known(graph: Graph, output: Tensor) -> None:
    assert supplied_output(graph, output.root, [page_of(output, output_leaves(graph), [1])]) is None


def test_supplied_output__of_another_root_or_of_results__is_not_taken(graph: Graph, output: Tensor) -> None:
    other = Tensor(graph.output, bytes(1200))
    assert supplied_output(graph, other.root, [page_of(output, output_leaves(graph), [0, 1])]) is None
    traced = [LeafRef(0, 0, 0), LeafRef(0, 0, 1)]
    assert supplied_output(graph, output.root, [page_of(output, traced, [0, 1])]) is None


def test_an_opened_trace__takes_no_leaves_of_the_output(graph: Graph, output: Tensor) -> None:
    shown = OpenedTrace(graph, BundleRoot(bytes(32)))
    shown.take([page_of(output, output_leaves(graph), [0, 1])])
    assert shown.missing == (0,)
