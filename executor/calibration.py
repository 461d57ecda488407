"""Calibration: how much honest runs err, measured, and the numerics and bands that are registered from it.

`c` of a contraction = max(8 x the worst natural error, 4 x the worst of a probe with constant rows), at least 8, at
most its number of terms, in units of u * sum |ab|; structured inputs make a blocked sum err several times more than any
random ones. Bands: 8 x the worst natural difference of outputs between kernels; slashing: twice the sound reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from math import ceil

import torch
from torch import Tensor

from executor.bounds import UNIT_ROUNDOFF, magnitude
from executor.network import Network, operands_of
from executor.operators import evaluate, evaluate_rounded, terms_of
from executor.overflow import overflowing
from executor.reach import Reach, judged_step, reach_of
from executor.runner import Runner, profile, target_of
from executor.trace import Results, recompute, results_of_calls
from rollup.call import Ref, Value
from rollup.errors import BadInput
from rollup.graph import FACTOR_ONE, Numerics, Op, Source, Step

NATURAL_MARGIN = 8.0
CONSTANT_MARGIN = 4.0
LEAST_FACTOR = 8.0
BAND_MARGIN = 8.0
REACH_MARGIN = 2.0
THREADS = (1, 2)
# Values that f32 cannot hold exactly, so that every product and sum of a constant row is rounded.
PROBES = ((0.1, 0.7, 1.3), (1 / 3, 1.9, 0.0), (1.1, -0.3, 0.9))
PROBE_SIZES = (1, 8)
# Batches of one size and thread count; the largest batch holds every sample anyway.
MAX_RUNS = 4
# Reach takes a backward pass per output element.
REACH_SAMPLES = 4


@dataclass(frozen=True)
class Calibration:
    """What was measured, and what is registered from it.

    `natural`, `constant`: worst error of each step in units of u * sum |ab|; zero where the step is exact.
    `output_band`, `slash_band`: absolute, in units of the output (or of the logits under labels).
    """

    numerics: Numerics
    natural: tuple[float, ...]
    constant: tuple[float, ...]
    output_band: float
    slash_band: float
    reach: Reach


Request = Sequence[Tensor]


def calibrate(network: Network, samples: Sequence[Request]) -> Calibration:
    """Runs `samples` (each one request's inputs) at several batch sizes and thread counts.

    Raises BadInput without samples or if one overflows.
    """
    if not samples:
        raise BadInput("calibration needs at least one sample")
    exact = [recompute(network, sample) for sample in samples]
    _require_finite(network, samples, exact)
    natural, difference = _natural(network, samples, exact)
    constant = _constant(network)
    errors = zip(network.graph.steps, natural, constant, strict=True)
    numerics = Numerics(tuple(_factor(*error) for error in errors))
    reach = _worst_reach(network, numerics, samples[:REACH_SAMPLES])
    output_band = BAND_MARGIN * max(difference, _least_difference(network, exact))
    # A label is judged by the difference of two logits, which both may move.
    moved = 1.0 if judged_step(network) == len(network.graph.steps) - 1 else 2.0
    slash_band = max(REACH_MARGIN * moved * float(reach.sound.max()), 2.0 * output_band)
    return Calibration(numerics, tuple(natural), tuple(constant), output_band, slash_band, reach)


def _require_finite(network: Network, samples: Sequence[Request], exact: Sequence[Results]) -> None:
    for inputs, results in zip(samples, exact, strict=True):
        for step, result in zip(network.graph.steps, results, strict=True):
            operands = operands_of(step, inputs, network.weights, results)
            if any(True for _ in overflowing(step, operands, result)):
                raise BadInput(
                    f"a sample overflows in {step.origin or step.op.name}: no honest run of it can be judged"
                )


def _natural(network: Network, samples: Sequence[Request], exact: Sequence[Results]) -> tuple[list[float], float]:
    """Worst error of each step's fast kernel, and worst difference of judged elements from the exact run."""
    runner = Runner(network)
    worst = [0.0] * len(network.graph.steps)
    difference = 0.0
    judged = judged_step(network)
    for results, place in _fast_runs(network, runner, samples):
        for number, step in enumerate(network.graph.steps):
            if step.op is Op.CONTRACT:
                operands = operands_of(step, samples[place], network.weights, results)
                worst[number] = max(worst[number], _error(step, operands, results[number]))
        moved = (results[judged].double() - exact[place][judged].double()).abs().max()
        difference = max(difference, float(moved))
    return worst, difference


def _fast_runs(network: Network, runner: Runner, samples: Sequence[Request]) -> Iterator[tuple[Results, int]]:
    """All steps of samples, as the fast code computes them at each thread count and batch size; the sample's place."""
    for threads in THREADS:
        for size in sorted({1, 2, len(samples)}):
            for start in list(range(0, len(samples) - size + 1, size))[:MAX_RUNS]:
                batch = samples[start : start + size]
                stacked = [torch.cat(tensors) for tensors in zip(*batch, strict=True)]
                with _threads(threads):
                    calls = runner.replay(stacked)
                for request, inputs in enumerate(batch):
                    yield results_of_calls(network, inputs, calls, request), start + request


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _error(step: Step, operands: Sequence[Tensor], result: Tensor) -> float:
    """Worst error of a contraction in units of u * sum |ab|."""
    exact = evaluate(step, operands)
    unit = magnitude(step, operands) * UNIT_ROUNDOFF
    errors = (result.double() - exact).abs() / unit
    # No terms but zeros: exact.
    return float(errors.where(unit > 0, 0.0).max())


def _constant(network: Network) -> list[float]:
    """Worst error of each contraction on constant operands of its shape, by its fast kernel."""
    worst = [0.0] * len(network.graph.steps)
    first = 0
    for place, last in enumerate(network.lowered.results):
        if network.graph.steps[last].op is Op.CONTRACT:
            worst[last] = max(_probe(network, place, range(first, last + 1), probe) for probe in _probes())
        first = last + 1
    return worst


@dataclass(frozen=True)
class _Probe:
    """Constants for the operands of a call, in turn; requests in the batch; threads."""

    values: tuple[float, ...]
    size: int
    threads: int


def _probes() -> Iterator[_Probe]:
    for values in PROBES:
        for size in PROBE_SIZES:
            for threads in THREADS:
                yield _Probe(values, size, threads)


def _probe(network: Network, place: int, numbers: range, probe: _Probe) -> float:
    """Worst error of the contraction that ends call `place`, whose steps are `numbers`, on constant operands."""
    call, value = network.program.calls[place], network.program.results[place]
    filled = {
        ref: _filled(network.program.value(ref), number)
        for ref, number in zip(call.operands, probe.values, strict=False)
    }
    function, arguments = target_of(call, value, [_repeated(network, ref, filled, probe.size) for ref in call.operands])
    with _threads(probe.threads), profile():
        fast = function(*arguments)[: value.shape[0]]
    known = {_place(network, ref): tensor for ref, tensor in filled.items()}
    for number in numbers:
        step = network.graph.steps[number]
        operands = [known[operand.source, operand.index] for operand in step.operands]
        known[Source.STEP, number] = fast if number == numbers[-1] else evaluate_rounded(step, operands)
    return _error(step, operands, fast)


def _filled(value: Value, number: float) -> Tensor:
    return torch.full(value.shape, number)


def _repeated(network: Network, ref: Ref, filled: Mapping[Ref, Tensor], size: int) -> Tensor:
    batched = network.program.value(ref).batched
    return torch.cat([filled[ref]] * size) if batched else filled[ref]


def _place(network: Network, ref: Ref) -> tuple[Source, int]:
    """Where the graph has what the program calls `ref`."""
    return ref.source, network.lowered.results[ref.index] if ref.source is Source.STEP else ref.index


def _factor(step: Step, natural: float, constant: float) -> int:
    """Calibrated factor in 1/256; zero where the bound is exact."""
    if step.op is not Op.CONTRACT:
        return 0
    factor = max(NATURAL_MARGIN * natural, CONSTANT_MARGIN * constant, LEAST_FACTOR)
    return ceil(FACTOR_ONE * min(factor, terms_of(step)))


def _worst_reach(network: Network, numerics: Numerics, samples: Sequence[Request]) -> Reach:
    return reduce(Reach.wider, (reach_of(network, numerics, sample) for sample in samples))


def _least_difference(network: Network, exact: Sequence[Results]) -> float:
    """One rounding of the largest judged element: kernels that happened to agree on the samples need not agree."""
    judged = judged_step(network)
    return UNIT_ROUNDOFF * max(float(results[judged].double().abs().max()) for results in exact)
