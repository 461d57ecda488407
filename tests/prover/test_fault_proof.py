from __future__ import annotations

from dataclasses import replace

import pytest

from prover.fault_proof import Evidence, find_output, find_step, prove_link, prove_step, worst_element
from rollup.errors import Doubt
from rollup.judge.judge import judge
from rollup.types import BundleRoot, FaultKind, Verdict
from tests.parity.toy import claiming, network, tampered, wide_linear, with_bits
from tests.prover.game import slightly_wrong_trace
from tests.rollup.judge.f32 import NAN, bits

WORD = b"\7" * 32


@pytest.fixture(scope="module")
def honest() -> Evidence:
    return network()


@pytest.mark.parametrize("step", range(10))
def test_prove_step__honest_element__raises_doubt(honest: Evidence, step: int) -> None:
    with pytest.raises(Doubt, match=f"NO_FAULT for a STEP fault at element 1 of step {step}"):
        prove_step(honest, step, 1)


def test_prove_step__trace_of_another_root__raises_doubt(honest: Evidence) -> None:
    wrong = tampered(honest, 1, 5, bits(99.0))
    stale = replace(wrong, committed=replace(wrong.committed, trace_root=BundleRoot(WORD)))
    with pytest.raises(Doubt, match="not what was committed"):
        prove_step(stale, 1, 5)


def test_prove_link__honest_output__raises_doubt(honest: Evidence) -> None:
    with pytest.raises(Doubt):
        prove_link(honest, 3)


def test_prove_link__output_known_by_its_root_only__raises_doubt() -> None:
    with pytest.raises(Doubt, match="only by its root"):
        prove_link(replace(wide_linear(), claimed=None), 3)


@pytest.mark.parametrize("step", range(10))
def test_prove_step__wrong_element__is_proven(honest: Evidence, step: int) -> None:
    wrong = tampered(honest, step, 1, bits(-77.0))
    proof = prove_step(wrong, step, 1)
    assert judge(wrong.committed, proof) is Verdict.BEYOND_SOUND
    assert (proof.factor, proof.numerics_path) == (0, ())


def test_prove_step__only_beyond_its_calibrated_bound__carries_the_factor() -> None:
    evidence = slightly_wrong_trace()
    proof = prove_step(evidence, 0, 0)
    assert proof.factor == 256
    assert judge(evidence.committed, proof) is Verdict.BEYOND_CALIBRATED
    with pytest.raises(Doubt):
        prove_step(replace(evidence, numerics=replace(evidence.numerics, factors=(0,))), 0, 0)


@pytest.mark.parametrize("evidence", [network(), wide_linear()], ids=["inline", "by root"])
def test_prove_link__claimed_output_far_from_the_trace__is_proven(evidence: Evidence) -> None:
    output = evidence.trace.tensor(evidence.last)
    wrong = claiming(evidence, with_bits(output, 0, bits(50.0)))
    proof = prove_link(wrong, 0)
    assert proof.kind is FaultKind.LINK
    assert judge(wrong.committed, proof) is Verdict.BEYOND_SOUND


def test_prove_link__label_of_a_small_logit__is_proven_by_the_largest() -> None:
    evidence = network(with_label=True)
    right = evidence.claimed_bits(0)
    claims = [claiming(evidence, with_bits(evidence.trace.tensor(10), 0, label)) for label in range(10)]
    wrong = max(claims, key=lambda claim: find_output(claim, 0).excess)
    proof = prove_link(wrong, 0)
    assert proof.hint == right
    assert judge(wrong.committed, proof) is Verdict.BEYOND_SOUND


def test_worst_element__of_several_faults__has_the_largest_excess(honest: Evidence) -> None:
    wrong = tampered(honest, 1, 4, bits(30.0))
    wrong = tampered(wrong, 1, 9, bits(3000.0))
    wrong = tampered(wrong, 1, 20, bits(300.0))
    assert worst_element(wrong, 1, range(36)) == 9
    assert worst_element(wrong, 1, (3, 4, 20)) == 20
    assert worst_element(tampered(wrong, 1, 7, NAN), 1, range(36)) == 7


def test_worst_element__without_a_fault__is_none(honest: Evidence) -> None:
    assert worst_element(honest, 1, range(36)) is None


def test_find_step__sound_fault__outranks_a_larger_excess_that_only_rejects() -> None:
    finding = find_step(slightly_wrong_trace(), 0, 0)
    assert finding.verdict is Verdict.BEYOND_CALIBRATED
    assert 0 < finding.excess < 1
