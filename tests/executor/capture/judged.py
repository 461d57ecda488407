"""A captured program on trial by itself: each step's honest element is acquitted, another in its place is not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.capture import Captured
from executor.network import Network, operands_of
from executor.runner import Runner
from executor.tensors import to_canonical
from executor.trace import recompute, replay
from rollup.graph import Op, Step
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.package import Package
from rollup.types import Verdict


def require_judged(captured: Captured, inputs: Sequence[Tensor]) -> None:
    """Of both ways to a trace, an element of each step; and of one way, a lie about it."""
    network = Network.from_package(Package(captured.program, captured.committed))
    for results in (recompute(network, inputs), replay(network, Runner(network), inputs)):
        for number, step in enumerate(network.graph.steps):
            operands = operands_of(step, inputs, network.weights, results)
            element = (7 * number) % step.result.elements
            assert verdict(step, element, results[number], operands) is Verdict.NO_FAULT, (number, step.op)
            changed = another(step, results[number], element)
            assert verdict(step, element, changed, operands) is not Verdict.NO_FAULT, (number, step.op)


def verdict(step: Step, element: int, result: Tensor, operands: Sequence[Tensor]) -> Verdict:
    opened = open_tensors(step, element, [to_canonical(tensor) for tensor in (result, *operands)])
    return evaluate(step, opened.values, opened.hint).verdict


def another(step: Step, result: Tensor, element: int) -> Tensor:
    """`result` with one element changed by more than rounding can; a place, to one that its row does not have."""
    changed = result.clone()
    flat = changed.view(-1)
    if result.dtype is torch.bool:
        flat[element] = ~flat[element]
    elif not result.is_floating_point():
        # Of equals any place is right.
        flat[element] += step.attributes[0] if step.op is Op.ARGMAX else 1
    else:
        flat[element] = flat[element] + flat[element].abs() / 2 + 0.25 if flat[element].isfinite() else 1.0
    return changed
