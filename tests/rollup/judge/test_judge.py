"""Whole proofs: what is malformed is refused, what is honest is acquitted, what is wrong is found."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from prover.fault_proof import Evidence, link_witness, step_witness
from rollup.errors import BadEncoding
from rollup.graph import Graph
from rollup.judge.judge import judge
from rollup.judge.opening import require_leaf, require_slot
from rollup.tensor import Tensor
from rollup.types import FaultKind, FaultProof, LeafRef, StepProof, Verdict
from tests.parity.malformed import MALFORMED, STEP, WORD
from tests.parity.toy import FIRST_OPERATORS, claiming, network, tampered, wide_linear, with_bits
from tests.rollup.judge.f32 import NAN, bits


@pytest.fixture(scope="module")
def toy() -> Evidence:
    return network()


@pytest.fixture(scope="module")
def wide() -> Evidence:
    return wide_linear()


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED.keys())
def test_judge__malformed_proof__is_refused(toy: Evidence, change: Callable[[FaultProof], FaultProof]) -> None:
    proof = step_witness(toy, STEP, 3)
    assert judge(toy.committed, proof) is Verdict.NO_FAULT
    with pytest.raises(BadEncoding):
        judge(toy.committed, change(proof))


def test_judge__link_about_an_inner_step__is_refused(toy: Evidence) -> None:
    proof = replace(step_witness(toy, STEP, 0), kind=FaultKind.LINK)
    with pytest.raises(BadEncoding, match="a link fault is about step 9, got 7"):
        judge(toy.committed, proof)


def test_judge__path_for_a_factor_of_zero__is_refused(toy: Evidence) -> None:
    proof = replace(step_witness(toy, STEP, 0), factor=0)
    with pytest.raises(BadEncoding, match="a factor of zero has no path, got 4 siblings"):
        judge(toy.committed, proof)


def test_judge__step_that_reads_a_later_one__acquits(toy: Evidence) -> None:
    steps = list(toy.graph.steps)
    steps[2] = replace(steps[2], operands=(replace(steps[2].operands[0], index=2),))
    later = Graph.__new__(Graph)
    for name, value in (("inputs", toy.graph.inputs), ("weights", toy.graph.weights), ("steps", tuple(steps))):
        object.__setattr__(later, name, value)
    changed = replace(toy, graph=later, committed=replace(toy.committed, graph_root=later.root))
    wrong = tampered(changed, 2, 0, bits(-55.0))
    assert judge(wrong.committed, step_witness(wrong, 2, 0)) is Verdict.NO_FAULT


def test_judge__claimed_output_of_another_root__is_refused(wide: Evidence) -> None:
    proof = link_witness(wide, 5)
    assert judge(wide.committed, proof) is Verdict.NO_FAULT
    with pytest.raises(BadEncoding, match="not the claimed one"):
        judge(replace(wide.committed, claimed_output=WORD), proof)


def test_judge__claimed_output_shown_in_a_bundle__is_refused(wide: Evidence) -> None:
    proof = link_witness(wide, 5)
    openings = (proof.openings[0], replace(proof.openings[1], bundle_path=(WORD,)))
    with pytest.raises(BadEncoding, match="lies in no bundle"):
        judge(wide.committed, replace(proof, openings=openings))


def test_judge__record_that_cannot_be_judged__acquits(wide: Evidence) -> None:
    committed = replace(wide.committed, output_header=wide.graph.inputs[0].header)
    assert judge(committed, link_witness(wide, 5)) is Verdict.NO_FAULT


@pytest.mark.parametrize("evidence", [network(), network(with_label=True), wide_linear()], ids=["net", "label", "wide"])
def test_judge__every_element_of_an_honest_run__is_acquitted(evidence: Evidence) -> None:
    for number, step in enumerate(evidence.graph.steps):
        for element in range(step.result.elements):
            assert judge(evidence.committed, step_witness(evidence, number, element)) is Verdict.NO_FAULT
    for element in range(evidence.graph.output.elements):
        assert judge(evidence.committed, link_witness(evidence, element)) is Verdict.NO_FAULT


@pytest.mark.parametrize("step", range(10))
def test_judge__one_changed_element_of_any_step__is_found(toy: Evidence, step: int) -> None:
    wrong = tampered(toy, step, 2, bits(123.0))
    assert judge(wrong.committed, step_witness(wrong, step, 2)) is Verdict.BEYOND_SOUND
    assert judge(wrong.committed, step_witness(wrong, step, 3)) is Verdict.NO_FAULT


def test_judge__traced_label_that_is_not_the_largest__is_found() -> None:
    honest = network(with_label=True)
    label = int.from_bytes(honest.trace.tensor(10).data, "big")
    wrong = tampered(honest, 10, 0, (label + 1) % 10)
    assert judge(wrong.committed, step_witness(wrong, 10, 0)) is Verdict.BEYOND_SOUND


def test_judge__not_a_number_where_the_sum_is_finite__is_found(toy: Evidence) -> None:
    wrong = tampered(toy, STEP, 0, NAN)
    assert judge(wrong.committed, step_witness(wrong, STEP, 0)) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("shift", [3.0, -3.0])
@pytest.mark.parametrize("name", ["toy", "wide"])
def test_judge__claim_that_is_not_the_traced_output__is_found(
    name: str, shift: float, request: pytest.FixtureRequest
) -> None:
    honest: Evidence = request.getfixturevalue(name)
    output = honest.trace.tensor(honest.last)
    traced = honest.claimed_bits(4)
    for distance, verdict in ((shift, Verdict.BEYOND_SOUND), (shift / 3, Verdict.BEYOND_CALIBRATED)):
        wrong = claiming(honest, with_bits(output, 4, bits(float_of(traced) + distance)))
        assert judge(wrong.committed, link_witness(wrong, 4)) is verdict


def float_of(word: int) -> float:
    return float(struct.unpack(">f", word.to_bytes(4, "big"))[0])


def test_require_leaf__every_leaf_of_a_row__is_accepted_in_its_own_place_only(wide: Evidence) -> None:
    proof = StepProof(wide.graph.steps[0].record, wide.graph.step_path(0))
    tensor, path = wide.weights.tensor(0), wide.weights.path(0)
    for leaf in (0, 1, tensor.spec.leaf_count - 1):
        opening = tensor.open_leaves(leaf, leaf, path)
        require_leaf(wide.committed, LeafRef(0, 2, leaf), proof, opening)
        with pytest.raises(BadEncoding):
            require_leaf(wide.committed, LeafRef(0, 2, leaf ^ 2), proof, opening)


@pytest.mark.parametrize("ref", [LeafRef(0, 3, 0), LeafRef(0, 2, 29), LeafRef(2, 0, 0), LeafRef(0, 0, 1)])
def test_require_slot__leaf_that_does_not_exist__is_refused(wide: Evidence, ref: LeafRef) -> None:
    proof = StepProof(wide.graph.steps[0].record, wide.graph.step_path(0))
    with pytest.raises(BadEncoding):
        require_slot(wide.committed, ref, proof)


def test_require_slot__a_leaf_of_the_result__gives_its_shape(wide: Evidence) -> None:
    proof = StepProof(wide.graph.steps[0].record, wide.graph.step_path(0))
    assert require_slot(wide.committed, LeafRef(0, 0, 0), proof) == wide.graph.steps[0].result


def claimed_output(wide: Evidence) -> Tensor:
    assert wide.claimed is not None
    return wide.claimed


def test_require_leaf__of_the_claimed_output__is_taken_only_for_itself(wide: Evidence) -> None:
    ref, nothing, opening = LeafRef(1, 0, 0), StepProof(b"", ()), claimed_output(wide).open_leaves(0, 0)
    require_leaf(wide.committed, ref, nothing, opening)
    traced = replace(opening, leaves=bytes(len(opening.leaves)))
    with pytest.raises(BadEncoding, match="the opened output is not the claimed one"):
        require_leaf(wide.committed, ref, nothing, traced)
    with pytest.raises(BadEncoding, match="lies in no bundle"):
        require_leaf(wide.committed, ref, nothing, replace(opening, bundle_path=(bytes(32),)))


@pytest.mark.parametrize(
    ("ref", "shown", "reason"),
    [
        (LeafRef(1, 1, 0), StepProof(b"", ()), "slot 1 is outside a claimed output"),
        (LeafRef(1, 0, 1), StepProof(b"", ()), "leaf 1 is outside a tensor of 1 leaves"),
        (LeafRef(1, 0, 0), StepProof(b"record", ()), "lies in no graph"),
        (LeafRef(1, 0, 0), StepProof(b"", (bytes(32),)), "lies in no graph"),
        (LeafRef(2, 0, 0), StepProof(b"", ()), "step 2 is outside a graph of 1 steps"),
    ],
)
def test_require_slot__claimed_output_named_wrongly__is_refused(
    wide: Evidence, ref: LeafRef, shown: StepProof, reason: str
) -> None:
    with pytest.raises(BadEncoding, match=reason):
        require_slot(wide.committed, ref, shown)


def test_require_slot__of_an_output_that_stands_in_its_claim__is_refused(toy: Evidence) -> None:
    with pytest.raises(BadEncoding, match="stands whole in its claim"):
        require_slot(toy.committed, LeafRef(len(toy.graph.steps), 0, 0), StepProof(b"", ()))


def test_toy__has_every_operator() -> None:
    assert {step.op for step in network(with_label=True).graph.steps} == set(FIRST_OPERATORS)
