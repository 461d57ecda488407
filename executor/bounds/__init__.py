"""Whether results lie inside their bounds: a certified twin of the judge, whole tensors at a time in float64.

It is a little stricter than the judge, never laxer: what it calls inside no judge calls a fault; what it does not is
only suspect. The judge's own arithmetic is rollup/judge.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.bounds.contraction import count_of, inside_block, rounding_of, tiny_of, unit_of, within
from executor.bounds.tolerance import TINY, UNIT_ROUNDOFF, Tolerance, is_approximate, tolerance_of, units_of
from executor.operators import BLOCK, evaluate, widened
from executor.operators.contraction import Product
from executor.operators.formulas import FORMULAS
from executor.operators.movement import MOVES, is_looked_up
from executor.operators.places import blocks, dims_of, row_length, views_of
from executor.operators.rounding import rounded
from executor.tensors import bits_of, is_true, same_bits
from rollup.graph import Op, Step
from rollup.numerics import FP32, Profile

_MARGIN = 1 - 2.0**-20
# -Inf is a value for these; any other operand that is not finite cannot be judged.
_TAKE_MINUS_INFINITY = frozenset(
    {Op.EXPSUM, Op.ADD, Op.SUB, Op.AMAX, Op.COMPARE, Op.MAXIMUM, Op.MINIMUM, Op.SOFTMAX, Op.CAST}
)  # fmt: skip
# Each element is one of an operand's: as exact in the operand's dtype as in float64.
_CHOICES = frozenset({Op.AMAX, Op.MAXIMUM, Op.MINIMUM, Op.RELU})
# Whoever opens a trace derives these as they are checked, unless a kernel shows them.
_DERIVED = frozenset({Op.SUM, Op.SPREAD, Op.EXPSUM})
# Subnormal results of these may be flushed.
_FLUSHED = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.RELU, Op.AMAX})


def bound_of(step: Step, operands: Sequence[Tensor], factor: int = 0, profile: Profile = FP32) -> Tensor:
    """Greatest |y - exact| of each element before rounding, in float64; zero where the step is exact.

    `factor`: the calibrated one in 1/256; 0 gives the sound bound.
    """
    if step.op is Op.CONTRACT:
        exact = evaluate(step, operands, profile).detach()
        return rounding_of(step, factor, profile, magnitude(step, operands, profile), exact) + tiny_of(step)
    if step.op not in MOVES:
        views = [widened(view) for view in views_of(step, operands)]
        tolerance = tolerance_of(step, views, FORMULAS[step.op](step, views))
        if tolerance is not None:
            return tolerance.bound(factor).reshape(step.result.shape)
    return torch.zeros(step.result.shape, dtype=torch.float64)


def most_units(step: Step, profile: Profile = FP32) -> float:
    """Units of its scale that a step may be off at most: no factor needs to be larger."""
    return count_of(step, 0, profile) if step.op is Op.CONTRACT else units_of(step)


def magnitude(step: Step, operands: Sequence[Tensor], profile: Profile = FP32) -> Tensor:
    """Sum of |a b| of each element of a contraction, in float64."""
    product = Product.of(step, operands).read(profile)
    return product.mapped(lambda x: x.double().abs()).whole().reshape(step.result.shape)


def inside(step: Step, operands: Sequence[Tensor], result: Tensor, factor: int, profile: Profile = FP32) -> Tensor:
    """Which elements of `result` certainly lie inside their bound, or cannot be judged; bool, in its shape.

    `factor` as in `bound_of`. Needs little more memory than `result` itself has.
    """
    if step.op in MOVES or step.op is Op.WHERE:
        return _inside_movement(step, operands, result)
    if step.op is Op.CONTRACT:
        return _inside_contraction(step, operands, result, factor, profile)
    if step.op is Op.ARGMAX:
        return _inside_argmax(step, operands[0], result)
    dims = dims_of(step)
    views, laid = views_of(step, operands), result.reshape(tuple(dims))
    if step.op in _CHOICES and is_true(laid == FORMULAS[step.op](step, views)):
        return torch.ones((), dtype=torch.bool).expand(result.shape)
    found = torch.empty(tuple(dims), dtype=torch.bool)
    for place in blocks(dims, BLOCK // row_length(step)):
        found[place] = _inside_block(step, [widened(view[place]) for view in views], laid[place], factor)
    return found.reshape(result.shape)


def _inside_block(step: Step, views: Sequence[Tensor], result: Tensor, factor: int) -> Tensor:
    exact = FORMULAS[step.op](step, views)
    if not result.is_floating_point():
        return (result == exact) | ~_can_be_judged(step, views)
    # Rounding is monotone: what the exact value rounds to is inside however narrow the bound, which need not be found.
    if step.op in _DERIVED and is_true(near := result == rounded(exact, step.result.dtype)):
        return near
    tolerance = tolerance_of(step, views, exact)
    if tolerance is None:
        near = _is_rounded(step, exact, result)
    else:
        near = within(result, exact, tolerance.bound(factor) * _MARGIN)
    if is_true(near):
        return near
    # Beyond what float64 holds, or at a pole: infinite for the judge too.
    return near | (result.double() == exact) | exact.isnan() | ~_can_be_judged(step, views)


def _is_rounded(step: Step, exact: Tensor, result: Tensor) -> Tensor:
    """Whether a result is what hardware may round the exact one to: correctly, or by way of f32."""
    near = result == rounded(exact, step.result.dtype)
    if result.dtype is not torch.float32:
        near |= result == exact.float().to(result.dtype)
    if step.op in _FLUSHED:
        near |= (result == 0) & (exact.abs() < TINY)
    return near


def _can_be_judged(step: Step, views: Sequence[Tensor]) -> Tensor:
    """Elements all of whose operands are values."""
    takes_infinity = step.op in _TAKE_MINUS_INFINITY
    good = torch.ones((), dtype=torch.bool)
    for view in views:
        if view.is_floating_point():
            fits = ~view.isnan() & (view != torch.inf) if takes_infinity else view.isfinite()
            good = good & (fits.all(-1) if view.dim() == 2 and row_length(step) > 1 else fits)
    return good


def _inside_contraction(
    step: Step, operands: Sequence[Tensor], result: Tensor, factor: int, profile: Profile
) -> Tensor:
    product = Product.of(step, operands)
    laid = result.reshape(product.dims)
    found = torch.empty(product.dims, dtype=torch.bool)
    for place, part in product.parts():
        found[place] = inside_block(step, part, laid[place], factor, profile)
    return found.reshape(result.shape)


def _inside_movement(step: Step, operands: Sequence[Tensor], result: Tensor) -> Tensor:
    """Equal bits, or two NaN; of a gather also what looks up nothing."""
    move = MOVES.get(step.op)
    expected = move(step, operands) if move else FORMULAS[step.op](step, views_of(step, operands))
    if same_bits(expected, result):
        return torch.ones((), dtype=torch.bool).expand(result.shape)
    expected = expected.reshape(result.shape)
    same = bits_of(expected) == bits_of(result)
    if not is_true(same) and result.is_floating_point():
        same |= expected.isnan() & result.isnan()
    if step.op is Op.GATHER:
        same |= ~is_looked_up(step, operands[0]).reshape(result.shape)
    return same


def _inside_argmax(step: Step, operand: Tensor, result: Tensor) -> Tensor:
    rows = operand.reshape(-1, step.attributes[0])
    label = result.reshape(-1, 1)
    known = (label >= 0) & (label < rows.shape[1])
    chosen = rows.gather(1, label.clamp(0, rows.shape[1] - 1))
    return (known & (chosen == rows.amax(1, keepdim=True))).reshape(result.shape)


__all__ = [
    "TINY",
    "UNIT_ROUNDOFF",
    "Tolerance",
    "bound_of",
    "inside",
    "is_approximate",
    "magnitude",
    "most_units",
    "tolerance_of",
    "unit_of",
]
