"""The claimed output where its claim holds only the root: names of its leaves, and the output from supplied ones.

Knows no torch and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.graph import Graph
from rollup.tensor import Tensor
from rollup.types import MAX_DEMAND_LEAVES, LeafRef, TensorRoot
from rollup.view import Page


def output_leaves(graph: Graph) -> tuple[LeafRef, ...]:
    """Names of the output's leaves, as many of them as can be demanded."""
    count = min(graph.output.leaf_count, MAX_DEMAND_LEAVES)
    return tuple(LeafRef(len(graph.steps), 0, leaf) for leaf in range(count))


def supplied_output(graph: Graph, root: TensorRoot, pages: Sequence[Page]) -> bytes | None:
    """Canonical bytes of the output under `root`, if all its leaves were supplied on chain."""
    leaves = {
        page.refs[position].leaf: opening.leaves
        for page in pages
        for position, opening in page.supplied
        if page.refs[position].step == len(graph.steps)
    }
    if len(leaves) != graph.output.leaf_count:
        return None
    output = Tensor(graph.output, b"".join(leaves[leaf] for leaf in sorted(leaves)))
    return output.data if output.root == root else None
