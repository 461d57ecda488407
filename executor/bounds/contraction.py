"""The error model of contractions, and whether a block of results lies inside it (PROTOCOL.md, section 5).

`t = (S + (n - 1) * M) * u / (1 - n u) + n * 2^-124`, `S` the summed magnitudes, `M` the greater of what the terms of
one sign add up to; less where hardware promises, or was measured, to err by less. Magnitudes are summed in f32, whose
error is allowed for, and first over a part of each row: an honest result is so far inside that this decides almost
always.
"""

from __future__ import annotations

import torch
from torch import Tensor

from executor.bounds.tolerance import TINY, UNIT_ROUNDOFF
from executor.operators import terms_of, widened
from executor.operators.contraction import Product
from executor.operators.rounding import rounded
from executor.tensors import is_finite, is_true
from rollup.graph import FACTOR_ONE, Step
from rollup.judge.promise import F32_DIGITS, Promise, promise_of
from rollup.numerics import Profile
from rollup.tensor import DType

# Of each row's magnitudes, what is summed first.
FIRST_PART = 8
# A float64 sum of n products errs by less than n * 2^-52 of their magnitudes.
_SLACK = 2.0**-52
# The judge rounds bounds up; this is what float64 could round them by.
_MARGIN = 1 - 2.0**-20


def unit_of(step: Step, profile: Profile) -> float:
    """Unit roundoff of the sum: tensor cores add with fewer bits than f32 has."""
    return 2.0 ** -_promise(step, profile).digits


def _promise(step: Step, profile: Profile) -> Promise:
    return promise_of(profile, *(operand.spec.dtype for operand in step.operands[:2]))


def count_of(step: Step, factor: int, profile: Profile) -> float:
    """Units that a sum may err by: its terms, what its profile promises, or what its calibration found."""
    sound = _promise(step, profile).count(terms_of(step))
    return min(sound, factor / FACTOR_ONE) if factor else sound


def rounding_of(step: Step, factor: int, profile: Profile, sizes: Tensor, exact: Tensor) -> Tensor:
    """What roundings may add, float64: grows with `sizes`, the summed magnitudes; `exact` are the exact sums."""
    unit, terms = unit_of(step, profile), terms_of(step)
    bound = sizes * (count_of(step, factor, profile) * unit / (1 - count_of(step, 0, profile) * unit))
    if _promise(step, profile).digits != F32_DIGITS:
        return bound
    # Half of the magnitudes and half of the exact sum are the greater of what the terms of one sign add up to.
    any_order = sizes * ((terms + 1) / 2) + exact.abs() * ((terms - 1) / 2)
    return torch.minimum(bound, any_order * (unit / (1 - terms * unit)))


def tiny_of(step: Step) -> float:
    """What flushing subnormal products and sums may add."""
    return terms_of(step) * 4 * TINY


def magnitudes(product: Product) -> Tensor:
    """Sums of |a b| of each element, from below but for a part of 2^-20, in float64."""
    sizes = product.mapped(lambda x: x.float().abs()).whole()
    terms = product.a.shape[-1] + 2
    if is_finite(sizes):
        return sizes.double() * (1 - 2 * terms * UNIT_ROUNDOFF)
    return product.mapped(lambda x: x.double().abs()).whole()


def inside_block(step: Step, product: Product, result: Tensor, factor: int, profile: Profile) -> Tensor:
    """Which elements of a block certainly lie inside their bounds, or cannot be judged; bool."""
    product = product.read(profile)
    exact = product.mapped(widened).whole()

    def bound_of(sizes: Tensor) -> Tensor:
        rounding = rounding_of(step, factor, profile, sizes, exact) * _MARGIN
        return rounding - sizes * (product.a.shape[-1] * _SLACK) + tiny_of(step) / 2

    first = -(-product.a.shape[-1] // FIRST_PART)
    near = within(result, exact, bound_of(magnitudes(product.leading(first))))
    if is_true(near):
        return near
    sizes = magnitudes(product)
    bound = bound_of(sizes)
    # No order of summation is safe from overflow where the magnitudes overflow.
    overflows = rounded(sizes + bound, DType.F32).isinf() & ~result.isfinite()
    return near | within(result, exact, bound) | overflows | ~sizes.isfinite()


def within(result: Tensor, exact: Tensor, bound: Tensor) -> Tensor:
    """Whether a result lies in the rounded interval around the exact value."""
    # RN is monotone: what lies inside before rounding lies inside after it, and needs no rounding to be found so.
    near = ((result.double() - exact).abs() <= bound) & bound.isfinite()
    if is_true(near):
        return near
    dtype = {torch.float16: DType.F16, torch.bfloat16: DType.BF16}.get(result.dtype, DType.F32)
    return near | ((result >= rounded(exact - bound, dtype)) & (result <= rounded(exact + bound, dtype)))
