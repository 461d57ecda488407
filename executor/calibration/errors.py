"""How far one step's results are from the exact ones, in units of the step's scale: what calibration measures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.bounds import TINY, is_approximate, most_units, tolerance_of, unit_of
from executor.bounds.contraction import magnitudes
from executor.operators import BLOCK, terms_of, widened
from executor.operators.contraction import Product
from executor.operators.formulas import FORMULAS
from executor.operators.places import blocks, dims_of, row_length, views_of
from rollup.graph import Op, Step
from rollup.numerics import FP32, Profile

_PRECISIONS = {torch.float16: 11, torch.bfloat16: 8}


def error_of(step: Step, operands: Sequence[Tensor], result: Tensor, profile: Profile = FP32) -> float:
    """Worst error of a step in units of its scale; zero for a step that no factor bounds.

    What an element could only be off by rounding to 16 bits does not count, for the judge rounds too. Elements with
    operands or exact results that are not finite are left out.
    """
    if not is_approximate(step):
        return 0.0
    if step.op is Op.CONTRACT:
        return _error_of_contraction(step, operands, result, profile)
    dims, worst = tuple(dims_of(step)), 0.0
    views, laid = views_of(step, operands), result.reshape(dims)
    for place in blocks(dims, BLOCK // row_length(step)):
        parts = [widened(view[place]) for view in views]
        exact = FORMULAS[step.op](step, parts)
        tolerance = tolerance_of(step, parts, exact)
        assert tolerance is not None
        distance = (distance_of(laid[place], exact) - tolerance.tiny).clamp(min=0.0)
        worst = max(worst, _worst(distance, tolerance.scale))
    return worst


def _error_of_contraction(step: Step, operands: Sequence[Tensor], result: Tensor, profile: Profile) -> float:
    product = Product.of(step, operands).read(profile)
    unit, count = unit_of(step, profile), most_units(step, profile)
    laid, worst = result.reshape(product.dims), 0.0
    for place, part in product.parts():
        exact = part.mapped(widened).whole()
        scale = magnitudes(part) * (unit / (1 - count * unit))
        distance = (distance_of(laid[place], exact) - 4 * terms_of(step) * TINY).clamp(min=0.0)
        worst = max(worst, _worst(distance, scale))
    return worst


def distance_of(result: Tensor, exact: Tensor) -> Tensor:
    """|result - exact|, less what rounding the exact value to 16 bits may make of it."""
    distance = (result.double() - exact).abs()
    precision = _PRECISIONS.get(result.dtype)
    if precision is None:
        return distance
    fraction, exponent = torch.frexp(result.double())
    # Below a power of two neighbours lie half as far apart.
    inward = (fraction.abs() == 0.5) & (exact.abs() < result.double().abs())
    half = torch.ldexp(torch.ones_like(exact), exponent - precision - 1 - inward.int())
    return (distance - half).clamp(min=0.0)


def _worst(distance: Tensor, scale: Tensor) -> float:
    errors = distance / scale
    # No terms but zeros: exact. What is not finite cannot be judged.
    return float(errors.where((scale > 0) & errors.isfinite(), 0.0).max())
