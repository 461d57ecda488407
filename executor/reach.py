"""Reach: how far an output can be moved by a run that stays inside its bounds at every step, and such a run.

First-order: the sum over all elements of all steps of |d output / d element| times what the element may be off,
doubled for what first order leaves out. Depends on the inputs: take the worst over samples. The attack spends all of it
in one direction: one backward pass for the signs, one forward pass that commits every element at its bound's end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from executor.bounds import UNIT_ROUNDOFF, bound_of
from executor.network import Network, operands_of
from executor.operators import evaluate, evaluate_rounded
from executor.operators.rounding import rounded
from rollup.graph import Numerics, Op, Source, Step
from rollup.numerics import Profile
from rollup.tensor import DType

DOUBLED = 2.0
# Of more elements than these a sample is taken, the same one always. A limit made of it may be too low for the others,
# never for an honest run: that lies within its output band.
MAX_ELEMENTS = 64
_SAMPLE_SEED = 0
# Roundings to 16 bits fall either way: what they add up to stays below so many standard deviations.
_DEVIATIONS = 6.0
# An attack stays so far inside a bound that the judge's own rounding of it does not matter.
_SPENT = 1 - 2.0**-16
_UNITS = {DType.F32: UNIT_ROUNDOFF, DType.F16: 2.0**-11, DType.BF16: 2.0**-8}


@dataclass(frozen=True)
class Reach:
    """Absolute reach of elements of the judged tensor: the output or, under labels, their logits; float64."""

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


def sampled(elements: int, most: int = MAX_ELEMENTS) -> list[int]:
    """Elements whose reach is taken, of a judged tensor of so many."""
    if elements <= most:
        return list(range(elements))
    return sorted(np.random.default_rng(_SAMPLE_SEED).choice(elements, most, replace=False).tolist())


def reach_of(network: Network, numerics: Numerics, inputs: Sequence[Tensor], most: int = MAX_ELEMENTS) -> Reach:
    """Reach of one request, of at most `most` elements. Costs one backward pass for each."""
    run = MovableRun(network, numerics, inputs)
    judged = run.results[judged_step(network)].reshape(-1)
    pairs = [run.reach(judged[element]) for element in sampled(len(judged), most)]
    sound, calibrated = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return Reach(sound, calibrated)


class MovableRun:
    """One request in float64, not rounded: `results` of every step, and how far what is made of them can be moved."""

    def __init__(self, network: Network, numerics: Numerics, inputs: Sequence[Tensor]) -> None:
        self.results, self._freedoms = _forward(network, numerics, inputs)

    def reach(self, value: Tensor) -> tuple[float, float]:
        """By how much a run inside its bounds moves `value`, one number made of `results`: by sound bounds, and by
        calibrated ones. Costs one backward pass.
        """
        sound, calibrated = DOUBLED * _moved(value, self.results, self._freedoms)
        return float(sound), float(calibrated)


@dataclass(frozen=True)
class _Freedom:
    """What a step's elements may be off, soundly and calibrated; `ulp`: distance of neighbours in 16 bits, or None."""

    number: int
    bounds: tuple[Tensor, Tensor]
    ulp: Tensor | None

    def moves(self, slope: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums over the elements of what they move an output by, and the variances of these sums."""
        size = slope.abs()
        means = [_dot(size, bound) for bound in self.bounds]
        if self.ulp is None:
            return np.array(means), np.zeros(2)
        # A value crosses to its neighbour with probability bound / ulp: on average it moves by its bound.
        spread = size * size * self.ulp
        return np.array(means), np.array([_dot(spread, bound) for bound in self.bounds])


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.dot(a.reshape(-1), b.reshape(-1)))


def _moved(output: Tensor, results: Sequence[Tensor], freedoms: Sequence[_Freedom]) -> NDArray[np.float64]:
    """First-order movement of one element, soundly and calibrated."""
    slopes = _slopes(output, [results[freedom.number] for freedom in freedoms])
    means, variances = np.zeros(2), np.zeros(2)
    for freedom, slope in zip(freedoms, slopes, strict=True):
        if slope is not None:
            mean, variance = freedom.moves(slope)
            means, variances = means + mean, variances + variance
    return means + _DEVIATIONS * np.sqrt(variances)


def _slopes(output: Tensor, results: Sequence[Tensor]) -> Sequence[Tensor | None]:
    if not output.requires_grad:
        return [None] * len(results)
    slopes = torch.autograd.grad(output, list(results), retain_graph=True, allow_unused=True)
    # One pass tells that there is nothing to replace, as nearly always.
    return [slope if slope is None or bool(slope.sum().isfinite()) else slope.nan_to_num(0.0) for slope in slopes]


def _forward(network: Network, numerics: Numerics, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[_Freedom]]:
    """Unrounded results that gradients flow through, and what the elements of those that are rounded may be off."""
    results: list[Tensor] = []
    freedoms: list[_Freedom] = []
    for number, step in enumerate(network.graph.steps):
        operands = operands_of(step, inputs, network.weights, results)
        result = evaluate(step, operands, numerics.profile)
        if is_computed(step):
            result = result if result.requires_grad else result.requires_grad_()
            apart = [operand.detach() for operand in operands]
            freedoms.append(_freedom(number, step, apart, result.detach(), numerics))
        results.append(result)
    return results, freedoms


def is_computed(step: Step) -> bool:
    """Whether the step rounds what it makes: its elements are neither moved, nor chosen, nor integers."""
    return step.op not in _CHOSEN and step.result.dtype in _UNITS


_CHOSEN = frozenset(
    {
        Op.STRIDED, Op.CAT, Op.PATCHES, Op.PAD, Op.GATHER, Op.WHERE, Op.RELU, Op.NEG, Op.ABS, Op.CLAMP, Op.AMAX,
        Op.MAXIMUM, Op.MINIMUM, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.SIGN,
    }
)  # fmt: skip


def _freedom(number: int, step: Step, operands: Sequence[Tensor], exact: Tensor, numerics: Numerics) -> _Freedom:
    size = exact.abs()
    rounding = size * _UNITS[step.result.dtype]
    wide = step.result.dtype is DType.F32
    bounds = []
    for factor in (0, numerics.factors[number]):
        bound = bound_of(step, operands, factor, numerics.profile)
        # What is not finite, a mask of -Inf, is exact.
        bounds.append((bound + rounding if wide else bound).where(size.isfinite(), 0.0))
    return _Freedom(number, (bounds[0], bounds[1]), None if wide else (2 * rounding).where(size.isfinite(), 0.0))


def attack(network: Network, numerics: Numerics, inputs: Sequence[Tensor], direction: Tensor) -> list[Tensor]:
    """Results of a run inside every bound that moves `direction · judged` as far as one such run can.

    `direction`: a weight for each element of the judged tensor, in its shape. A factor of zero in `numerics` lets its
    step go to its sound bound.
    """
    return _pushed(network, numerics, inputs, _signs(network, numerics.profile, inputs, direction))


def shaken(
    network: Network, numerics: Numerics, inputs: Sequence[Tensor], pairs: int, seed: int
) -> Iterator[list[Tensor]]:
    """Runs inside every bound, two for each of `pairs`: all rounded elements at an end of theirs, drawn by `seed`, and
    all of them at the other end.
    """
    generator = torch.Generator().manual_seed(seed)
    computed = [(number, step.result.shape) for number, step in enumerate(network.graph.steps) if is_computed(step)]
    for _ in range(pairs):
        drawn = [(number, torch.randint(0, 2, shape, generator=generator)) for number, shape in computed]
        for side in (1.0, -1.0):
            yield _pushed(network, numerics, inputs, {number: side * (2.0 * bits - 1.0) for number, bits in drawn})


def _pushed(
    network: Network, numerics: Numerics, inputs: Sequence[Tensor], signs: Mapping[int, Tensor]
) -> list[Tensor]:
    """Results of a run whose elements lie at the ends of their bounds to which `signs` point, by step."""
    results: list[Tensor] = []
    for number, (step, factor) in enumerate(zip(network.graph.steps, numerics.factors, strict=True)):
        operands = operands_of(step, inputs, network.weights, results)
        sign = signs.get(number)
        if sign is None:
            results.append(evaluate_rounded(step, operands, numerics.profile))
            continue
        exact = evaluate(step, operands, numerics.profile)
        shift = sign * bound_of(step, operands, factor, numerics.profile) * _SPENT
        results.append(rounded(torch.where(exact.isfinite(), exact + shift, exact), step.result.dtype))
    return results


def _signs(network: Network, profile: Profile, inputs: Sequence[Tensor], direction: Tensor) -> dict[int, Tensor]:
    """Which way every element of every rounded step moves the judged tensor."""
    results: list[Tensor] = []
    for step in network.graph.steps:
        result = evaluate(step, operands_of(step, inputs, network.weights, results), profile)
        results.append(result if result.requires_grad or not is_computed(step) else result.requires_grad_())
    target = (results[judged_step(network)] * direction.double()).sum()
    numbers = [number for number, step in enumerate(network.graph.steps) if is_computed(step)]
    slopes = _slopes(target, [results[number] for number in numbers])
    return {number: slope.sign() for number, slope in zip(numbers, slopes, strict=True) if slope is not None}
