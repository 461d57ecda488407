"""Calibration: factors follow the rule from what was measured; bands leave a liar no gap; a document says so."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import torch

from executor.bounds import is_approximate, most_units
from executor.calibration import BAND_MARGIN, CONSTANT_MARGIN, LEAST_FACTOR, NATURAL_MARGIN, Plan, calibrate
from executor.calibration.document import read_document
from executor.calibration.errors import distance_of, error_of
from executor.calibration.natural import Tried, natural_errors
from executor.calibration.plan import fast_runs, ways
from executor.calibration.probe import PROBES, worst_of_constants
from executor.operators import evaluate_rounded
from executor.reach import judged_step
from executor.trace import recompute
from rollup.errors import BadEncoding, BadInput
from rollup.graph import FACTOR_ONE, Op, Step
from tests.executor.nets import ConvNet, conv_net, network_of
from tests.executor.steps import contraction, specimens


def samples(count: int, scale: float = 1.0) -> list[list[torch.Tensor]]:
    return [[torch.rand(1, 1, 8, 8) * scale] for _ in range(count)]


def test_no_samples__are_refused() -> None:
    with pytest.raises(BadInput, match="at least one sample"):
        calibrate(conv_net()[1], [])


def test_a_sample_that_overflows__is_refused_with_its_place() -> None:
    module = ConvNet()
    for weight in module.parameters():
        torch.nn.init.constant_(weight, 1.0)
    with pytest.raises(BadInput, match=r"overflows in features\.0"):
        calibrate(network_of(module, torch.zeros(1, 1, 8, 8)), samples(1, 3e38))


def test_factors__are_the_larger_of_both_margins_and_at_most_the_terms() -> None:
    _, network = conv_net()
    calibration = calibrate(network, samples(4))
    measured = 0
    triples = zip(
        network.graph.steps, calibration.numerics.factors, calibration.natural, calibration.constant, strict=True
    )
    for step, factor, natural, constant in triples:
        if not is_approximate(step):
            assert (factor, natural, constant) == (0, 0.0, 0.0)
            continue
        measured += natural > 0
        wanted = min(max(NATURAL_MARGIN * natural, CONSTANT_MARGIN * constant, LEAST_FACTOR), most_units(step))
        assert wanted * FACTOR_ONE <= factor < wanted * FACTOR_ONE + 1
    assert measured >= 3


def test_bands__leave_room_for_kernels_and_none_for_liars() -> None:
    calibration = calibrate(conv_net()[1], samples(4))
    assert 0 < calibration.output_band < 1e-5
    assert calibration.slash_band >= 2 * calibration.reach.sound.max()
    assert calibration.slash_band >= 2 * calibration.output_band
    assert BAND_MARGIN == 8


def test_calibration__leaves_the_thread_count_as_it_was() -> None:
    before = torch.get_num_threads()
    calibrate(conv_net()[1], samples(2))
    assert torch.get_num_threads() == before


def test_a_plan__looks_at_as_much_as_it_has_elements_for() -> None:
    _, network = conv_net()
    plan = Plan(threads=(1, 2), batch_sizes=(1, 4, 32))
    assert plan.sizes(network, 9) == (1, 4, 9)
    elements = sum(step.result.elements for step in network.graph.steps)
    few = replace(plan, elements=6 * 3 * elements)
    assert [way.requests for way in ways(network, few, 9)] == [3] * 6
    seen = [run.sample for run in fast_runs(network, few, samples(9))]
    # Three at batch 1; three of the first batch of 4; three of the batch of 9, from both its ends; all of it twice.
    assert seen == [0, 1, 2, 0, 3, 1, 0, 8, 1] * 2


def test_runs_of_equal_bits__are_compared_once_and_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = conv_net()
    looks: list[Op] = []

    def counted(step: Step, *rest: Any) -> float:
        looks.append(step.op)
        return error_of(step, *rest)

    monkeypatch.setattr("executor.calibration.natural.error_of", counted)
    one, same = (Plan(threads=threads, batch_sizes=(1,)) for threads in ((1,), (1, 1, 1)))
    drawn = samples(2)
    tried = Tried(drawn, [recompute(network, sample)[judged_step(network)] for sample in drawn])
    found, difference = natural_errors(network, tried, one)
    once = len(looks)
    again, same_difference = natural_errors(network, tried, same)
    assert len(looks) == 2 * once > 0
    assert (again.natural, same_difference) == (found.natural, difference)
    assert (again.runs, again.elements) == (3 * found.runs, 3 * found.elements)


def test_layers_that_are_alike__are_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    layers = torch.nn.Sequential(*(torch.nn.Linear(12, 12) for _ in range(4)), torch.nn.Linear(12, 5))
    network = network_of(layers, torch.zeros(1, 12))
    looks: list[int] = []

    def counted(step: Step, *rest: Any) -> float:
        looks.append(step.result.elements)
        return error_of(step, *rest)

    plan = Plan(threads=(1,))
    monkeypatch.setattr("executor.calibration.probe.error_of", counted)
    together = worst_of_constants(network, plan)
    assert {elements: looks.count(elements) >= len(PROBES) for elements in looks} == {12: True, 5: True}
    assert len(looks) <= 2 * 2 * len(PROBES)
    alone = worst_of_constants(network_of(layers[0], torch.zeros(1, 12)), plan)
    kernels = [error for error in together if error]
    assert kernels[:4] == [max(alone)] * 4


def test_calibration__tells_how_far_it_is_in_order() -> None:
    told: list[tuple[str, int, int]] = []
    plan = Plan(threads=(1,), batch_sizes=(1,), reach_samples=1)
    calibrate(conv_net()[1], samples(2), plan, lambda *line: told.append(line))
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["exact", "natural", "constant", "reach"]
    for stage in ("exact", "natural", "constant", "reach"):
        done = [(number, of) for name, number, of in told if name == stage]
        assert [number for number, _ in done] == list(range(done[0][1]))


def test_the_document__says_what_was_measured_and_is_named_by_the_numerics() -> None:
    _, network = conv_net()
    calibration = calibrate(network, samples(4), Plan(threads=(1,)))
    document = json.loads(calibration.document)
    profile = calibration.numerics.profile
    assert profile.digest == sha256(calibration.document).digest()[:24] == calibration.document_name[:24]
    assert document["samples"] == 4
    assert profile.samples == document["elements"]
    assert document["threads"] == [1]
    assert document["batch_sizes"] == [1, 2, 4]
    assert len(document["devices"]) == 1
    assert document["elements"] > 0
    rows = {row["step"]: row for row in document["steps"]}
    assert set(rows) == {number for number, factor in enumerate(calibration.numerics.factors) if factor}
    assert all(rows[number]["natural"] == calibration.natural[number] for number in rows)


def test_a_document_that_is_read_again__registers_the_same() -> None:
    _, network = conv_net()
    calibration = calibrate(network, samples(2), Plan(threads=(1,)))
    again = read_document(calibration.document, network)
    assert again.numerics == calibration.numerics
    assert (again.output_band, again.slash_band) == (calibration.output_band, calibration.slash_band)
    other = calibration.document.replace(network.graph.root.hex().encode(), bytes(32).hex().encode())
    with pytest.raises(BadInput, match="not of this one"):
        read_document(other, network)
    for text in (b"", b"[]", b"{}", calibration.document.replace(b'"fp32"', b'"fp33"'), b'{"format":"x"}'):
        with pytest.raises(BadEncoding):
            read_document(text, network)


def test_an_error__is_in_units_of_the_steps_scale() -> None:
    specimen = contraction()
    step, operands = specimen.step, specimen.operands
    result = evaluate_rounded(step, operands)
    assert error_of(step, operands, result) <= 1.0
    sizes = sum_of_sizes(operands)
    wrong = result.clone()
    wrong[1, 2, 3] += 40 * 2.0**-24 * sizes[1, 2, 3]
    assert 38 < error_of(step, operands, wrong) < 42


def sum_of_sizes(operands: tuple[torch.Tensor, ...]) -> torch.Tensor:
    a, b, bias = (operand.double().abs() for operand in operands)
    return (a @ b.transpose(1, 2) + bias).float()


@pytest.mark.parametrize("specimen", [one for one in specimens() if is_approximate(one.step)], ids=lambda one: one.name)
def test_the_exact_result__has_hardly_an_error(specimen: object) -> None:
    step, operands = specimen.step, specimen.operands  # type: ignore[attr-defined]
    assert error_of(step, operands, evaluate_rounded(step, operands)) <= (3.0 if step.op is not Op.CONTRACT else 1.0)


def test_what_rounding_to_16_bits_may_make__is_no_error() -> None:
    exact = torch.tensor([1.0 + 2.0**-9, 1.0 + 2.0**-8 + 2.0**-30, 1.0 - 2.0**-9, 1.0 - 2.0**-8], dtype=torch.float64)
    result = torch.ones(4, dtype=torch.bfloat16)
    assert distance_of(result, exact).tolist() == [0.0, 2.0**-30, 0.0, 2.0**-9]


def test_statistics_of_a_batch_norm__stay_its_own_while_its_input_is_constant() -> None:
    torch.manual_seed(4)
    module = torch.nn.BatchNorm1d(6).eval()
    module.running_mean, module.running_var = torch.randn(6), torch.rand(6) + 0.5
    network = network_of(module, torch.zeros(1, 6))
    found = calibrate(network, [[torch.randn(1, 6)] for _ in range(2)])
    assert 0 < max(found.errors.constant) < 8
