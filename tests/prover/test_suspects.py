"""The fast look at an opened trace: kernels' own bits pass, all else is weighed; little of it is held at once."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

import prover.suspects as module
from executor.models import LoadedModel
from executor.operators.movement import MOVES
from executor.tensors import bits_of_f32_above, canonical_bytes
from executor.trace import Results, Trace, recompute, replay
from prover.checker import Checker
from prover.fault_proof import find_output
from prover.suspects import MAX_SUSPECTS, Inspector, link_suspects
from rollup.graph import Op
from rollup.types import Verdict
from tests.prover.arena import drawn
from tests.prover.desk import case_of, changed, opened


def looked_at(model: LoadedModel, checker: Checker, results: Results, inspector: Inspector) -> dict[int, list[int]]:
    inputs = drawn(model, 1)
    case = case_of(model, checker, inputs, canonical_bytes(results[-1]))
    evidence, shown = opened(case, Trace.of(results))
    return inspector.suspects(evidence, shown).elements


def test_a_replayed_trace__passes_by_its_bits_even_where_a_bound_is_none(model: LoadedModel, checker: Checker) -> None:
    tight = replace(model.numerics, factors=tuple(min(factor, 1) for factor in model.numerics.factors))
    inspector = Inspector(model.network, tight)
    results = replay(model.network, model.runner, drawn(model, 1))
    assert looked_at(model, checker, results, inspector) == {}
    number = next(n for n, step in enumerate(model.network.graph.steps) if step.op is Op.CONTRACT)
    other = changed(results, number, 5, float(results[number].view(-1)[5]) + 1e-5)
    assert 5 in looked_at(model, checker, other, inspector)[number]


def test_a_recomputed_trace__passes_by_its_bounds(model: LoadedModel, checker: Checker) -> None:
    inspector = Inspector(model.network, model.numerics)
    results = recompute(model.network, drawn(model, 1))
    assert looked_at(model, checker, results, inspector) == {}


def test_of_many_suspects__the_farthest_come_first(model: LoadedModel, checker: Checker) -> None:
    inspector = Inspector(model.network, model.numerics)
    results = recompute(model.network, drawn(model, 1))
    number = next(n for n, step in enumerate(model.network.graph.steps) if step.op is Op.CONTRACT)
    for element in range(40):
        results = changed(results, number, element, float(results[number].view(-1)[element]) + 0.5)
    results = changed(results, number, 300, 1e6)
    found = looked_at(model, checker, results, inspector)[number]
    assert len(found) == MAX_SUSPECTS
    assert found[0] == 300


def test_a_result__is_forgotten_after_its_last_reader(
    model: LoadedModel, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    forget = module._Look.forget

    def counted(look: module._Look, numbers: list[int]) -> None:
        held.append(len(look._held))
        forget(look, numbers)

    monkeypatch.setattr(module._Look, "forget", counted)
    results = recompute(model.network, drawn(model, 1))
    looked_at(model, checker, results, Inspector(model.network, model.numerics))
    assert len(held) == len(results)
    assert max(held) <= 3


def test_a_movement__with_one_changed_element__is_suspected_there(model: LoadedModel, checker: Checker) -> None:
    inspector = Inspector(model.network, model.numerics)
    results = replay(model.network, model.runner, drawn(model, 1))
    moves = [number for number, step in enumerate(model.network.graph.steps) if step.op in MOVES]
    assert moves
    for number in moves:
        for element in (0, results[number].numel() - 1):
            other = changed(results, number, element, float(results[number].view(-1)[element]) + 1e-6)
            assert element in looked_at(model, checker, other, inspector)[number]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_result_that_is_not_finite__is_named(model: LoadedModel, checker: Checker, value: float) -> None:
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    case = case_of(model, checker, inputs, canonical_bytes(results[-1]))
    inspector = Inspector(model.network, model.numerics)
    assert inspector.suspects(*opened(case, Trace.of(results))).unbounded == []
    number = next(n for n, step in enumerate(model.network.graph.steps) if step.op is Op.CONTRACT)
    other = Trace.of(changed(results, number, 3, value))
    assert number in inspector.suspects(*opened(case, other)).unbounded


@pytest.mark.parametrize("bands", [(0.5, 1.0), (1.0, 0.5), (0.0, 0.0), (math.inf, 0.5), (math.inf, math.inf)])
def test_elements_that_are_not_link_suspects__are_acquitted_by_the_judge(
    model: LoadedModel, checker: Checker, bands: tuple[float, float]
) -> None:
    inputs = drawn(model, 1)
    results = recompute(model.network, inputs)
    claimed = results[-1].clone().view(-1)
    band = float(torch.tensor(bands, dtype=torch.float32).min())
    moves = (0.0, band, math.nextafter(band, 0), 0.75, 1.5, math.nan, math.inf)
    for element, move in enumerate(moves):
        claimed[element] += move
    case = case_of(model, checker, inputs, canonical_bytes(claimed.reshape(results[-1].shape)))
    evidence, _ = opened(case, Trace.of(results))
    output_band, slash_band = (bits_of_f32_above(each) for each in bands)
    committed = replace(evidence.committed, output_band=output_band, slash_band=slash_band)
    evidence = replace(evidence, committed=committed)
    found = link_suspects(evidence)
    faults = [n for n in range(len(claimed)) if find_output(evidence, n).verdict is not Verdict.NO_FAULT]
    assert set(faults) <= set(found)
    assert {5, 6} <= set(found)
    assert not set(found) & set(range(len(moves), len(claimed)))
