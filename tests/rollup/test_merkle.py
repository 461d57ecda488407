from __future__ import annotations

from hashlib import sha256 as reference

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadEncoding
from rollup.merkle import Tree, depth_of, keccak256, sha256, top_of_run, zero_subtree
from rollup.types import ZERO_WORD

WORD = b"\7" * 32


def leaves_of(count: int) -> list[bytes]:
    return [sha256(bytes([index % 256, index // 256])) for index in range(count)]


def plain_top(leaves: list[bytes]) -> bytes:
    """The definition: zero leaves up to a power of two, then pairs."""
    nodes = leaves + [ZERO_WORD] * ((1 << (len(leaves) - 1).bit_length()) - len(leaves))
    while len(nodes) > 1:
        nodes = [reference(nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes), 2)]
    return nodes[0]


@st.composite
def runs(draw: st.DrawFn) -> tuple[int, int, int]:
    count = draw(st.integers(1, 40))
    first = draw(st.integers(0, count - 1))
    return count, first, draw(st.integers(first, count - 1))


def test_tree__without_leaves__is_refused() -> None:
    with pytest.raises(BadEncoding, match="at least 1 leaf, got 0"):
        Tree([])


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (2, 1), (0, 5), (5, 5)])
def test_run_path__outside_the_tree__is_refused(first: int, last: int) -> None:
    with pytest.raises(BadEncoding):
        Tree(leaves_of(5)).run_path(first, last)


@given(runs())
def test_top_of_run__sibling_too_few_or_too_many__is_refused(run: tuple[int, int, int]) -> None:
    count, first, last = run
    leaves = leaves_of(count)
    siblings = Tree(leaves).run_path(first, last)
    with pytest.raises(BadEncoding, match="1 siblings too many"):
        top_of_run(leaves[first : last + 1], first, count, (*siblings, WORD))
    if siblings:
        with pytest.raises(BadEncoding, match="a sibling is missing"):
            top_of_run(leaves[first : last + 1], first, count, siblings[:-1])


@pytest.mark.parametrize(("first", "nodes", "count"), [(4, 2, 5), (-1, 1, 5), (0, 0, 5), (5, 1, 5)])
def test_top_of_run__outside_the_tree__is_refused(first: int, nodes: int, count: int) -> None:
    with pytest.raises(BadEncoding, match="outside a tree"):
        top_of_run(leaves_of(nodes), first, count, ())


@given(runs())
def test_top_of_run__any_run__proves_the_top_of_the_definition(run: tuple[int, int, int]) -> None:
    count, first, last = run
    leaves = leaves_of(count)
    tree = Tree(leaves)
    assert tree.top == plain_top(leaves)
    assert top_of_run(leaves[first : last + 1], first, count, tree.run_path(first, last)) == tree.top


@given(runs(), st.integers(0, 200))
def test_top_of_run__one_node_changed__proves_another_top(run: tuple[int, int, int], place: int) -> None:
    count, first, last = run
    tree = Tree(leaves_of(count))
    shown = [*leaves_of(count)[first : last + 1], *tree.run_path(first, last)]
    shown[place % len(shown)] = WORD
    width = last - first + 1
    assert top_of_run(shown[:width], first, count, shown[width:]) != tree.top


@given(st.integers(1, 40), st.integers(0, 39), st.integers(0, 39))
def test_top_of_run__at_another_place__proves_another_top(count: int, place: int, other: int) -> None:
    place, other = place % count, other % count
    leaves = leaves_of(count)
    tree = Tree(leaves)
    if place != other and len(tree.path(place)) == len(tree.path(other)):
        assert top_of_run([leaves[place]], other, count, tree.path(place)) != tree.top


def test_tree__of_one_leaf__is_the_leaf() -> None:
    assert Tree([WORD]).top == WORD
    assert Tree([WORD]).path(0) == ()


def test_tree__other_hash__has_another_top() -> None:
    leaves = leaves_of(3)
    pair = keccak256(leaves[0] + leaves[1])
    assert Tree(leaves, keccak256).top == keccak256(pair + keccak256(leaves[2] + ZERO_WORD))


def test_zero_subtree__any_level__is_that_of_zero_leaves() -> None:
    assert zero_subtree(3, sha256) == plain_top([ZERO_WORD] * 8)
    assert [depth_of(count) for count in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]
