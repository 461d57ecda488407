"""Every step's operator in float64: what it makes of its operands, to the last bit once it is rounded.

Slow, whole tensors at a time, differentiable. Knows nothing of the fast path (runner.py) nor of
bounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.operators.contraction import Product, terms_of
from executor.operators.formulas import FORMULAS
from executor.operators.movement import MOVES
from executor.operators.places import blocks, dims_of, row_length, views_of
from executor.operators.rounding import rounded
from executor.tensors import torch_dtype
from rollup.graph import Op, Step
from rollup.numerics import FP32, Profile

# Elements of a pointwise or row step that are worked on at once: they stay in a processor's cache.
BLOCK = 2**17


def evaluate(step: Step, operands: Sequence[Tensor], profile: Profile = FP32) -> Tensor:
    """Result of `step`, not rounded: float64 for floats, int64 or bool for others; in the result's shape.

    Floating operands may have any dtype. `profile` says how a contraction reads f32 operands.
    """
    if step.op in MOVES:
        result = MOVES[step.op](step, operands)
    elif step.op is Op.CONTRACT:
        result = Product.of(step, operands).read(profile).mapped(widened).whole()
    else:
        result = FORMULAS[step.op](step, views_of(step, [widened(operand) for operand in operands]))
    return result.reshape(step.result.shape)


def evaluate_rounded(step: Step, operands: Sequence[Tensor], profile: Profile = FP32) -> Tensor:
    """Result of `step` on operands as committed, rounded once to its dtype; worked out block by block."""
    if step.op in MOVES:
        return MOVES[step.op](step, operands).reshape(step.result.shape).contiguous()
    if step.op is Op.CONTRACT:
        return _contracted(step, operands, profile)
    dims = dims_of(step)
    result = torch.empty(tuple(dims), dtype=torch_dtype(step.result.dtype))
    views = views_of(step, operands)
    for place in blocks(dims, BLOCK // row_length(step)):
        part = FORMULAS[step.op](step, [widened(view[place]) for view in views])
        result[place] = rounded(part, step.result.dtype)
    return result.reshape(step.result.shape)


def _contracted(step: Step, operands: Sequence[Tensor], profile: Profile) -> Tensor:
    product = Product.of(step, operands)
    result = torch.empty(product.dims, dtype=torch_dtype(step.result.dtype))
    for place, part in product.parts():
        result[place] = rounded(part.read(profile).mapped(widened).whole(), step.result.dtype)
    return result.reshape(step.result.shape)


def widened(x: Tensor) -> Tensor:
    """Floats as float64, integers as int64."""
    if x.is_floating_point():
        return x.double()
    return x if x.dtype is torch.bool else x.long()


__all__ = ["BLOCK", "evaluate", "evaluate_rounded", "terms_of", "widened"]
