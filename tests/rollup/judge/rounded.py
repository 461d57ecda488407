"""What the tests of the rounded operators share: cases, and whether the results of real kernels are honest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rollup.graph import Op, Operand, Source, Step
from rollup.judge.evaluate import evaluate
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict

DTYPES = {torch.float32: DType.F32, torch.float16: DType.F16, torch.bfloat16: DType.BF16}
_BITS = {torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16}


def bits_of(x: Tensor) -> list[int]:
    """Bit patterns, unsigned."""
    width = 8 * x.element_size()
    return [word % (1 << width) for word in x.contiguous().view(_BITS[x.dtype]).reshape(-1).tolist()]


def step_of(op: Op, dtypes: Sequence[DType], extras: Sequence[int]) -> Step:
    """A step over one element of each operand; `dtypes` begins with the result's."""
    specs = [TensorSpec(dtype, (1,)) for dtype in dtypes]
    operands = tuple(Operand(Source.INPUT, index, spec) for index, spec in enumerate(specs[1:]))
    rank = 1 if op in (Op.POW, Op.SOFTMAX, Op.LOG_SOFTMAX, Op.NORM) else 0
    return Step(op, specs[0], operands, rank, (1,) * (rank * len(specs)) + tuple(extras))


def verdict(op: Op, value: int, operands: Sequence[int], extras: Sequence[int] = (), factor: int = 0) -> Verdict:
    """Of one element; f32 bits, all."""
    step = step_of(op, [DType.F32] * (1 + len(operands)), extras)
    return evaluate(step, [(value,), *((bits,) for bits in operands)], factor=factor).verdict


def faults(op: Op, result: Tensor, operands: Sequence[Tensor], extras: Sequence[int] = ()) -> list[int]:
    """Elements of a kernel's result that the judge calls faults; operands broadcast to it."""
    spread = [operand.broadcast_to(result.shape) for operand in operands]
    step = step_of(op, [DTYPES[tensor.dtype] for tensor in (result, *operands)], extras)
    columns = zip(*(bits_of(tensor) for tensor in (result, *spread)), strict=True)
    return [
        place
        for place, column in enumerate(columns)
        if evaluate(step, [(bits,) for bits in column]).verdict is not Verdict.NO_FAULT
    ]


def samples(dtype: torch.dtype, count: int) -> Tensor:
    """Finite numbers of every size, natural ones, numbers near one and zero, subnormals."""
    generator = torch.Generator().manual_seed(11)
    words = torch.randint(-(2**31), 2**31, (count,), generator=generator, dtype=torch.int64).to(torch.int32)
    natural = torch.randn(count, generator=generator) * 4
    near = 1 + torch.randn(count // 2, generator=generator) * torch.exp2(-torch.arange(count // 2) % 24)
    small = torch.randint(-(2**24), 2**24, (count // 4,), generator=generator, dtype=torch.int64).abs()
    whole = torch.cat([words.view(torch.float32), natural, near, small.to(torch.int32).view(torch.float32)]).to(dtype)
    return whole[whole.isfinite()]
