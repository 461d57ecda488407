"""Writes tests/parity/vectors: `python -m tests.parity.generate`. The same seeds make the same bytes.

Judge vectors are three parallel lists: `cases` (abi.encode of Committed and FaultProof), `verdicts`, and `reverts`
(1 where the judge must revert; its verdict is 0).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from prover.fault_proof import Evidence, link_witness, step_witness
from rollup.errors import BadEncoding
from rollup.judge import floats
from rollup.judge.evaluate import run_of
from rollup.judge.judge import judge
from rollup.judge.reads import Run
from rollup.types import FaultKind
from tests.parity import faults, moves, overflows, pointwise, profiles, rounded, rows
from tests.parity.abi import encode_case
from tests.parity.faults import Case, case_of
from tests.parity.ids import id_vectors
from tests.parity.leaves import leaf_vectors
from tests.parity.malformed import MALFORMED, STEP, WORD
from tests.parity.meanings import dtype_vectors, strike_vectors
from tests.parity.moves import linked
from tests.parity.properties import aggregate_vectors, property_vectors
from tests.parity.reals import real_vectors, transcendental_vectors
from tests.parity.toy import claiming, network, tampered, wide_linear, with_bits
from tests.parity.trees import hexed, root_vectors, tree_vectors

FOLDER = Path(__file__).parent / "vectors"
MAKERS: Mapping[str, tuple[Callable[[Random], Case], int]] = {
    "contract": (faults.contract_case, 54),
    "cancelling": (faults.cancelling_case, 54),
    "profiles": (profiles.profile_case, 50),
    "amax": (faults.amax_case, 40),
    "argmax": (faults.argmax_case, 40),
    "movement": (moves.movement_case, 60),
    "link": (moves.link_case, 60),
    "undefined": (overflows.overflow_case, 80),
    **pointwise.MAKERS,
    **{name: (make, 30) for name, make in rounded.MAKERS.items()},
    **rows.MAKERS,
}


def judged(case: Case) -> tuple[int, int]:
    """Verdict, and 1 if the proof is refused."""
    try:
        return judge(case.committed, case.proof), 0
    except BadEncoding:
        return 0, 1


def judge_vectors(cases: Iterable[Case]) -> dict[str, list[Any]]:
    kept = list(cases)
    answers = [judged(case) for case in kept]
    return {
        "cases": [hexed(encode_case(case.committed, case.proof)) for case in kept],
        "verdicts": [verdict for verdict, _ in answers],
        "reverts": [refused for _, refused in answers],
    }


def network_cases() -> Iterable[Case]:
    """One honest and one wrong element of every step of the toy network, and of its output."""
    honest = network(with_label=True)
    logits = run_of(honest.trace.tensor(9), Run(0, 0, 10))
    least = min(range(10), key=lambda label: floats.ordinal(logits[label]))
    for number, step in enumerate(honest.graph.steps):
        element = min(2, step.result.elements - 1)
        word = least if step.result.dtype.width == 8 else 0x42F60000
        yield case_of(honest, number, element)
        yield case_of(tampered(honest, number, element, word), number, element)
    yield linked(honest, 0)
    yield linked(claiming(honest, with_bits(honest.trace.tensor(honest.last), 0, least)), 0)


def wide_cases() -> Iterable[Case]:
    """Rows over several leaves, and an output that is claimed by its root."""
    honest = wide_linear()
    yield case_of(honest, 0, 17)
    yield case_of(tampered(honest, 0, 5, 0x42F60000), 0, 5)
    yield linked(honest, 23)
    output = honest.trace.tensor(0)
    yield linked(claiming(honest, with_bits(output, 23, 0x42F60000)), 23)
    yield linked(claiming(honest, with_bits(output, 23, honest.claimed_bits(23) ^ 1)), 23)


def malformed_cases() -> Iterable[Case]:
    """Every way to spoil a proof, and proofs against other commitments."""
    toy, wide = network(), wide_linear()
    proof = step_witness(toy, STEP, 3)
    for change in MALFORMED.values():
        yield Case(toy.committed, change(proof))
    yield Case(toy.committed, replace(proof, kind=FaultKind.LINK))
    for root in ("graph_root", "graph_header", "weights_root", "trace_root", "numerics_root"):
        changes: dict[str, Any] = {root: WORD}
        yield Case(replace(toy.committed, **changes), proof)
    yield Case(replace(wide.committed, claimed_output=WORD), link_witness(wide, 5))
    yield _with_openings(toy, 0)


def _with_openings(evidence: Evidence, count: int) -> Case:
    proof = link_witness(evidence, 0)
    return Case(evidence.committed, replace(proof, openings=proof.openings[:count]))


def vectors() -> dict[str, dict[str, list[Any]]]:
    """All files by name, as they are written."""
    files: dict[str, dict[str, list[Any]]] = {
        "trees": tree_vectors(Random("trees")),
        "roots": root_vectors(Random("roots")),
        "ids": id_vectors(Random("ids")),
        "properties": property_vectors(Random("properties")),
        "aggregates": aggregate_vectors(Random("aggregates")),
        "leaves": leaf_vectors(),
        "dtypes": dtype_vectors(),
        "strikes": strike_vectors(Random("strikes")),
        "reals": real_vectors(Random("reals")),
        "transcendental": transcendental_vectors(Random("transcendental")),
        "network": judge_vectors(network_cases()),
        "wide": judge_vectors(wide_cases()),
        "malformed": judge_vectors(malformed_cases()),
        "misplaced": judge_vectors(overflows.misplaced_cases()),
    }
    for name, (make, count) in MAKERS.items():
        random = Random(name)
        files[name] = judge_vectors(make(random) for _ in range(count))
    return files


def text_of(content: dict[str, list[Any]]) -> str:
    return json.dumps(content, indent=0) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, content in vectors().items():
        (FOLDER / f"{name}.json").write_text(text_of(content))


if __name__ == "__main__":
    main()
