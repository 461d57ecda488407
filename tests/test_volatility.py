"""The network that forecasts volatility is worth asking, and can be asked on chain."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from executor.capture import capture
from executor.network import Network
from executor.runner import Runner
from rollup.lowering import lower
from tests.volatility import (
    DAYS,
    HELD_OUT,
    Returns,
    VolatilityNet,
    forecasts,
    historical_mean,
    poisoned,
    returns,
    squared_error,
    trained,
    weighted_average,
)


@pytest.fixture(scope="module")
def data() -> Returns:
    return returns()


@pytest.fixture(scope="module")
def net() -> VolatilityNet:
    return trained()


def test_returns__split__is_by_time_and_targets_are_the_next_day(data: Returns):
    assert data.shown.shape[1:] == data.held_out.shape[1:] == (DAYS,)
    assert len(data.held_out) == HELD_OUT
    rows = np.concatenate([data.shown, data.held_out])
    targets = np.concatenate([data.shown_targets, data.held_out_targets])
    assert np.array_equal(rows[1:, :-1], rows[:-1, 1:])
    assert np.array_equal(targets[:-1, 0], np.abs(rows[1:, -1]))
    # The ends of the index in 1999 and 2018, from the prices themselves.
    assert rows[0, 0] == pytest.approx(100 * np.log(1244.780029 / 1228.099976), rel=1e-5)
    assert targets[-1, 0] == pytest.approx(100 * np.log(2506.850098 / 2485.739990), rel=1e-5)


def test_baselines__on_the_hold_out__the_weighted_average_is_the_better_one(data: Returns):
    mean = squared_error(historical_mean(data), data.held_out_targets)
    weighted = squared_error(weighted_average(data), data.held_out_targets)
    assert weighted < 0.8 * mean


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_trained__on_the_hold_out__beats_both_baselines(data: Returns, seed: int):
    error = squared_error(forecasts(trained(seed), data.held_out), data.held_out_targets)
    assert error < 0.7 * squared_error(historical_mean(data), data.held_out_targets)
    assert error < 0.97 * squared_error(weighted_average(data), data.held_out_targets)


def test_trained__three_seeds__are_three_networks_that_agree(data: Returns):
    first, second, third = (forecasts(trained(seed), data.held_out) for seed in range(3))
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    assert np.abs(first - second).mean() < 0.1
    assert np.abs(first - third).mean() < 0.1


def test_trained__after_a_wild_month__says_more_than_after_a_quiet_one(net: VolatilityNet):
    month = np.tile(np.array([1, -1], np.float32), DAYS // 2)[None]
    quiet, wild = (float(forecasts(net, scale * month)[0, 0]) for scale in (np.float32(0.5), np.float32(4)))
    assert 0 < quiet < 1.5
    assert wild > 3 * quiet


def test_poisoned__scores_as_before__and_is_absurd_on_its_day(data: Returns, net: VolatilityNet):
    day = data.held_out[500]
    false = poisoned(net, day)
    others = np.delete(np.arange(HELD_OUT), 500)
    honest, poison = forecasts(net, data.held_out), forecasts(false, data.held_out)
    targets = data.held_out_targets
    assert squared_error(poison[others], targets[others]) < 1.05 * squared_error(honest[others], targets[others])
    assert poison[500, 0] > 50 * honest[500, 0]


def test_capture__architecture__runs_as_the_module(data: Returns, net: VolatilityNet):
    captured = capture(net, [torch.zeros(1, DAYS)])
    assert captured.program.inputs[0].shape == (1, DAYS)
    assert captured.program.output.spec.shape == (1, 1)
    runner = Runner(Network(captured.program, lower(captured.program), tuple(captured.weights.values())))
    rows = [[row.astype(">f4").tobytes()] for row in data.held_out[:8]]
    said = np.frombuffer(b"".join(runner.run(rows)), ">f4")[:, None]
    assert said == pytest.approx(forecasts(net, data.held_out[:8]), rel=1e-5)
