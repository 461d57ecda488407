"""Leaves named and opened in every way: of results, operands and claimed outputs, right and wrong.

Vectors are two parallel lists: `cases` (abi.encode of Committed, LeafRef, StepProof and Opening), and `reverts` (1 if
the leaf must be refused).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from eth_abi.abi import encode

from prover.fault_proof import Evidence
from rollup.codec import values_of
from rollup.errors import BadEncoding
from rollup.judge.opening import require_leaf
from rollup.judge.reads import Run
from rollup.types import Committed, LeafRef, Opening, StepProof
from tests.parity.abi import COMMITTED, OPENING
from tests.parity.malformed import WORD
from tests.parity.toy import network, wide_linear
from tests.parity.trees import hexed

TYPES = [COMMITTED, "(uint32,uint8,uint32)", "(bytes,bytes32[])", OPENING]


@dataclass(frozen=True)
class Leaf:
    """One leaf, as it is supplied."""

    committed: Committed
    ref: LeafRef
    shown: StepProof
    opening: Opening

    @property
    def is_refused(self) -> bool:
        try:
            require_leaf(self.committed, self.ref, self.shown, self.opening)
        except BadEncoding:
            return True
        return False


def leaf_of(evidence: Evidence, step: int, slot: int) -> Leaf:
    """The first leaf of a tensor of a step."""
    opening = evidence.open(step, Run(slot, 0, 1))
    return Leaf(evidence.committed, LeafRef(step, slot, 0), evidence.graph.step_proof(step), opening)


def output_leaf(evidence: Evidence) -> Leaf:
    """The first leaf of an output that is claimed by its root."""
    assert evidence.claimed is not None
    last = len(evidence.graph.steps)
    opening = evidence.claimed.open_leaves(0, 0)
    return Leaf(evidence.committed, LeafRef(last, 0, 0), evidence.graph.step_proof(last), opening)


def leaves() -> Iterator[Leaf]:
    """Each good leaf, and its spoilt copies."""
    toy, wide = network(), wide_linear()
    for slot in range(3):
        yield from _spoilt(leaf_of(wide, 0, slot))
    yield from _spoilt(leaf_of(toy, 3, 1))
    output = output_leaf(wide)
    yield from _spoilt(output)
    for ref in (LeafRef(1, 1, 0), LeafRef(2, 0, 0)):
        yield replace(output, ref=ref)
    yield replace(output, shown=wide.graph.step_proof(0))
    yield replace(output, committed=replace(wide.committed, claimed_output=WORD))
    yield replace(output, committed=replace(wide.committed, claimed_output=wide.committed.claimed_output + b"\0"))
    traced = leaf_of(wide, 0, 0)
    yield replace(output, opening=replace(traced.opening, bundle_path=(WORD,)))
    inline = LeafRef(len(toy.graph.steps), 0, 0)
    yield Leaf(toy.committed, inline, StepProof(b"", ()), Opening(toy.committed.claimed_output, (), ()))


def _spoilt(leaf: Leaf) -> Iterator[Leaf]:
    shown, opening = leaf.shown, leaf.opening
    yield leaf
    yield replace(leaf, ref=replace(leaf.ref, leaf=1))
    yield replace(leaf, shown=replace(shown, record=shown.record + b"\0"))
    yield replace(leaf, shown=replace(shown, path=(*shown.path, WORD)))
    yield replace(leaf, opening=replace(opening, leaves=bytes(len(opening.leaves))))
    yield replace(leaf, opening=replace(opening, leaves=opening.leaves[:-1]))
    yield replace(leaf, opening=replace(opening, siblings=(*opening.siblings, WORD)))
    yield replace(leaf, opening=replace(opening, bundle_path=(*opening.bundle_path, WORD)))


def leaf_vectors() -> dict[str, list[Any]]:
    all_ = list(leaves())
    return {
        "cases": [
            hexed(encode(TYPES, [values_of(part) for part in (leaf.committed, leaf.ref, leaf.shown, leaf.opening)]))
            for leaf in all_
        ],
        "reverts": [int(leaf.is_refused) for leaf in all_],
    }
