"""Sums in other orders: a step's result as hardware with another order of summation would make it, in plain f32.

Terms are shuffled, cut into blocks, the blocks summed by matrix multiplication and added up one after another: blocks
of one term are the sequential sum, one block is whatever the library does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from executor.operators import evaluate
from rollup.graph import Op, Step

# Sequential sums cost as many passes over the result as there are terms.
MAX_PASSES = 64


def is_sum(step: Step) -> bool:
    """Whether a step has an order of summation."""
    return step.op is Op.CONTRACT


def resummed(step: Step, operands: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """An honest f32 result of a contraction, in an order of its own."""
    terms = step.attributes[0]
    order = torch.randperm(terms, generator=generator)
    rows = [operand.reshape(-1, terms)[:, order] for operand in operands[:2]]
    blocks = int(torch.randint(1, min(terms, MAX_PASSES) + 1, (), generator=generator))
    total: Tensor | None = None
    for part in torch.arange(terms).tensor_split(blocks):
        summed = _block(step, [row[:, part].contiguous() for row in rows])
        total = summed if total is None else total + summed
    assert total is not None
    return total if len(operands) == 2 else _biased(step, operands, total)


def _block(step: Step, rows: Sequence[Tensor]) -> Tensor:
    """The same contraction over some of its terms, without its bias."""
    terms = rows[0].shape[1]
    part = replace(step, operands=step.operands[:2], attributes=(terms, *step.attributes[1:]))
    return evaluate(part, rows)


def _biased(step: Step, operands: Sequence[Tensor], total: Tensor) -> Tensor:
    """The sum with its bias added last, as a contraction over one term: `total * 1 + bias`."""
    zeros = [torch.zeros(operand.numel() // step.attributes[0], 1) for operand in operands[:2]]
    one_term = replace(step, attributes=(1, *step.attributes[1:]))
    return total + evaluate(one_term, [*zeros, operands[2]])
