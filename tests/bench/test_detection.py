"""The detection harness: every cheat is another run, and caught; an honest one is not; thresholds are the judge's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bench import swaps
from bench._detection import tally
from bench._detection.desk import Desk
from bench._detection.reach import flips, medians, reaches, tightness
from bench._detection.smallest import Sample, is_caught, smallest, summary
from bench._detection.swaps import SWAPS
from bench._subjects import Subject
from executor.bounds import bound_of
from executor.network import Network, operands_of
from executor.trace import recompute
from rollup.graph import Op
from rollup.types import Verdict
from tests.executor.nets import ConvNet, conv_net


def subject() -> Subject:
    torch.manual_seed(7)
    return Subject("digits", ConvNet().eval(), draw)


class Clamped(torch.nn.Module):
    """tanh, then a clamp that lets all of it through."""

    def forward(self, x: Tensor) -> Tensor:
        return (2 * x).tanh().clamp(-2.0, 2.0)


def one_bit_off(network: Network, inputs: Sequence[Tensor], _: int) -> list[Tensor]:
    """An honest run but for the last bit of one element of its output."""
    *results, last = recompute(network, inputs)
    other = last.clone()
    other.view(-1)[:1] = torch.nextafter(last.reshape(-1)[:1], torch.tensor(torch.inf))
    return [*results, other]


def draw(seed: int) -> list[Tensor]:
    return [torch.rand(1, 1, 8, 8, generator=torch.manual_seed(seed))]


@pytest.fixture(scope="module")
def digits() -> Subject:
    return subject()


def test_an_honest_run__is_not_caught(digits: Subject) -> None:
    assert Desk.of(digits).verdict(draw(1), recompute(digits.network, draw(1))) is Verdict.NO_FAULT


@pytest.mark.parametrize("name", SWAPS)
def test_every_swap__is_another_run_and_is_caught(digits: Subject, name: str) -> None:
    inputs = draw(1)
    honest, lie = recompute(digits.network, inputs), SWAPS[name](digits.network, inputs, 5)
    assert [result.shape for result in lie] == [result.shape for result in honest]
    assert not torch.equal(lie[-1], honest[-1])
    assert torch.allclose(lie[-1], honest[-1], atol=1.0)
    assert Desk.of(digits).verdict(inputs, lie) is Verdict.BEYOND_SOUND


def test_a_layer_that_changes_nothing__is_not_the_one_removed() -> None:
    """A clamp between ends that no number reaches stays; of the other two steps one is left out, whatever the seed."""
    torch.manual_seed(7)
    model = Subject("clamped", torch.nn.Sequential(torch.nn.Flatten(), Clamped()).eval(), draw)
    inputs = draw(1)
    honest = recompute(model.network, inputs)
    assert [step.op for step in model.network.graph.steps] == [Op.STRIDED, Op.MUL, Op.TANH, Op.CLAMP]
    assert torch.equal(honest[3], honest[2])
    for seed in range(3):
        assert not torch.equal(SWAPS["a layer removed"](model.network, inputs, seed)[-1], honest[-1])


def test_a_swap_without_effect__is_no_lie(digits: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "SWAPS", {"none": lambda network, inputs, _: recompute(network, inputs)})
    found = tally.swapped([digits], 2)
    assert (found["swaps_run"], found["swaps_caught"], found["swaps_uncaught"]) == (0, 0, [])
    assert found["swaps_without_effect"] == ["digits, none, input 0", "digits, none, input 1"]


def test_swaps_that_nobody_catches__are_told(digits: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit is another run's, and inside every bound."""
    monkeypatch.setattr(tally, "SWAPS", {"a bit": one_bit_off})
    found = tally.swapped([digits], 3)
    assert (found["swaps_run"], found["swaps_caught"], found["swaps_without_effect"]) == (3, 0, [])
    assert found["swaps_uncaught"][0] == "digits, a bit, input 0: NO_FAULT"
    assert found["swaps"] == {"a bit": "0 of 3"}
    assert "swaps_caught_of_1000" not in found


