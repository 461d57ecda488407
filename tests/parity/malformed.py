"""Ways to spoil a good proof so that it shows nothing: both judges must refuse each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rollup.types import FaultProof

WORD = b"\7" * 32
# The linear step of the toy network: three openings, a calibrated factor, paths of every kind.
STEP = 7


def reopened(proof: FaultProof, slot: int, **changes: object) -> FaultProof:
    openings = list(proof.openings)
    openings[slot] = replace(openings[slot], **changes)  # type: ignore[arg-type]
    return replace(proof, openings=tuple(openings))


MALFORMED: dict[str, Callable[[FaultProof], FaultProof]] = {
    "another step": lambda proof: replace(proof, step=proof.step - 1),
    "no such step": lambda proof: replace(proof, step=10),
    "no such element": lambda proof: replace(proof, element=10),
    "another record": lambda proof: replace(proof, step_record=proof.step_record[:-1] + b"\2"),
    "short record": lambda proof: replace(proof, step_record=proof.step_record[:20]),
    "long record": lambda proof: replace(proof, step_record=proof.step_record + b"\0"),
    "step path too long": lambda proof: replace(proof, step_path=(*proof.step_path, WORD)),
    "step path too short": lambda proof: replace(proof, step_path=proof.step_path[:-1]),
    "opening missing": lambda proof: replace(proof, openings=proof.openings[:-1]),
    "opening too many": lambda proof: replace(proof, openings=proof.openings + proof.openings[-1:]),
    "other leaf bytes": lambda proof: reopened(proof, 2, leaves=bytes(len(proof.openings[2].leaves))),
    "leaf too short": lambda proof: reopened(proof, 1, leaves=proof.openings[1].leaves[:-1]),
    "leaf padded": lambda proof: reopened(proof, 0, leaves=proof.openings[0].leaves + b"\0"),
    "sibling too many": lambda proof: reopened(proof, 0, siblings=(WORD,)),
    "bundle path too short": lambda proof: reopened(proof, 0, bundle_path=proof.openings[0].bundle_path[:-1]),
    "bundle path of another": lambda proof: reopened(proof, 1, bundle_path=proof.openings[0].bundle_path),
    "another factor": lambda proof: replace(proof, factor=proof.factor + 1),
    "path without factor": lambda proof: replace(proof, factor=0),
    "factor without path": lambda proof: replace(proof, numerics_path=()),
}
