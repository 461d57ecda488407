"""The fast look at an opened trace: kernels' own bits pass, all else is weighed; little of it is held at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

import prover.suspects as module
from executor.models import LoadedModel
from executor.tensors import canonical_bytes
from executor.trace import Results, Trace, recompute, replay
from prover.checker import Checker
from prover.suspects import MAX_SUSPECTS, Inspector
from rollup.graph import Op
from tests.prover.arena import drawn
from tests.prover.desk import case_of, changed, opened


def looked_at(model: LoadedModel, checker: Checker, results: Results, inspector: Inspector) -> dict[int, list[int]]:
    inputs = drawn(model, 1)
    case = case_of(model, checker, inputs, canonical_bytes(results[-1]))
    evidence, shown = opened(case, Trace.of(results))
    return dict(inspector.suspects(evidence, shown))


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
