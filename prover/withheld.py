"""What of a claim of scores nobody serves: the leaves to demand, and what was supplied of them on chain.

Weights and inputs of an item are demanded in a dispute of it; supplied, everybody has them. Knows no torch and judges
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prover.position import Opinion, Stake
from rollup.errors import BadEncoding, Doubt
from rollup.graph import Graph, Source
from rollup.tensor import Bundle, Tensor, TensorSpec, root_of_bundle
from rollup.types import MAX_DEMAND_LEAVES, BundleRoot, LeafRef, Opening
from rollup.view import Page


@dataclass(frozen=True)
class Withheld:
    """What is missing at an item and only a demand can bring. `what`: in words.

    `stake`: what it takes to have all of it shown, at this item and at others.
    """

    graph: Graph
    what: str
    leaves: tuple[LeafRef, ...]
    stake: Stake

    def opinion(self, pages: Sequence[Page]) -> Opinion:
        """What was asked for on chain already is not missing any more."""
        asked = {ref for page in pages for ref in page.refs}
        missing = tuple(ref for ref in self.leaves if ref not in asked)
        return Opinion(is_unserved=True, missing=missing, withheld=self.what, stake=self.stake)


def dealt(
    leaves: Sequence[LeafRef], rooms: Sequence[tuple[int, int]], free: Iterable[int]
) -> dict[int, tuple[LeafRef, ...]]:
    """Leaves by the item at which each is to be demanded: first at items in dispute, each with room for so many more,
    then at as many others as it takes. Raises Doubt if those are not enough: part of a network is worth nothing.
    """
    given: dict[int, tuple[LeafRef, ...]] = {}
    start = 0
    for item, room in (*rooms, *((item, MAX_DEMAND_LEAVES) for item in free)):
        if start == len(leaves):
            break
        given[item] = tuple(leaves[start : start + room])
        start += len(given[item])
    if start < len(leaves):
        raise Doubt(f"{len(leaves)} leaves that nobody serves are to be shown, and only {start} can be demanded")
    return given


def all_leaves_of(graph: Graph, source: Source, missing: Collection[int]) -> tuple[LeafRef, ...]:
    """Names of the leaves of a bundle's `missing` tensors, by the first step that reads each."""
    readers = ((index, *reader) for index, reader in _readers(graph, source).items() if index in missing)
    return tuple(LeafRef(step, slot, leaf) for _, step, slot, spec in readers for leaf in range(spec.leaf_count))


def leaves_of(graph: Graph, source: Source, missing: Collection[int]) -> tuple[LeafRef, ...]:
    """Names of the leaves of a bundle's `missing` tensors, by the first step that reads each; as many as can be asked.

    Whole tensors only, but for the last: one leaf of it still has to be supplied or lost over.
    """
    refs: list[LeafRef] = []
    for index, (step, slot, spec) in _readers(graph, source).items():
        if index not in missing or len(refs) == MAX_DEMAND_LEAVES:
            continue
        count = spec.leaf_count
        if len(refs) + count > MAX_DEMAND_LEAVES:
            count = 1
        refs.extend(LeafRef(step, slot, leaf) for leaf in range(count))
    return tuple(refs)


def _readers(graph: Graph, source: Source) -> dict[int, tuple[int, int, TensorSpec]]:
    """First step and slot that read each tensor of a bundle."""
    readers: dict[int, tuple[int, int, TensorSpec]] = {}
    for number, step in enumerate(graph.steps):
        for slot, operand in enumerate(step.operands, 1):
            if operand.source is source:
                readers.setdefault(operand.index, (number, slot, operand.spec))
    return readers


def supplied_tensors(
    graph: Graph, source: Source, root: BundleRoot, count: int, pages: Sequence[Page]
) -> dict[int, Tensor]:
    """Tensors of the bundle under `root`, of `count`, all of whose leaves were supplied; by their place in it."""
    leaves: dict[int, dict[int, Opening]] = {}
    for ref, opening in _openings(pages):
        operand = _operand(graph, ref, source)
        if operand is not None:
            leaves.setdefault(operand, {})[ref.leaf] = opening
    readers, found = _readers(graph, source), {}
    for index, openings in leaves.items():
        tensor = _whole(readers[index][2], openings)
        if tensor is not None and _is_under(root, tensor, index, count, openings[0].bundle_path):
            found[index] = tensor
    return found


def bundle_of(tensors: dict[int, Tensor], count: int, root: BundleRoot) -> Bundle | None:
    """The bundle, if all of its tensors are known."""
    if len(tensors) != count:
        return None
    bundle = Bundle([tensors[index].root for index in range(count)])
    return bundle if bundle.root == root else None


def _openings(pages: Sequence[Page]) -> Iterator[tuple[LeafRef, Opening]]:
    for page in pages:
        for position, opening in page.supplied:
            yield page.refs[position], opening


def _operand(graph: Graph, ref: LeafRef, source: Source) -> int | None:
    if ref.slot == 0 or ref.step >= len(graph.steps):
        return None
    operand = graph.steps[ref.step].operands[ref.slot - 1]
    return operand.index if operand.source is source else None


def _whole(spec: TensorSpec, openings: dict[int, Opening]) -> Tensor | None:
    if len(openings) != spec.leaf_count:
        return None
    return Tensor(spec, b"".join(openings[leaf].leaves for leaf in sorted(openings)))


def _is_under(root: BundleRoot, tensor: Tensor, index: int, count: int, path: Sequence[bytes]) -> bool:
    try:
        return root_of_bundle(tensor.root, index, count, path) == root
    except BadEncoding:
        return False
