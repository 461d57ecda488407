"""Random damage to good cases: to what a proof shows, and to the records of graphs that nobody checked."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from rollup.graph import GRAPH_TAG, STEP_TAG
from rollup.merkle import sha256
from rollup.types import FaultKind, FaultProof, GraphRoot, Opening
from tests.parity.faults import Case


def flipped(random: Random, data: bytes) -> bytes:
    """The bytes with one bit changed; none stays none."""
    if not data:
        return data
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def spoilt_proof(random: Random, case: Case) -> Case:
    """One thing changed in what the proof shows."""
    proof, shown = case.proof, case.proof.openings or (Opening(b"", (), ()),)
    place = random.randrange(len(shown))
    opening = shown[place]
    changes = [
        replace(proof, element=proof.element + random.choice([1, 100])),
        replace(proof, hint=proof.hint ^ random.choice([1, 2, 512])),
        replace(proof, factor=proof.factor ^ 1),
        replace(proof, kind=FaultKind.LINK),
        replace(proof, step=1),
        replace(proof, step_path=(bytes(32),)),
        replace(proof, numerics_path=(bytes(32),)),
        replace(proof, step_record=flipped(random, proof.step_record)),
        replace(proof, openings=proof.openings[::-1]),
        replace(proof, openings=(*proof.openings, opening)),
        with_opening(proof, place, replace(opening, leaves=flipped(random, opening.leaves))),
        with_opening(proof, place, replace(opening, leaves=opening.leaves[:-4])),
        with_opening(proof, place, replace(opening, siblings=(*opening.siblings, bytes(32)))),
        with_opening(proof, place, replace(opening, bundle_path=(*opening.bundle_path, bytes(32)))),
        with_opening(proof, place, replace(opening, bundle_path=opening.bundle_path[1:])),
    ]
    return replace(case, proof=random.choice(changes))


def with_opening(proof: FaultProof, place: int, opening: Opening) -> FaultProof:
    return replace(proof, openings=(*proof.openings[:place], opening, *proof.openings[place + 1 :]))


def spoilt_record(random: Random, case: Case) -> Case:
    """A graph of one step whose record has one bit changed, committed as it is."""
    record = flipped(random, case.proof.step_record)
    root = GraphRoot(sha256(GRAPH_TAG + case.committed.graph_header + sha256(STEP_TAG + record)))
    return Case(replace(case.committed, graph_root=root), replace(case.proof, step_record=record))
