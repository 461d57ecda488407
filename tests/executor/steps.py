"""One step of every operator, with operands that meet its edges: for tests that hold for all operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from executor.tensors import spec_of, torch_dtype
from rollup.call import f32_bits
from rollup.graph import Op, Operand, Source, Step
from rollup.lowering import strides_of
from rollup.tensor import DType, TensorSpec

SHAPE = (3, 4, 5)
_EDGES = (0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40, 2.0**-126, 65504.0, 1e30, 0.5, 2.5, -3.5, 88.0, -104.0, 1e-8, -2e5)


@dataclass(frozen=True)
class Specimen:
    """A step and operands for it."""

    name: str
    step: Step
    operands: tuple[Tensor, ...]


def step_of(
    op: Op,
    dtype: DType,
    shape: Sequence[int],
    operands: Sequence[Tensor],
    attributes: Sequence[int] = (),
    rank: int = 0,
) -> Step:
    """A step over inputs that have the operands' shapes."""
    named = tuple(Operand(Source.INPUT, place, spec_of(operand)) for place, operand in enumerate(operands))
    return Step(op, TensorSpec(dtype, tuple(shape)), named, rank, tuple(attributes))


def spread_out(op: Op, dtype: DType, operands: Sequence[Tensor], extras: Sequence[int] = ()) -> Step:
    """A step whose operands, each of the full rank, are broadcast against one another."""
    shape = torch.broadcast_shapes(*(operand.shape for operand in operands))
    strides = [
        stride if size > 1 else 0
        for operand in operands
        for size, stride in zip(operand.shape, strides_of(operand.shape), strict=True)
    ]
    return step_of(op, dtype, shape, operands, (*shape, *strides, *extras), len(shape))


