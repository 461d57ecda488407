"""The dearest element of every operator over all models: a real proof from a real run, judged by the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from bench._detection.desk import Bands, Desk
from bench._judge.court import Court
from bench._judge.dearest import Place, dearest
from bench._subjects import Subject
from executor.trace import recompute
from prover.fault_proof import step_witness
from rollup.graph import FACTOR_ONE, Numerics, Op

# Every proof shows one: a calibrated fault is the dearer.
FACTOR = 16 * FACTOR_ONE


def by_operator(court: Court, models: Sequence[Subject]) -> dict[str, dict[str, Any]]:
    """By operator: where its dearest element is, its gas and its calldata."""
    where: dict[Op, tuple[Subject, Place]] = {}
    for model in models:
        for op, place in dearest(model.network.graph).items():
            if op not in where or place.opened > where[op][1].opened:
                where[op] = model, place
    found: dict[Op, dict[str, Any]] = {}
    for model in models:
        places = {op: place for op, (owner, place) in where.items() if owner is model}
        found |= _costs(court, model, places)
    return {op.name.lower(): found[op] for op in sorted(found)}


def _costs(court: Court, model: Subject, places: Mapping[Op, Place]) -> dict[Op, dict[str, Any]]:
    if not places:
        return {}
    inputs = model.draw(0)
    numerics = Numerics((FACTOR,) * len(model.network.graph.steps))
    evidence = Desk(model.network, numerics, Bands(0.0, 0.0)).evidence(inputs, recompute(model.network, inputs))
    found = {}
    for op, place in places.items():
        step = model.network.graph.steps[place.step]
        cost = court.cost(evidence.committed, step_witness(evidence, place.step, place.element))
        found[op] = {
            "gas": cost.gas,
            "calldata_bytes": cost.calldata_bytes,
            "model": model.name,
            "operands": " x ".join(str(operand.spec.shape) for operand in step.operands),
        }
    return found


class Wide(nn.Module):
    """One layer over a row."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layer(rows)
        return result


def dearest_of_layer(court: Court, layer: nn.Module, width: int) -> int:
    """Gas of the dearest step of a layer over rows of `width`."""
    subject = Subject(
        "layer", Wide(layer).eval(), lambda seed: [torch.randn(1, width, generator=torch.manual_seed(seed))]
    )
    return max(int(cost["gas"]) for cost in by_operator(court, [subject]).values())
