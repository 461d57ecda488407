"""Doubt: no honest run is ever beyond reach or at fault; every lie is, and the judge agrees."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
import torch

from executor.bounds import bound_of
from executor.models import LoadedModel
from executor.operators import evaluate
from executor.reach import reach_of
from executor.tensors import bits_of_f32_above, canonical_bytes, from_bytes
from executor.trace import Trace, recompute, replay
from prover.checker import Checker
from rollup.blobs import open_blobs
from rollup.graph import Op
from rollup.judge.judge import judge
from rollup.types import FaultKind, Verdict
from tests.actors import LIES, Lie
from tests.executor.nets import Labels
from tests.prover.arena import Nan, drawn, prepared
from tests.prover.desk import band_of, case_of, changed, opened, run

NAN, INF = float("nan"), float("inf")


def data_of(inputs: list[torch.Tensor]) -> list[bytes]:
    return [canonical_bytes(tensor) for tensor in inputs]


def contractions(model: LoadedModel) -> list[int]:
    return [number for number, step in enumerate(model.network.graph.steps) if step.op is Op.CONTRACT]


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return prepared(open_blobs(tmp_path_factory.mktemp("labels")), Labels())


# Outputs.


@pytest.mark.parametrize("count", [1, 5, 64])
def test_honest_outputs__are_within_reach_at_any_batch(model: LoadedModel, checker: Checker, count: int) -> None:
    batch = [drawn(model, seed) for seed in range(count)]
    claimed = model.runner.run([data_of(inputs) for inputs in batch])
    alone = [run(model, inputs) for inputs in batch]
    exact = [canonical_bytes(recompute(model.network, inputs)[-1]) for inputs in batch]
    for outputs in (claimed, alone, exact):
        assert max(checker.deviations([data_of(inputs) for inputs in batch], outputs)) <= 0.5
    for inputs, output in zip(batch[:3], claimed, strict=False):
        assert checker.second_deviation(data_of(inputs), output) <= 0.5


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1.0])
def test_honest_outputs_of_inputs_chosen_to_err__are_within_reach(
    model: LoadedModel, checker: Checker, value: float
) -> None:
    inputs = [torch.full((1, 1, 8, 8), value)]
    output = run(model, inputs)
    assert checker.deviations([data_of(inputs)], [output])[0] <= 1
    assert checker.second_deviation(data_of(inputs), output) <= 1


@pytest.mark.parametrize("lie", [*LIES, Nan], ids=lambda lie: lie.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_lie__is_beyond_reach_twice(model: LoadedModel, checker: Checker, lie: type[Lie], seed: int) -> None:
    inputs = drawn(model, seed)
    output = lie().output(model, inputs)
    first, second = (
        checker.deviations([data_of(inputs)], [output])[0],
        checker.second_deviation(data_of(inputs), output),
    )
    assert first > 10
    assert second > 10


@pytest.mark.parametrize(("part", "is_beyond"), [(0.9, False), (1.1, True)])
@pytest.mark.parametrize("bands", [0.0, 1.0])
def test_the_limit__is_reach_and_twice_the_band(
    model: LoadedModel, checker: Checker, bands: float, part: float, is_beyond: bool
) -> None:
    inputs = drawn(model, 3)
    own = float(reach_of(model.network, model.numerics, inputs).calibrated.max())
    reach = max(own, checker._reach)
    record = replace(model.record, output_band=bits_of_f32_above(bands * reach))
    judging = Checker(replace(model, record=record))
    moved = recompute(model.network, inputs)[-1].double()
    moved.view(-1)[4] += part * (reach + 2 * bands * reach)
    # Rounding of the moved output is far below a tenth of the limit.
    assert (judging.second_deviation(data_of(inputs), canonical_bytes(moved.float())) > 1) is is_beyond


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_claimed_value_that_is_not_finite__is_beyond_everything(
    model: LoadedModel, checker: Checker, value: float
) -> None:
    inputs = drawn(model, 1)
    output = struct.pack(">f", value) + run(model, inputs)[4:]
    assert checker.deviations([data_of(inputs)], [output]) == [INF]
    assert checker.second_deviation(data_of(inputs), output) == INF


def test_labels__are_doubted_by_their_logits(labels: LoadedModel) -> None:
    model, checker, inputs = labels, Checker(labels), drawn(labels, 1)
    logits = recompute(model.network, inputs)[checker._judged].reshape(-1)
    order = logits.argsort(descending=True).tolist()
    for label, is_beyond in ((order[0], False), (order[1], True), (order[9], True), (10, True), (-1, True)):
        output = label.to_bytes(8, "big", signed=True)
        (ratio,) = checker.deviations([data_of(inputs)], [output])
        assert (ratio > 1) is is_beyond
        assert (checker.second_deviation(data_of(inputs), output) > 1) is is_beyond
    assert checker.second_deviation(data_of(inputs), (10).to_bytes(8, "big")) == INF


def test_a_wrong_label__is_proven_by_its_logits(labels: LoadedModel) -> None:
    model, checker, inputs = labels, Checker(labels), drawn(labels, 1)
    results = recompute(model.network, inputs)
    wrong = int(results[checker._judged].reshape(-1).argmin())
    case = case_of(model, checker, inputs, wrong.to_bytes(8, "big"))
    evidence, shown = opened(case, Trace.of(results))
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert proof.kind is FaultKind.LINK
    assert judge(evidence.committed, proof) is Verdict.BEYOND_SOUND


# Traces.


def test_honest_traces__have_no_fault(model: LoadedModel, checker: Checker) -> None:
    for seed in range(3):
        inputs = drawn(model, seed)
        for results in (recompute(model.network, inputs), replay(model.network, model.runner, inputs)):
            evidence, shown = opened(case_of(model, checker, inputs, run(model, inputs)), Trace.of(results))
            assert checker.find_fault(evidence, shown) is None


@pytest.mark.parametrize("value", [1234.5, NAN, -INF])
def test_a_wrong_element_of_any_step__is_proven(model: LoadedModel, checker: Checker, value: float) -> None:
    inputs = drawn(model, 1)
    honest = recompute(model.network, inputs)
    case = case_of(model, checker, inputs, run(model, inputs))
    for number in range(len(honest)):
        evidence, shown = opened(case, Trace.of(changed(honest, number, 3, value)))
        proof = checker.find_fault(evidence, shown)
        assert proof is not None, number
        assert judge(evidence.committed, proof) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie.name != "silence"], ids=lambda lie: lie.name)
def test_every_lies_trace__has_a_fault_that_slashes(model: LoadedModel, checker: Checker, lie: type[Lie]) -> None:
    inputs = drawn(model, 1)
    trace = lie().trace(model, inputs)
    assert trace is not None
    evidence, shown = opened(case_of(model, checker, inputs, lie().output(model, inputs)), trace)
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert judge(evidence.committed, proof) is Verdict.BEYOND_SOUND


def test_of_many_wrong_elements__the_worst_is_proven(model: LoadedModel, checker: Checker) -> None:
    inputs = drawn(model, 1)
    number = contractions(model)[0]
    wrong = recompute(model.network, inputs)
    for element in range(40):
        wrong = changed(wrong, number, element, float(wrong[number].view(-1)[element]) + 0.5)
    wrong = changed(wrong, number, 300, 1e6)
    needed = {number, *(operand.index for operand in model.network.graph.steps[number].operands)}
    others = [step for step in range(len(wrong)) if step not in needed]
    evidence, shown = opened(case_of(model, checker, inputs, run(model, inputs)), Trace.of(wrong), others)
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert (proof.step, proof.element) == (number, 300)


def slightly_wrong(model: LoadedModel, inputs: list[torch.Tensor]) -> tuple[list[torch.Tensor], int]:
    """Results whose first logit lies between its calibrated and its sound bound."""
    results = recompute(model.network, inputs)
    number = contractions(model)[-1]
    step, factor = model.network.graph.steps[number], model.numerics.factors[number]
    sources = {0: inputs, 1: model.network.weights, 2: results}
    operands = [sources[int(operand.source)][operand.index] for operand in step.operands]
    exact = evaluate(step, operands).reshape(-1)[0]
    sound, calibrated = (
        float(bound.reshape(-1)[0]) for bound in (bound_of(step, operands), bound_of(step, operands, factor))
    )
    assert calibrated < 0.8 * sound
    return changed(results, number, 0, float(exact) + (calibrated + sound) / 2), number


def test_an_element_beyond_its_calibrated_bound_only__is_proven_if_nothing_slashes(
    model: LoadedModel, checker: Checker
) -> None:
    inputs = drawn(model, 1)
    results, number = slightly_wrong(model, inputs)
    case = case_of(model, checker, inputs, canonical_bytes(results[-1]))
    evidence, shown = opened(case, Trace.of(results))
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert (proof.step, proof.element) == (number, 0)
    assert judge(evidence.committed, proof) is Verdict.BEYOND_CALIBRATED
    evidence, shown = opened(case, Trace.of(changed(results, contractions(model)[0], 2, 7.5)))
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert judge(evidence.committed, proof) is Verdict.BEYOND_SOUND


def test_a_claim_off_its_trace_by_more_than_the_band_only__is_rejected(model: LoadedModel, checker: Checker) -> None:
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    moved = results[-1].clone()
    moved.view(-1)[2] += 2 * band_of(model)
    evidence, shown = opened(case_of(model, checker, inputs, canonical_bytes(moved)), Trace.of(results))
    proof = checker.find_fault(evidence, shown)
    assert proof is not None
    assert (proof.kind, proof.element) == (FaultKind.LINK, 2)
    assert judge(evidence.committed, proof) is Verdict.BEYOND_CALIBRATED


def test_steps_of_which_something_is_withheld__are_passed_over(model: LoadedModel, checker: Checker) -> None:
    inputs = drawn(model, 1)
    honest, last = recompute(model.network, inputs), len(model.network.graph.steps) - 1
    case = case_of(model, checker, inputs, run(model, inputs))
    evidence, shown = opened(case, Trace.of(changed(honest, last, 0, 99.0)), [last])
    assert checker.find_fault(evidence, shown) is None
    evidence, shown = opened(case, Trace.of(changed(honest, last, 0, 99.0)), [0])
    assert checker.find_fault(evidence, shown) is not None


def test_a_deviation_of_equal_bytes__is_zero(model: LoadedModel, checker: Checker) -> None:
    inputs = drawn(model, 1)
    assert checker.deviations([data_of(inputs)], [run(model, inputs)]) == [0.0]
    assert from_bytes(model.network.graph.output, run(model, inputs)).shape == (1, 10)
