"""Cheaper or other models run in place of the registered one, each honestly: a true run, of the wrong model.

Every swap gives the results of all steps of the registered graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from executor.network import Network, operands_of
from executor.operators import evaluate, evaluate_rounded
from executor.operators.places import MOVEMENT
from executor.reach import judged_step
from executor.trace import Results, recompute
from rollup.graph import Source, Step

Inputs = Sequence[Tensor]
Swap = Callable[[Network, Inputs, int], Results]
# Of each weight tensor's own scale: what a few steps of fine-tuning move it by.
LEARNING_RATE = 1e-4
MAX_LEARNT = 1e6


def _with_weights(change: Callable[[Tensor], Tensor]) -> Swap:
    def swap(network: Network, inputs: Inputs, _: int) -> Results:
        weights = tuple(change(weight) if _is_learnt(weight) else weight for weight in network.weights)
        return recompute(replace(network, weights=weights), inputs)

    return swap


def _is_learnt(weight: Tensor) -> bool:
    """Constants of a program, a mask's fill among them, are nobody's to save on."""
    return weight.is_floating_point() and weight.numel() > 1 and float(weight.abs().max()) < MAX_LEARNT


def evenly(values: int) -> Callable[[Tensor], Tensor]:
    """Rounds a tensor to so many evenly spaced values around zero."""

    def change(weight: Tensor) -> Tensor:
        top = values // 2 - 1
        scale = weight.abs().max().clamp(min=1e-30) / top
        return (weight / scale).round().clamp(-top - 1, top) * scale

    return change


def through(dtype: torch.dtype, scaled: bool) -> Callable[[Tensor], Tensor]:
    """Stores a tensor in a narrower dtype; `scaled`: so that its largest element is the dtype's."""

    def change(weight: Tensor) -> Tensor:
        scale = weight.abs().max().clamp(min=1e-30) / torch.finfo(dtype).max if scaled else torch.ones(())
        return (weight / scale).to(dtype).to(weight.dtype) * scale

    return change


def without_a_layer(network: Network, inputs: Inputs, seed: int) -> Results:
    """Passes on what one step got, in place of what it should have made of it.

    The step is the first from the seed's on of which that changes anything: a clamp of numbers between its ends makes
    what it gets, so that a run without it is the registered model's own, and no lie.
    """
    honest = recompute(network, inputs)
    skippable = [number for number, step in enumerate(network.graph.steps) if _passed_on(step) is not None]
    first = seed % len(skippable)
    for skipped in (*skippable[first:], *skippable[:first]):
        passed = _without(network, inputs, honest, skipped)
        if not torch.equal(passed, honest[skipped]):
            return _continued(network, inputs, [*honest[:skipped], passed])
    return honest


def _without(network: Network, inputs: Inputs, results: Results, number: int) -> Tensor:
    """What step `number` passes on of its operands, in the shape of its result."""
    step = network.graph.steps[number]
    place = _passed_on(step)
    assert place is not None
    return operands_of(step, inputs, network.weights, results)[place].reshape(step.result.shape).clone()


def _continued(network: Network, inputs: Inputs, results: Results) -> Results:
    """A run whose first results are given."""
    results = list(results)
    for step in network.graph.steps[len(results) :]:
        results.append(evaluate_rounded(step, operands_of(step, inputs, network.weights, results)))
    return results


def _passed_on(step: Step) -> int | None:
    """The operand that a step without a layer passes on: as large as the result, and another step's result."""
    if step.op in MOVEMENT:
        return None
    for place, operand in enumerate(step.operands):
        same = operand.spec.dtype is step.result.dtype and operand.spec.elements == step.result.elements
        if same and operand.source is Source.STEP:
            return place
    return None


def fine_tuned(network: Network, inputs: Inputs, seed: int) -> Results:
    """The model after one step of training towards something else."""
    weights = [w.double().requires_grad_() if _is_learnt(w) else w for w in network.weights]
    results: Results = []
    for step in network.graph.steps:
        results.append(evaluate(step, operands_of(step, inputs, weights, results)))
    scores = results[judged_step(network)]
    loss = (scores * torch.randn(scores.shape, generator=torch.Generator().manual_seed(seed))).sum()
    learnt = [place for place, weight in enumerate(weights) if weight.requires_grad]
    slopes = torch.autograd.grad(loss, [weights[place] for place in learnt], allow_unused=True)
    tuned = list(network.weights)
    for place, slope in zip(learnt, slopes, strict=True):
        if slope is not None:
            tuned[place] = tuned[place] - LEARNING_RATE * tuned[place].abs().max() * slope.sign().to(tuned[place].dtype)
    return recompute(replace(network, weights=tuple(tuned)), inputs)


SWAPS: dict[str, Swap] = {
    "int8 weights": _with_weights(evenly(2**8)),
    "int4 weights": _with_weights(evenly(2**4)),
    "fp8 weights": _with_weights(through(torch.float8_e4m3fn, scaled=True)),
    "bf16 weights": _with_weights(through(torch.bfloat16, scaled=False)),
    "a layer removed": without_a_layer,
    "fine-tuned copy": fine_tuned,
}
