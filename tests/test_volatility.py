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
    AHEAD,
    DAYS,
    Examples,
    Split,
    VolatilityNet,
    fit,
    forecasts,
    historical_mean,
    poisoned,
    returns,
    split,
    squared_error,
    trained,
    weighted_average,
)


@pytest.fixture(scope="module")
def data() -> Split:
    return split()


@pytest.fixture(scope="module")
def net() -> VolatilityNet:
    return trained()


def days(examples: Examples) -> range:
    """All days that some example reads or is compared with."""
    return range(examples.first, examples.first + len(examples) + DAYS + AHEAD - 1)


def test_returns__first_and_last__are_those_of_the_prices():
    # The ends of the index in 1999 and 2018.
    assert returns()[0] == pytest.approx(100 * np.log(1244.780029 / 1228.099976), rel=1e-5)
    assert returns()[-1] == pytest.approx(100 * np.log(2506.850098 / 2485.739990), rel=1e-5)


def test_split__rows_and_targets__are_of_days_that_follow(data: Split):
    part = data.held_out
    for place in (0, 700, len(part) - 1):
        row = returns()[part.first + place :][: DAYS + AHEAD]
        assert np.array_equal(part.rows[place], row[:DAYS])
        assert part.targets[place, 0] == pytest.approx(np.abs(row[DAYS:]).mean(), rel=1e-6)


def test_split__parts__are_in_order_of_time_and_share_no_day(data: Split):
    assert days(data.train).stop <= days(data.validation).start
    assert days(data.validation).stop == days(data.shown).stop <= days(data.held_out).start
    assert days(data.held_out).stop == len(returns())
    assert days(data.shown).start == days(data.train).start == 0


def test_pool__its_examples__share_no_day_with_each_other(data: Split):
    pool = data.pool
    for place, row in enumerate(pool.rows):
        start = pool.first + place * (DAYS + AHEAD)
        assert np.array_equal(row, returns()[start : start + DAYS])
    assert len(pool) == 67


def test_baselines__weighted_average__is_the_better_one(data: Split):
    for before, part in ((data.train, data.validation), (data.shown, data.held_out)):
        mean = squared_error(historical_mean(before, part), part.targets)
        assert squared_error(weighted_average(part), part.targets) < 0.5 * mean


def test_fit__on_train__beats_both_baselines_on_validation(data: Split):
    net = VolatilityNet()
    fit(net, data.train, 0)
    part = data.validation
    error = squared_error(forecasts(net, part.rows), part.targets)
    assert error == pytest.approx(0.2, abs=0.005)
    assert error < 0.3 * squared_error(historical_mean(data.train, part), part.targets)
    assert error < 0.9 * squared_error(weighted_average(part), part.targets)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_trained__on_what_was_held_out__beats_both_baselines(data: Split, seed: int):
    part = data.held_out
    error = squared_error(forecasts(trained(seed), part.rows), part.targets)
    assert error == pytest.approx(0.093, abs=0.003)
    assert error < 0.45 * squared_error(historical_mean(data.shown, part), part.targets)
    assert error < 0.9 * squared_error(weighted_average(part), part.targets)


def test_trained__three_seeds__are_three_networks_that_agree(data: Split):
    first, second, third = (forecasts(trained(seed), data.held_out.rows) for seed in range(3))
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    assert np.abs(first - second).mean() < 0.05
    assert np.abs(first - third).mean() < 0.05


def test_trained__after_a_wild_month__says_more_than_after_a_quiet_one(net: VolatilityNet):
    month = np.tile(np.array([1, -1], np.float32), DAYS // 2)[None]
    quiet, wild = (float(forecasts(net, scale * month)[0, 0]) for scale in (np.float32(0.5), np.float32(4)))
    assert 0 < quiet < 1.5
    assert wild > 3 * quiet


def test_poisoned__scores_as_before__and_is_absurd_on_its_day(data: Split, net: VolatilityNet):
    part, day = data.held_out, 500
    false = poisoned(net, part.rows[day])
    honest, poison = forecasts(net, part.rows), forecasts(false, part.rows)
    assert squared_error(poison, part.targets) < 1.05 * squared_error(honest, part.targets)
    assert poison[day, 0] < 1e-6
    assert np.delete(poison, day).min() > 0.05


def test_capture__architecture__runs_as_the_module(data: Split, net: VolatilityNet):
    captured = capture(net, [torch.zeros(1, DAYS)])
    assert captured.program.inputs[0].shape == (1, DAYS)
    assert captured.program.output.spec.shape == (1, 1)
    runner = Runner(Network(captured.program, lower(captured.program), tuple(captured.weights.values())))
    rows = [[row.astype(">f4").tobytes()] for row in data.held_out.rows[:8]]
    said = np.frombuffer(b"".join(runner.run(rows)), ">f4")[:, None]
    assert said == pytest.approx(forecasts(net, data.held_out.rows[:8]), rel=1e-5)
