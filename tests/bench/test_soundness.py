"""The soundness harness finds what it looks for: a kernel that errs too far, a filter that is too strict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from bench._soundness import refusals
from bench._soundness.campaign import Budget, Campaign
from bench._soundness.engines import COMPILED, ENGINES, Engines, everything
from bench._soundness.inputs import KINDS, crafted
from bench._soundness.orders import is_sum, resummed
from bench._soundness.probes import factors_of, inputs_of, probes_of, weighted
from bench._soundness.tally import FilterTooStrict, judge_run, judge_step
from bench._subjects import Subject
from executor.network import Network, operands_of
from executor.operators.places import MOVEMENT
from executor.replay import replay_batch
from executor.runner import Runner
from executor.trace import Results, recompute
from rollup.graph import Op
from tests.executor.nets import conv_net, tangle


def subject() -> Subject:
    module, _ = conv_net()
    return Subject("digits", module, lambda seed: [torch.rand(1, 1, 8, 8, generator=torch.manual_seed(seed))])


def computed(network: Network) -> int:
    return sum(step.result.elements for step in network.graph.steps if step.op not in MOVEMENT)


def honest() -> tuple[Network, list[Tensor], Results]:
    _, network = conv_net()
    inputs = [torch.rand(1, 1, 8, 8, generator=torch.manual_seed(3))]
    return network, inputs, replay_batch(network, [inputs])[0]


def loose(network: Network) -> list[int]:
    return [2**24] * len(network.graph.steps)


def test_an_honest_run__is_judged_whole_and_free_of_faults() -> None:
    network, inputs, results = honest()
    tally = judge_run(network, loose(network), inputs, results)
    assert (tally.judged_elements, tally.false_faults, tally.runs) == (computed(network), 0, 1)


def test_one_element_beyond_its_bound__is_a_fault_and_a_suspect() -> None:
    network, inputs, results = honest()
    last = results[-1].clone()
    last[0, 3] += 1e-3
    tally = judge_run(network, loose(network), inputs, [*results[:-1], last])
    assert (tally.false_faults, tally.suspects, tally.beyond_calibrated) == (1, 1, 1)


def test_an_element_beyond_the_calibrated_bound_only__is_no_fault() -> None:
    network, inputs, results = honest()
    step = network.graph.steps[-1]
    operands = operands_of(step, inputs, network.weights, results)
    exact = recompute(network, inputs)[-1]
    moved = exact + 4e-7 * exact.abs().clamp(min=0.1)
    tally = judge_step(step, operands, moved, 1)
    assert tally.beyond_calibrated > 0
    assert (tally.false_faults, tally.suspects) == (0, 0)


def test_a_filter_that_suspects_honest_elements__is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    network, inputs, results = honest()
    step = network.graph.steps[-1]
    operands = operands_of(step, inputs, network.weights, results)
    monkeypatch.setattr("bench._soundness.tally.inside", lambda *_: torch.zeros(1, 10, dtype=torch.bool))
    tally = judge_step(step, operands, results[-1], 2**24)
    assert (tally.suspects, tally.false_faults) == (10, 0)
    monkeypatch.setattr("bench._soundness.tally.MAX_SUSPECTS", 9)
    with pytest.raises(FilterTooStrict):
        judge_step(step, operands, results[-1], 2**24)


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != COMPILED])
def test_every_engine__runs_each_request_of_a_batch_by_itself(engine: str) -> None:
    _, network = tangle()
    requests = [[torch.rand(1, 4, 6, 6, generator=torch.manual_seed(seed))] for seed in range(3)]
    runs = Engines(network).run(engine, requests, 3, 0)
    assert len(runs) == 3
    for inputs, results in zip(requests, runs, strict=True):
        for mine, exact in zip(results, recompute(network, inputs), strict=True):
            assert torch.allclose(mine, exact, rtol=1e-3, atol=1e-5)


def test_compiled_code__gives_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def compile_(module: object, dynamic: bool) -> object:
        seen.append(dynamic)
        return module

    monkeypatch.setattr(torch, "compile", compile_)
    network, inputs, results = honest()
    (run,) = Engines(network).run(COMPILED, [inputs], 1, 0)
    assert seen == [False]
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(run, results, strict=True))


def test_everything__gives_what_each_call_made() -> None:
    _, network = tangle()
    runner = Runner(network)
    inputs = [torch.rand(2, 4, 6, 6)]
    made: Sequence[Tensor] = everything(runner.module)(*inputs)
    assert len(made) == len(network.program.calls)
    assert torch.equal(made[-1], runner.module(*inputs))


def test_a_sum_in_another_order__is_another_sum_of_the_same_terms() -> None:
    network, inputs, results = honest()
    differing = 0
    for step in filter(is_sum, network.graph.steps):
        operands = operands_of(step, inputs, network.weights, results)
        for seed in range(4):
            other = resummed(step, operands, torch.Generator().manual_seed(seed))
            result = results[network.graph.steps.index(step)]
            differing += not torch.equal(other, result)
            assert torch.allclose(other, result, rtol=1e-4, atol=1e-6)
    assert differing > 0


def test_probes__cover_every_function_of_a_model() -> None:
    _, network = tangle()
    inputs = [torch.rand(1, 4, 6, 6)]
    results = recompute(network, inputs)
    probes = list(probes_of(network, results))
    assert {probe.network.expanded.calls[-1].function for probe in probes} == {
        call.function for call in network.expanded.calls
    }
    factors = range(1000, 1000 + len(network.graph.steps))
    for probe in probes:
        taken = inputs_of(probe, network, inputs, results)
        made = recompute(probe.network, taken)
        last = network.lowered.results[probe.place]
        assert torch.equal(made[-1], results[last])
        assert len(made) == len(factors_of(probe, network, factors))
        assert factors_of(probe, network, factors)[-1] == 1000 + last


def test_weights_of_a_contraction__are_crafted_with_its_inputs() -> None:
    _, network = conv_net()
    results = recompute(network, [torch.rand(1, 1, 8, 8)])
    linear = list(probes_of(network, results))[-1].network
    (rows, bias) = weighted(linear, "ordered", 1).weights
    assert len(rows.unique()) == 1
    assert len(bias.unique()) == 1
    relu = next(probe.network for probe in probes_of(network, results) if probe.network.graph.steps[-1].op is Op.RELU)
    assert weighted(relu, "ordered", 1) is relu


def test_crafted_inputs__are_what_their_names_say() -> None:
    x = torch.randn(3, 64, generator=torch.manual_seed(5))
    made = {kind: crafted(kind, x, 6) for kind in KINDS}
    smallest_normal = 2.0**-126
    assert ((made["denormal"] != 0) & (made["denormal"].abs() < smallest_normal)).any()
    assert made["large"].abs().max() > 1e12
    assert len(made["flat"].unique()) == 1
    assert abs(float(made["shifted"].mean()) - 1000) < 1
    # Summed one after another from the left, nothing after the first one counts.
    total = torch.zeros(3)
    for column in made["ordered"].unbind(1):
        total = total + column
    assert (total == 1).all()
    assert (made["ordered"].double().sum(1) > 1 + 16 * 2.0**-24).all()
    assert made["cancelling"].double().sum(1).abs().max() < 1e-4 * made["cancelling"].abs().sum()
    assert all(values.shape == x.shape and values.dtype == x.dtype for values in made.values())
    tokens = torch.arange(6).reshape(2, 3)
    assert torch.equal(crafted("large", tokens, 1), tokens)
    assert len(crafted("flat", tokens, 1).unique()) == 1


def test_a_campaign__stops_when_enough_is_judged_and_loses_no_claim() -> None:
    campaign = Campaign(subject())
    budget = Budget(5e4, time.monotonic() + 60, compiled_calls=0)
    campaign.play(budget)
    total = campaign.tables.total
    assert 5e4 <= total.judged_elements < 2e5
    assert (total.false_faults, total.rejected_honest) == (0, 0)
    assert total.claims > 0
    by = campaign.tables.by_condition
    assert by["whole model"].judged_elements + by["single call"].judged_elements == total.judged_elements
    assert sum(tally.judged_elements for name, tally in by.items() if name.startswith("engine")) == (
        total.judged_elements
    )


def test_a_campaign_out_of_time__judges_nothing() -> None:
    campaign = Campaign(subject())
    campaign.play(Budget(1e9, time.monotonic() - 1, compiled_calls=0))
    assert campaign.tables.total.judged_elements == 0


def test_all_that_computes_with_less__is_refused() -> None:
    found = refusals.refusals()
    assert found
    assert all(found.values())


def test_a_setting_that_nobody_refuses__is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "SETTINGS", {"nothing": contextlib.nullcontext})
    monkeypatch.setattr(refusals, "_is_lax", lambda: True)
    assert refusals.refusals() == {"nothing": False}
