"""Calibration: factors follow the rule from what was measured; bands leave a liar no gap."""

from __future__ import annotations

import pytest
import torch

from executor.calibration import (
    BAND_MARGIN,
    CONSTANT_MARGIN,
    LEAST_FACTOR,
    NATURAL_MARGIN,
    calibrate,
)
from executor.operators import terms_of
from rollup.errors import BadInput
from rollup.graph import FACTOR_ONE, Op
from tests.executor.nets import ConvNet, conv_net, network_of


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
        if step.op is not Op.CONTRACT:
            assert (factor, natural, constant) == (0, 0.0, 0.0)
            continue
        measured += natural > 0
        wanted = min(max(NATURAL_MARGIN * natural, CONSTANT_MARGIN * constant, LEAST_FACTOR), terms_of(step))
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