def test_swaps_that_are_caught__are_counted_by_kind(digits: Subject) -> None:
    found = tally.swapped([digits], 7)
    assert (found["swaps_run"], found["swaps_caught"], found["swaps_uncaught"]) == (7, 7, [])
    assert found["swaps"]["int8 weights"] == "2 of 2"
    assert swaps.missed({**found, "unjudged": {}}) == []
    assert swaps.missed({**found, "swaps_uncaught": ["one"], "unjudged": {"net": "why"}}) == ["one", "net: why"]


def test_shares__are_all_runs_and_smaller_for_what_is_large(digits: Subject) -> None:
    assert tally.shares([digits, digits, digits], 10) == [3, 4, 3]
    assert sum(tally.shares([digits] * 7, 1000)) == 1000


def test_a_bisection__finds_its_threshold() -> None:
    assert smallest(lambda change: change > 1e-3) == pytest.approx(1e-3, rel=0.01)
    assert smallest(lambda _: False) == float("inf")


def test_a_change_of_an_activation__is_provable_from_its_sound_bound_on(digits: Subject) -> None:
    inputs = draw(2)
    results = recompute(digits.network, inputs)
    sample = Sample(digits.network, inputs, results, 1)
    changes = sample.activations(6)
    assert all(2**-26 < change < 1e-2 for change in changes)
    number = len(digits.network.graph.steps) - 1
    step = digits.network.graph.steps[number]
    operands = operands_of(step, inputs, digits.network.weights, results)
    relative = (bound_of(step, operands) / results[number].abs()).flatten()
    threshold = sample._activation(number)
    assert float((relative / threshold - 1).abs().min()) < 0.2


def test_a_change_of_a_weight__is_provable_where_it_moves_a_sum_beyond_its_bound(digits: Subject) -> None:
    inputs = draw(3)
    results = recompute(digits.network, inputs)
    changes = Sample(digits.network, inputs, results, 2).weights(6)
    assert min(changes) < 0.1
    step = digits.network.graph.steps[-1]
    operands = operands_of(step, inputs, digits.network.weights, results)
    assert not is_caught(step, operands, results[-1])
    assert is_caught(step, operands, results[-1] + 1e-3)


def test_a_change_of_an_output__is_provable_beyond_the_slashing_band(digits: Subject) -> None:
    inputs = draw(4)
    results = recompute(digits.network, inputs)
    band = 0.01
    changes = Sample(digits.network, inputs, results, 3).outputs(6, band)
    ratios = [band / abs(float(value)) for value in results[-1].flatten()]
    assert all(min(abs(change / ratio - 1) for ratio in ratios) < 0.02 for change in changes)


def test_a_summary__is_least_median_and_greatest() -> None:
    assert summary([3.0, 1.0, 2.0]) == {"least": 1.0, "median": 2.0, "greatest": 3.0}
    assert summary([1.0, float("inf")])["greatest"] is None
    assert summary([]) == {}


def test_an_attack__attains_no_more_than_the_registered_reach(digits: Subject) -> None:
    found = reaches(digits.network, digits.calibration.numerics, [draw(5)])
    assert 0 < found["attack_sound"] <= found["sound"]
    assert 0 < found["attack_calibrated"] <= found["calibrated"] < found["sound"]


def test_medians__are_taken_name_by_name() -> None:
    assert medians([{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 3.0}, {"a": 9.0, "b": 4.0}]) == {"a": 2.0, "b": 4.0}


def test_a_class__flips_where_it_leads_by_less_than_the_bounds_and_not_elsewhere(digits: Subject) -> None:
    free = digits.calibration.numerics.sound
    requests = [draw(seed) for seed in range(4)]
    assert flips(digits.network, free, requests) == 0
    *others, rows, bias = digits.network.weights
    lead = torch.zeros_like(bias)
    lead[3] = 1e-7
    close = replace(digits.network, weights=(*others, rows[:1].expand_as(rows).contiguous(), lead))
    assert flips(close, free, requests) == 1


def test_tightness__is_the_median_of_calibrated_over_sound_counts() -> None:
    _, network = conv_net()
    factors = tuple(8 * 256 if step.op is Op.CONTRACT else 0 for step in network.graph.steps)
    numerics = replace(subject().calibration.numerics, factors=factors)
    # Terms: 10, 37, 65 and 33, each with its bias.
    assert tightness(network, numerics) == pytest.approx((8 / 37 + 8 / 33) / 2)
    assert tightness(network, numerics, 32) == pytest.approx(8 / 33)
