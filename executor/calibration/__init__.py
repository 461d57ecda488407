"""Calibration: how much honest runs err, measured, and the numerics and bands that are registered from it.

`c` of a step = max(8 x the worst natural error, 4 x the worst of a probe with constant rows), at least 8, at most what
its sound bound counts, in units of the step's scale; structured inputs make a blocked sum err several times more than
any random ones. Bands: 8 x the worst natural difference of outputs from the exact run; slashing: twice the sound reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from math import ceil

from torch import Tensor

from executor.bounds import UNIT_ROUNDOFF, is_approximate, most_units
from executor.calibration.document import Calibration, StepErrors, with_document
from executor.calibration.errors import error_of
from executor.calibration.plan import Plan, Request, fast_runs
from executor.calibration.probe import worst_of_constants
from executor.network import Network, operands_of
from executor.overflow import overflowing
from executor.reach import Reach, judged_step, reach_of
from executor.trace import recompute
from rollup.errors import BadInput
from rollup.graph import FACTOR_ONE, Numerics, Step
from rollup.numerics import Profile
from rollup.tensor import DType

NATURAL_MARGIN = 8.0
CONSTANT_MARGIN = 4.0
LEAST_FACTOR = 8.0
# A factor is a u32 in units of 1/256; one as large as this bounds nothing that the sound bound does not.
MAX_FACTOR = 2.0**23
BAND_MARGIN = 8.0
REACH_MARGIN = 2.0
# Half the distance of neighbours, as a part of a value.
_ROUNDING = {DType.F32: UNIT_ROUNDOFF, DType.F16: 2.0**-11, DType.BF16: 2.0**-8}
DEFAULT_PLAN = Plan()


def calibrate(network: Network, samples: Sequence[Request], plan: Plan = DEFAULT_PLAN) -> Calibration:
    """Runs `samples` (each one request's inputs) in all of the plan's ways.

    Raises BadInput without samples or if one overflows.
    """
    if not samples:
        raise BadInput("calibration needs at least one sample")
    exact = [_exact_judged(network, sample, plan.profile) for sample in samples]
    errors, difference = _natural(network, samples, exact, plan)
    constant = worst_of_constants(network, plan)
    errors = replace(errors, constant=tuple(constant))
    measured = zip(network.graph.steps, errors.natural, errors.constant, strict=True)
    factors = tuple(_factor(step, natural, most, plan.profile) for step, natural, most in measured)
    numerics = Numerics(factors, plan.profile)
    most = plan.reach_elements
    reach = reduce(Reach.wider, (reach_of(network, numerics, sample, most) for sample in samples[: plan.reach_samples]))
    output_band = BAND_MARGIN * max(difference, _least_difference(network, exact))
    # A label is judged by the difference of two logits, which both may move.
    moved = 1.0 if judged_step(network) == len(network.graph.steps) - 1 else 2.0
    slash_band = max(REACH_MARGIN * moved * float(reach.sound.max()), 2.0 * output_band)
    found = Calibration(numerics, errors, output_band, slash_band, reach)
    return with_document(found, network, plan, len(samples))


def _exact_judged(network: Network, sample: Request, profile: Profile) -> Tensor:
    """The judged tensor of the exact run. Raises BadInput if the run overflows anywhere."""
    results = recompute(network, sample, profile)
    for step, result in zip(network.graph.steps, results, strict=True):
        operands = operands_of(step, sample, network.weights, results)
        if any(True for _ in overflowing(step, operands, result)):
            raise BadInput(f"a sample overflows in {step.origin or step.op.name}: no honest run of it can be judged")
    return results[judged_step(network)]


def _natural(
    network: Network, samples: Sequence[Request], exact: Sequence[Tensor], plan: Plan
) -> tuple[StepErrors, float]:
    """Worst error of each step's fast kernel, and worst difference of judged elements from the exact run."""
    steps, judged = network.graph.steps, judged_step(network)
    kernels = _kernel_steps(network)
    worst, runs, difference = [0.0] * len(steps), 0, 0.0
    for run in fast_runs(network, plan, samples):
        runs += 1
        for number in kernels:
            operands = operands_of(steps[number], samples[run.sample], network.weights, run.results)
            worst[number] = max(worst[number], error_of(steps[number], operands, run.results[number], plan.profile))
        difference = max(difference, _difference(run.results[judged], exact[run.sample]))
    elements = runs * sum(steps[number].result.elements for number in kernels)
    return StepErrors(tuple(worst), (), runs, elements), difference


def _kernel_steps(network: Network) -> list[int]:
    """Steps that a factor bounds and a kernel computes: what is derived does not err."""
    pairs = zip(network.lowered.results, network.lowered.covered, strict=True)
    return [last for last, covered in pairs if covered and is_approximate(network.graph.steps[last])]


def _difference(result: Tensor, exact: Tensor) -> float:
    """Worst absolute difference of elements that are finite in the exact run."""
    distance = (result.double() - exact.double()).abs()
    return float(distance.where(exact.isfinite(), 0.0).nan_to_num(0.0).max())


def _factor(step: Step, natural: float, constant: float, profile: Profile) -> int:
    """Calibrated factor in 1/256; zero where no factor bounds the step."""
    if not is_approximate(step):
        return 0
    factor = max(NATURAL_MARGIN * natural, CONSTANT_MARGIN * constant, LEAST_FACTOR)
    return ceil(FACTOR_ONE * min(factor, most_units(step, profile), MAX_FACTOR))


def _least_difference(network: Network, exact: Sequence[Tensor]) -> float:
    """One rounding of the largest judged element: kernels that happened to agree on the samples need not agree."""
    rounding = _ROUNDING.get(network.graph.steps[judged_step(network)].result.dtype, 0.0)
    sizes = (result.double().abs() for result in exact)
    return rounding * max(float(size.where(size.isfinite(), 0.0).max()) for size in sizes)


__all__ = ["DEFAULT_PLAN", "Calibration", "Plan", "calibrate"]
