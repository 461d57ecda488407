"""Reach: a run that errs at every step as far as it may moves the output that far, and no farther."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from executor.calibration import calibrate
from executor.network import Network
from executor.reach import DOUBLED, attack, is_computed, judged_step, reach_of, sampled, shaken
from executor.trace import is_inside, recompute
from rollup.graph import Numerics
from tests.executor.nets import Labels, conv_net, network_of, tangle


def calibrated(network: Network) -> tuple[list[torch.Tensor], Numerics]:
    inputs = [torch.rand(network.program.inputs[0].shape, generator=torch.Generator().manual_seed(1))]
    return inputs, calibrate(network, [inputs]).numerics


@pytest.mark.parametrize("network", [conv_net()[1], tangle()[1]], ids=["conv_net", "tangle"])
@pytest.mark.parametrize("is_sound", [True, False])
def test_an_attack__is_a_run_inside_every_bound_and_comes_near_its_reach(network: Network, is_sound: bool) -> None:
    inputs, numerics = calibrated(network)
    reach = reach_of(network, numerics, inputs)
    bounding = numerics.sound if is_sound else numerics
    limits = reach.sound if is_sound else reach.calibrated
    judged, honest = judged_step(network), recompute(network, inputs)
    for element in range(3):
        direction = torch.zeros(honest[judged].shape)
        direction.view(-1)[element] = 1.0
        for sign in (1, -1):
            results = attack(network, bounding, inputs, sign * direction)
            assert is_inside(network, bounding, inputs, results)
            moved = sign * float((results[judged] - honest[judged]).view(-1)[element])
            # Doubled on purpose, so that a first-order attack reaches about half; rounding may take some of it away.
            assert 0.5 / DOUBLED * limits[element] < moved <= limits[element]


def test_an_attack_at_the_sound_bounds__is_outside_the_calibrated_ones() -> None:
    _, network = conv_net()
    inputs, numerics = calibrated(network)
    results = attack(network, numerics.sound, inputs, torch.ones(1, 10))
    assert not is_inside(network, numerics, inputs, results)


@pytest.mark.parametrize("network", [conv_net()[1], tangle()[1]], ids=["conv_net", "tangle"])
def test_shaken_runs__are_inside_every_bound_and_mirror_each_other_in_pairs(network: Network) -> None:
    inputs, numerics = calibrated(network)
    runs, honest = list(shaken(network, numerics, inputs, 2, seed=1)), recompute(network, inputs)
    assert all(is_inside(network, numerics, inputs, results) for results in runs)
    first = next(number for number, step in enumerate(network.graph.steps) if is_computed(step))
    moved = [(results[first] - honest[first]).sign() for results in runs]
    assert torch.equal(moved[0], -moved[1])
    assert torch.equal(moved[2], -moved[3])
    assert not torch.equal(moved[0], moved[2])


def test_calibrated_reach__is_below_the_sound_one() -> None:
    _, network = conv_net()
    inputs, numerics = calibrated(network)
    reach = reach_of(network, numerics, inputs)
    assert (reach.calibrated < reach.sound).all()


def test_a_blocked_sum__has_less_reach() -> None:
    _, network = conv_net()
    inputs, numerics = calibrated(network)
    blocked = replace(numerics, profile=replace(numerics.profile, blocked=True))
    assert (reach_of(network, blocked, inputs).sound < reach_of(network, numerics, inputs).sound).all()


def test_under_labels__the_logits_are_judged() -> None:
    torch.manual_seed(2)
    network = network_of(Labels(), torch.zeros(1, 1, 8, 8))
    assert judged_step(network) == len(network.graph.steps) - 2
    inputs, numerics = calibrated(network)
    reach = reach_of(network, numerics, inputs)
    assert reach.sound.shape == (10,)
    assert (reach.sound > 0).all()


def test_of_many_elements__a_sample_is_taken_and_always_the_same() -> None:
    assert sampled(5, 8) == [0, 1, 2, 3, 4]
    some = sampled(1000, 8)
    assert len(set(some)) == 8
    assert some == sampled(1000, 8)
    assert 0 <= min(some) < max(some) < 1000
    _, network = conv_net()
    inputs, numerics = calibrated(network)
    few, all_ = reach_of(network, numerics, inputs, 4), reach_of(network, numerics, inputs)
    assert np.array_equal(few.sound, all_.sound[sampled(10, 4)])


def test_the_wider_of_two__is_taken_element_by_element() -> None:
    _, network = conv_net()
    samples = [[torch.rand(1, 1, 8, 8)] for _ in range(2)]
    numerics = calibrate(network, samples).numerics
    first, second = (reach_of(network, numerics, sample) for sample in samples)
    assert np.array_equal(first.wider(second).sound, np.maximum(first.sound, second.sound))
