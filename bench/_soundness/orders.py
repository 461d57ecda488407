"""Sums in other orders: a step's result as hardware with another order of summation would make it, in plain f32.

Terms are shuffled, cut into blocks, the blocks summed by matrix multiplication and added up one after another: blocks
of one term are the sequential sum, one block is whatever the library does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from executor.operators.contraction import Product
from executor.operators.places import extras_of
from rollup.graph import Op, Step

# A sequential sum costs as many passes over the result as it has terms; as many as keep within these elements are made.
MAX_PASSED = 2**21
LEAST_PASSES = 4


def is_sum(step: Step) -> bool:
    """Whether a step is a sum that f32 hardware computes, in an order of its own."""
    if any(spec.dtype != step.result.dtype for spec in (operand.spec for operand in step.operands)):
        return False
    return step.op is Op.CONTRACT or (step.op is Op.SUM and extras_of(step)[-1] == 0)


def resummed(step: Step, operands: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """An honest result of such a step, its terms taken in an order of their own."""
    terms = step.attributes[0]
    order = torch.randperm(terms, generator=generator)
    most = min(terms, max(LEAST_PASSES, MAX_PASSED // step.result.elements))
    # Half of the time as near to the sequential sum as that allows.
    count = most if bool(torch.rand((), generator=generator) < 0.5) else _drawn(most, generator)
    blocks = order.tensor_split(count)
    result = _contracted(step, operands, blocks) if step.op is Op.CONTRACT else _summed(step, operands[0], blocks)
    return result.reshape(step.result.shape)


def _drawn(most: int, generator: torch.Generator) -> int:
    return int(torch.randint(1, most + 1, (), generator=generator))


def _contracted(step: Step, operands: Sequence[Tensor], blocks: Sequence[Tensor]) -> Tensor:
    rows = [operand.reshape(-1, step.attributes[0]) for operand in operands[:2]]
    total = torch.zeros(())
    for block in blocks:
        part = replace(step, attributes=(len(block), *step.attributes[1:]))
        total = total + Product.of(part, [row[:, block] for row in rows]).whole()
    bias = Product.of(step, operands).bias
    return total if bias is None else total + bias


def _summed(step: Step, operand: Tensor, blocks: Sequence[Tensor]) -> Tensor:
    rows, total = operand.reshape(-1, step.attributes[0]), torch.zeros(())
    for block in blocks:
        total = total + rows[:, block].sum(-1)
    return total / extras_of(step)[0]