def numbers(seed: int, *shape: int, scale: float = 3.0, edges: bool = True) -> Tensor:
    """Normal f32, the first ones replaced by values at which operators change their ways."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator) * scale
    if edges:
        count = min(len(_EDGES), x.numel() // 2)
        x.view(-1)[:count] = torch.tensor(_EDGES[:count])
    return x


def integers(seed: int, *shape: int, low: int = -9, high: int = 10) -> Tensor:
    return torch.randint(low, high, shape, generator=torch.Generator().manual_seed(seed))


def _unary(op: Op, dtype: DType, extras: Sequence[int] = (), function: Callable[[Tensor], Tensor] = torch.Tensor.clone):
    x = function(numbers(op, *SHAPE)).to(torch_dtype(dtype))
    return Specimen(f"{op.name.lower()} {dtype.name.lower()}", step_of(op, dtype, SHAPE, [x], extras), (x,))


def _pair(op: Op, dtype: DType) -> Specimen:
    a, b = (numbers(op + place, *shape).to(torch_dtype(dtype)) for place, shape in enumerate((SHAPE, (3, 1, 5))))
    return Specimen(f"{op.name.lower()} {dtype.name.lower()}", spread_out(op, dtype, [a, b]), (a, b))


def _row(op: Op, x: Tensor, attributes: Sequence[int], *others: Tensor, dtype: DType = DType.F32) -> Specimen:
    shape = x.shape[:-1]
    step = step_of(op, dtype, shape, [x, *others], (x.shape[-1], *attributes))
    return Specimen(f"{op.name.lower()} {'.'.join(map(str, attributes))} {len(others)}", step, (x, *others))


def contraction(dtype: DType = DType.F32, terms: int = 33) -> Specimen:
    """Two batches of 3 by 33 times 33 by 4, with a bias of each column."""
    shapes = ((2, 3, terms), (2, 4, terms), (4,))
    operands = [numbers(7 + place, *shape, edges=False).to(torch_dtype(dtype)) for place, shape in enumerate(shapes)]
    attributes = (terms, 2, 3, 4, 3, 1, 0, 4, 0, 1, 0, 0, 1)
    return Specimen(
        f"contract {dtype.name.lower()}", step_of(Op.CONTRACT, dtype, (2, 3, 4), operands, attributes, 3), (*operands,)
    )


def _exact() -> list[Specimen]:
    made = [_pair(op, dtype) for op in (Op.ADD, Op.SUB, Op.MUL) for dtype in (DType.F32, DType.F16, DType.BF16)]
    made += [_pair(op, DType.F32) for op in (Op.MAXIMUM, Op.MINIMUM)]
    plain = (Op.RELU, Op.NEG, Op.ABS, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.SIGN)
    made += [_unary(op, DType.F32) for op in plain]
    made.append(_unary(Op.CLAMP, DType.F32, (f32_bits(-1.5), f32_bits(float("inf")))))
    i, j = integers(1, *SHAPE), integers(2, 1, 4, 5)
    made += [
        Specimen(f"{op.name.lower()} i64", spread_out(op, DType.I64, [i, j]), (i, j)) for op in (Op.ADD, Op.SUB, Op.MUL)
    ]
    for op, extras in ((Op.NEG, ()), (Op.ABS, ()), (Op.CLAMP, (-3, 4))):
        made.append(Specimen(f"{op.name.lower()} i64", step_of(op, DType.I64, SHAPE, [i], extras), (i,)))
    return made


def _logic() -> list[Specimen]:
    a, b = numbers(3, *SHAPE), numbers(4, 3, 4, 1)
    i, j = integers(1, *SHAPE), integers(2, 1, 4, 5)
    p, q = integers(3, *SHAPE) > 0, integers(4, 3, 4, 1) > 0
    made = [
        Specimen(f"compare {kind}", spread_out(Op.COMPARE, DType.BOOL, pair, [kind]), (*pair,))
        for kind in range(6)
        for pair in ((a, b), (i, j))
    ]
    made += [
        Specimen(f"logical {kind}", spread_out(Op.LOGICAL, DType.BOOL, [p, q], [kind]), (p, q)) for kind in range(3)
    ]
    made.append(Specimen("where", spread_out(Op.WHERE, DType.F32, [p, a, b]), (p, a, b)))
    made.append(Specimen("not", step_of(Op.NOT, DType.BOOL, SHAPE, [p]), (p,)))
    small = numbers(5, *SHAPE).clamp(-100, 100)
    for x, dtype in (
        (a, DType.BF16),
        (a, DType.F16),
        (i, DType.F32),
        (small, DType.I64),
        (small, DType.I32),
        (a, DType.BOOL),
        (p, DType.F32),
        (p, DType.I64),
    ):
        made.append(Specimen(f"cast {x.dtype} {dtype.name.lower()}", step_of(Op.CAST, dtype, SHAPE, [x]), (x,)))
    return made


def _rounded() -> list[Specimen]:
    whole = (Op.EXP, Op.TANH, Op.SIGMOID, Op.ERF, Op.GELU, Op.GELU_TANH, Op.SILU, Op.SIN, Op.COS, Op.EXPM1)
    made = [_unary(op, dtype) for op in whole for dtype in (DType.F32, DType.BF16)]
    made += [_unary(op, DType.F32, (), torch.abs) for op in (Op.LOG, Op.SQRT, Op.RSQRT, Op.LOG1P)]
    made.append(_pair(Op.DIV, DType.F32))
    a, b = numbers(8, *SHAPE, edges=False).abs(), numbers(9, 3, 1, 5, edges=False)
    made.append(Specimen("pow", spread_out(Op.POW, DType.F32, [a, b]), (a, b)))
    return made


def _rows() -> list[Specimen]:
    x = numbers(11, 6, 37, edges=False) + 2
    mean = x.double().mean(-1).float()
    made = [_row(Op.AMAX, x, ()), _row(Op.ARGMAX, x, (), dtype=DType.I64)]
    made += [_row(Op.SUM, x, (divisor, precision)) for divisor in (1, 37) for precision in (0, 1)]
    for finish in range(3):
        for others in ((), (mean,)):
            for precision in (0, 1):
                made.append(_row(Op.SPREAD, x, (37, f32_bits(1e-5), finish, precision), *others))
    top = x.amax(-1)
    made.append(_row(Op.EXPSUM, x, (1,), top))
    total = torch.exp(x - top[:, None]).sum(-1)
    for op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
        tail = (x, top[:, None], total[:, None])
        made.append(Specimen(op.name.lower(), spread_out(op, DType.F32, tail, [37]), tail))
    scale = (x - mean[:, None]).square().mean(-1).rsqrt()[:, None]
    gain, bias = numbers(12, 1, 37, edges=False), numbers(13, 1, 37, edges=False)
    full = (x, mean[:, None], scale, gain, bias)
    made.append(Specimen("norm", spread_out(Op.NORM, DType.F32, full, [7, 37]), full))
    bare = (x, scale, gain)
    made.append(Specimen("norm without mean", spread_out(Op.NORM, DType.F32, bare, [2, 37]), bare))
    return made


def _moved() -> list[Specimen]:
    x = numbers(21, 2, 4, 5, 6)
    turned = step_of(Op.STRIDED, DType.F32, (6, 2), [x], (5, 6, 2, -1, 6), 2)
    joined = [numbers(22, 2, 3, 5), numbers(23, 2, 1, 5)]
    cat = step_of(Op.CAT, DType.F32, (2, 4, 5), joined, (5, 3, 1))
    window = (2, 3, 2, 1, 1, 0, 1, 2, 4, 2)
    patches = step_of(Op.PATCHES, DType.F32, (2, 2, 8, 12), [x], (0, 2, 4, 5, 6, 2, *window, 1, 1))
    wide = (2, 2, 1, 1, 1, 1, 1, 1, 10, 12)
    spaced = step_of(Op.PATCHES, DType.F32, (2, 1, 120, 16), [x], (0, 2, 4, 5, 6, 1, *wide, 2, 2))
    pad = step_of(Op.PAD, DType.F32, (2, 4, 8, 3), [x], (f32_bits(1.5), 2, 4, 8, 3, *x.shape, 0, 0, 2, -1), 4)
    index, table = integers(24, 7, low=0, high=9), numbers(25, 9, 5)
    gather = step_of(Op.GATHER, DType.F32, (7, 5), [index, table], (7, 5, 1, 0, 0, 1, 5, 9), 2)
    return [
        Specimen("strided backwards", turned, (x,)),
        Specimen("cat", cat, (*joined,)),
        Specimen("patches", patches, (x,)),
        Specimen("patches of a spaced picture", spaced, (x,)),
        Specimen("pad", pad, (x,)),
        Specimen("gather", gather, (index, table)),
    ]


def specimens() -> list[Specimen]:
    """At least one of every operator."""
    sums = [contraction(dtype) for dtype in (DType.F32, DType.F16, DType.BF16)]
    return [*sums, *_exact(), *_logic(), *_rounded(), *_rows(), *_moved()]
