"""Calibration: how much honest runs err, measured, and the numerics and bands that are registered from it.

`c` of a step = max(8 x the worst natural error, 4 x the worst of a probe with constant rows), at least 8, at most what
its sound bound counts, in units of the step's scale; structured inputs make a blocked sum err several times more than
any random ones. Bands: 8 x the worst natural difference of outputs from the exact run; slashing: twice the sound reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from math import ceil

from torch import Tensor

from executor.bounds import UNIT_ROUNDOFF, is_approximate, most_units
from executor.calibration.document import Calibration, with_document
from executor.calibration.natural import Tried, natural_errors
from executor.calibration.plan import Plan, Request, Tell, silent
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


def calibrate(
    network: Network, samples: Sequence[Request], plan: Plan = DEFAULT_PLAN, tell: Tell = silent
) -> Calibration:
    """Runs `samples` (each one request's inputs) in all of the plan's ways, and tells how far it is.

    Raises BadInput without samples or if one overflows.
    """
    if not samples:
        raise BadInput("calibration needs at least one sample")
    exact = [_exact_judged(network, sample, plan.profile) for sample in _told(samples, "exact", tell)]
    errors, difference = natural_errors(network, Tried(samples, exact), plan, tell)
    constant = worst_of_constants(network, plan, tell)
    errors = replace(errors, constant=tuple(constant))
    measured = zip(network.graph.steps, errors.natural, errors.constant, strict=True)
    factors = tuple(_factor(step, natural, most, plan.profile) for step, natural, most in measured)
    numerics = Numerics(factors, plan.profile)
    moved = _told(samples[: plan.reach_samples], "reach", tell)
    reach = reduce(Reach.wider, (reach_of(network, numerics, sample, plan.reach_elements) for sample in moved))
    output_band = BAND_MARGIN * max(difference, _least_difference(network, exact))
    # A label is judged by the difference of two logits, which both may move.
    logits = 1.0 if judged_step(network) == len(network.graph.steps) - 1 else 2.0
    slash_band = max(REACH_MARGIN * logits * float(reach.sound.max()), 2.0 * output_band)
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


def _told(samples: Sequence[Request], stage: str, tell: Tell) -> Iterator[Request]:
    """The samples, one by one, each told of before its turn."""
    for done, sample in enumerate(samples):
        tell(stage, done, len(samples))
        yield sample


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


__all__ = ["DEFAULT_PLAN", "Calibration", "Plan", "Tell", "calibrate", "silent"]
