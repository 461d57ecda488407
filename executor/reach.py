"""Reach: how far an output can be moved by a run that stays inside its bounds at every step.

First-order: the sum over all elements of all computed steps of |d output / d element| times the element's bound (and
its rounding), doubled for what first order leaves out. Depends on the inputs: take the worst over samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from executor.bounds import UNIT_ROUNDOFF, bound_of
from executor.network import Network, operands_of
from executor.operators import evaluate
from rollup.graph import Numerics, Op, Source

DOUBLED = 2.0


@dataclass(frozen=True)
class Reach:
    """Absolute reach of each element of the judged tensor: the output or, under labels, their logits; float64."""

    sound: NDArray[np.float64]
    calibrated: NDArray[np.float64]

    def wider(self, other: Reach) -> Reach:
        """Element by element the larger one."""
        return Reach(np.maximum(self.sound, other.sound), np.maximum(self.calibrated, other.calibrated))


def judged_step(network: Network) -> int:
    """The step whose result the bands are about: the last one, or the logits under labels."""
    last = network.graph.steps[-1]
    if last.op is Op.ARGMAX and last.operands[0].source is Source.STEP:
        return last.operands[0].index
    return len(network.graph.steps) - 1


def reach_of(network: Network, numerics: Numerics, inputs: Sequence[Tensor]) -> Reach:
    """Reach of one request. Costs one backward pass per element of the judged tensor."""
    results, bounds = _forward(network, numerics, [tensor.double() for tensor in inputs])
    judged = results[judged_step(network)].reshape(-1)
    moved = [number for number, bound in enumerate(bounds) if bound is not None]
    sound, calibrated = (np.zeros(len(judged)) for _ in range(2))
    for element in range(len(judged)):
        slopes = _slopes(judged[element], [results[number] for number in moved])
        for number, slope in zip(moved, slopes, strict=True):
            pair = bounds[number]
            if slope is not None and pair is not None:
                sound[element] += DOUBLED * float((slope.abs() * pair[0]).sum())
                calibrated[element] += DOUBLED * float((slope.abs() * pair[1]).sum())
    return Reach(sound, calibrated)


def _slopes(output: Tensor, results: Sequence[Tensor]) -> Sequence[Tensor | None]:
    if not output.requires_grad:
        return [None] * len(results)
    return torch.autograd.grad(output, list(results), retain_graph=True, allow_unused=True)


Bounds = list[tuple[Tensor, Tensor] | None]


def _forward(network: Network, numerics: Numerics, inputs: Sequence[Tensor]) -> tuple[list[Tensor], Bounds]:
    """Unrounded results that gradients flow through, and the sound and calibrated bound of each computed one."""
    weights = [weight.double() if weight.is_floating_point() else weight for weight in network.weights]
    results: list[Tensor] = []
    bounds: Bounds = []
    for step, factor in zip(network.graph.steps, numerics.factors, strict=True):
        operands = operands_of(step, inputs, weights, results)
        result = evaluate(step, operands)
        computed = step.op in (Op.CONTRACT, Op.ADD, Op.MUL)
        results.append(result if result.requires_grad or not computed else result.requires_grad_())
        bounds.append(None)
        if computed:
            rounding = result.detach().abs() * UNIT_ROUNDOFF
            bounds[-1] = (rounding, rounding)
        if step.op is Op.CONTRACT:
            fixed = [operand.detach() for operand in operands]
            sound, calibrated = bound_of(step, fixed), bound_of(step, fixed, factor)
            bounds[-1] = (sound + rounding, calibrated + rounding)
    return results, bounds
