"""Reach: an attack that errs at every step as far as it may moves the output that far, and no farther."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from executor.bounds import bound_of
from executor.calibration import calibrate
from executor.network import Network, operands_of
from executor.operators import evaluate
from executor.reach import judged_step, reach_of
from rollup.graph import Op
from tests.executor.nets import Labels, conv_net, network_of


def test_an_attack_at_every_bound__stays_within_reach_and_comes_near() -> None:
    _, network = conv_net()
    inputs = [torch.rand(1, 1, 8, 8)]
    numerics = calibrate(network, [inputs]).numerics
    reach = reach_of(network, numerics, inputs)
    shifts = attack(network, inputs)
    moved = abs(run(network, inputs, shifts)[0] - run(network, inputs, {})[0])
    # Doubled on purpose, so a first-order attack reaches about half.
    assert 0.4 * reach.sound[0] < moved <= reach.sound[0]
    assert (reach.calibrated < reach.sound).all()


def attack(network: Network, inputs: list[Tensor]) -> dict[int, Tensor]:
    """Shifts of every contraction to its sound bound, each in the direction that raises output 0."""
    shifts, bounds = {}, {}
    results: list[Tensor] = []
    for number, step in enumerate(network.graph.steps):
        operands = doubles(operands_of(step, inputs, network.weights, results))
        result = evaluate(step, operands)
        if step.op is Op.CONTRACT:
            shifts[number] = torch.zeros(step.result.shape, dtype=torch.float64, requires_grad=True)
            bounds[number] = bound_of(step, [operand.detach() for operand in operands])
            result = result + shifts[number]
        results.append(result)
    slopes = torch.autograd.grad(results[-1].view(-1)[0], list(shifts.values()))
    return {number: slope.sign() * bounds[number] for number, slope in zip(shifts, slopes, strict=True)}


def run(network: Network, inputs: list[Tensor], shifts: dict[int, Tensor]) -> NDArray[np.float64]:
    """Outputs of an exact run that is shifted at each step."""
    results: list[Tensor] = []
    for number, step in enumerate(network.graph.steps):
        operands = doubles(operands_of(step, inputs, network.weights, results))
        results.append(evaluate(step, operands) + shifts.get(number, 0))
    return results[-1].flatten().numpy()


def doubles(operands: list[Tensor]) -> list[Tensor]:
    return [operand.double() for operand in operands]


def test_under_labels__the_logits_are_judged() -> None:
    torch.manual_seed(2)
    network = network_of(Labels(), torch.zeros(1, 1, 8, 8))
    assert judged_step(network) == len(network.graph.steps) - 2
    inputs = [torch.rand(1, 1, 8, 8)]
    reach = reach_of(network, calibrate(network, [inputs]).numerics, inputs)
    assert reach.sound.shape == (10,)
    assert (reach.sound > 0).all()


def test_the_wider_of_two__is_taken_element_by_element() -> None:
    _, network = conv_net()
    samples = [[torch.rand(1, 1, 8, 8)] for _ in range(2)]
    numerics = calibrate(network, samples).numerics
    first, second = (reach_of(network, numerics, sample) for sample in samples)
    assert np.array_equal(first.wider(second).sound, np.maximum(first.sound, second.sound))
