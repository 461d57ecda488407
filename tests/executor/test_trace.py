"""Traces: honest ones pass the judge on every element, however the run was made; nothing else is opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from executor.calibration import Calibration, calibrate
from executor.network import Network, operands_of
from executor.replay import Results, replay_batch
from executor.runner import Runner
from executor.tensors import bits_of_f32_above, canonical_bytes, f32_of_bits, to_canonical
from executor.threads import thread_count
from executor.trace import Request, Trace, is_inside, is_linked, recompute, replay, trace_for
from rollup.errors import Doubt
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.tensor import Bundle
from rollup.types import Verdict
from tests.executor.nets import Labels, conv_net, network_of, tangle


def calibrated(network: Network) -> Calibration:
    shape = network.program.inputs[0].shape
    return calibrate(network, [[torch.rand(shape)] for _ in range(8)])


def claim(calibration: Calibration, inputs: list[bytes], output: bytes) -> Request:
    return Request(inputs, output, f32_of_bits(bits_of_f32_above(calibration.output_band)))


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    with thread_count(request.param):
        yield request.param


def faults(network: Network, inputs: list[torch.Tensor], results: Results, factors: tuple[int, ...]) -> list[object]:
    """Every element that the exact judge finds beyond its calibrated bound."""
    found: list[object] = []
    for step, result, factor in zip(network.graph.steps, results, factors, strict=True):
        operands = operands_of(step, inputs, network.weights, results)
        tensors = [to_canonical(tensor) for tensor in (result, *operands)]
        for element in range(step.result.elements):
            opened = open_tensors(step, element, tensors)
            if evaluate(step, opened.values, opened.hint, factor).verdict is not Verdict.NO_FAULT:
                found.append((step.op, element))
    return found


@pytest.mark.parametrize("make", [conv_net, tangle])
def test_honest_runs__have_no_fault_at_any_batch_and_thread_count(make: object, threads: int) -> None:
    _, network = make()  # type: ignore[operator]
    factors = calibrated(network).numerics.factors
    shape = network.program.inputs[0].shape
    for count in (1, 3):
        batch = [[torch.rand(shape)] for _ in range(count)]
        (results,) = replay_batch(network, batch, [count - 1])
        assert faults(network, batch[-1], results, factors) == []


def test_an_input_chosen_to_err__has_no_fault_either() -> None:
    # Constant rows make sums err most.
    _, network = conv_net()
    numerics = calibrated(network).numerics
    for value in (0.1, 1 / 3, 0.7):
        inputs = [torch.full((1, 1, 8, 8), value)]
        for results in (replay(network, Runner(network), inputs), recompute(network, inputs)):
            assert faults(network, inputs, results, numerics.factors) == []
            assert is_inside(network, numerics, inputs, results)


def test_a_changed_element_of_any_step__is_not_inside() -> None:
    _, network = tangle()
    numerics = calibrated(network).numerics
    inputs = [torch.rand(1, 4, 6, 6)]
    for number in range(len(network.graph.steps)):
        results = recompute(network, inputs)
        results[number] = results[number].clone()
        results[number].view(-1)[0] = 1234.5
        assert not is_inside(network, numerics, inputs, results), network.graph.steps[number]


def test_a_trace__commits_every_step_in_order() -> None:
    _, network = conv_net()
    results = recompute(network, [torch.rand(1, 1, 8, 8)])
    trace = Trace.of(results)
    assert [tensor.spec for tensor in trace.tensors] == [step.result for step in network.graph.steps]
    assert trace.root == Bundle([to_canonical(result).root for result in results]).root


def test_an_output_that_no_run_gives__is_not_opened() -> None:
    _, network = conv_net()
    calibration, runner = calibrated(network), Runner(network)
    inputs = [canonical_bytes(torch.rand(1, 1, 8, 8))]
    output = bytearray(runner.run([inputs])[0])
    output[0] ^= 0x80
    with pytest.raises(Doubt, match="no run of the graph"):
        trace_for(network, calibration.numerics, runner, claim(calibration, inputs, bytes(output)))


def test_the_output_of_a_batch__is_opened_by_a_trace_that_links() -> None:
    _, network = conv_net()
    calibration, runner = calibrated(network), Runner(network)
    batch = [[canonical_bytes(torch.rand(1, 1, 8, 8))] for _ in range(5)]
    for inputs, output in zip(batch, runner.run(batch), strict=True):
        trace = trace_for(network, calibration.numerics, runner, claim(calibration, inputs, output))
        assert len(trace.tensors) == len(network.graph.steps)


def test_a_recomputation_outside_the_band__is_replaced_by_a_replay() -> None:
    _, network = conv_net()
    calibration, runner = calibrated(network), Runner(network)
    drawn = ([torch.rand(1, 1, 8, 8)] for _ in range(100))
    # Kernels agree to the bit on a few inputs.
    inputs = next(x for x in drawn if not torch.equal(recompute(network, x)[-1], replay(network, runner, x)[-1]))
    fast = replay(network, runner, inputs)
    data, output = [canonical_bytes(inputs[0])], canonical_bytes(fast[-1])
    narrow = Request(data, output, 0.0)
    assert trace_for(network, calibration.numerics, runner, narrow).root == Trace.of(fast).root


def test_a_label__is_linked_within_the_band_of_the_largest_logit() -> None:
    torch.manual_seed(1)
    network = network_of(Labels(), torch.zeros(1, 1, 8, 8))
    results = recompute(network, [torch.rand(1, 1, 8, 8)])
    logits = results[-2][0]
    second = int(logits.argsort()[-2])
    gap = float(logits.max() - logits[second])
    claimed = second.to_bytes(8, "big")
    assert not is_linked(network, gap * 0.99, results, claimed)
    assert is_linked(network, gap * 1.01, results, claimed)
    assert not is_linked(network, 1e9, results, (10).to_bytes(8, "big"))
