"""How far an honest result may be from the exact one, whole tensors at a time in float64 (PROTOCOL.md, section 5).

A twin of the judge for checking oneself: it is a little stricter than the judge, never laxer, and it calls nothing a
fault. The judge's own arithmetic is rollup/judge.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.operators import MOVEMENT, evaluate, evaluate_rounded, magnitude, terms_of
from rollup.graph import FACTOR_ONE, Op, Step

UNIT_ROUNDOFF = 2.0**-24
# float64 sums of up to 2^16 products, and the bound itself, err by less than this part.
MARGIN = 2.0**-20
TINY = 2.0**-124


def bound_of(step: Step, magnitudes: Tensor, factor: int | None = None) -> Tensor:
    """Greatest |y - exact| of a contraction whose terms have these summed magnitudes.

    `factor`: the calibrated one in 1/256; None gives the sound bound. `gamma(n) = n / (2^24 - n)`, Higham, section 3.1.
    """
    terms = terms_of(step)
    counted = float(terms) if factor is None else min(terms, factor / FACTOR_ONE)
    return magnitudes * (counted / (2**24 - terms)) + terms * TINY


def inside(step: Step, operands: Sequence[Tensor], result: Tensor, factor: int) -> Tensor:
    """Which elements of `result` certainly lie inside the calibrated bound, or cannot be judged; bool, in its shape."""
    if step.op is Op.CONTRACT:
        return _inside_contraction(step, operands, result, factor)
    if step.op is Op.ARGMAX:
        return _inside_argmax(step, operands[0], result)
    expected = evaluate_rounded(step, operands)
    same = (expected == result) | (expected.isnan() & result.isnan())
    return same if step.op in MOVEMENT else same | ~expected.isfinite()


def _inside_contraction(step: Step, operands: Sequence[Tensor], result: Tensor, factor: int) -> Tensor:
    exact = evaluate(step, [operand.double() for operand in operands])
    magnitudes = magnitude(step, operands)
    bound = bound_of(step, magnitudes, factor) * (1 - MARGIN)
    within = (result >= (exact - bound).float()) & (result <= (exact + bound).float())
    # No order of summation is safe from overflow where the magnitudes overflow.
    overflows = (magnitudes + bound).float().isinf()
    return torch.where(result.isfinite(), within, overflows) | ~magnitudes.isfinite()


def _inside_argmax(step: Step, operand: Tensor, result: Tensor) -> Tensor:
    rows = operand.reshape(-1, step.attributes[0])
    label = result.reshape(-1, 1)
    known = (label >= 0) & (label < rows.shape[1])
    chosen = rows.gather(1, label.clamp(0, rows.shape[1] - 1))
    return (known & (chosen == rows.amax(1, keepdim=True))).reshape(result.shape)
