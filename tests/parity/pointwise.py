"""Cases of operators on single elements, in every dtype that they take: hostile bits, with values beside the edges.

What an honest value is, is taken from float64 and rounded to the result's dtype by torch: a start for what lies beside
it, not a reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

import torch

from rollup.graph import Op
from rollup.judge.dtypes import FLOATS, INTEGERS
from rollup.tensor import DType, Tensor, TensorSpec
from tests.parity.faults import Case, beside, case_of, word
from tests.parity.toy import one_step, step_on, tensor_of_bits

TORCH = {
    DType.F32: torch.float32,
    DType.F16: torch.float16,
    DType.BF16: torch.bfloat16,
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.U8: torch.uint8,
    DType.BOOL: torch.uint8,
}
_SIGNED = {2: torch.int16, 4: torch.int32, 8: torch.int64}
_HALF_EDGES = (0, 1, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0x7E00, 0x007F, 0x0080, 0x7F7F, 0x7F80, 0x3C00, 0x3F80)
_COMPARISONS = (torch.eq, torch.ne, torch.lt, torch.le, torch.gt, torch.ge)
_LOGIC = (torch.logical_and, torch.logical_or, torch.logical_xor)
_PAIRS: Mapping[Op, Callable[..., torch.Tensor]] = {
    Op.ADD: torch.add,
    Op.SUB: torch.sub,
    Op.MUL: torch.mul,
    Op.DIV: torch.div,
    Op.MAXIMUM: torch.maximum,
    Op.MINIMUM: torch.minimum,
}
_UNARY: Mapping[Op, Callable[..., torch.Tensor]] = {
    Op.RELU: torch.relu,
    Op.NEG: torch.neg,
    Op.ABS: torch.abs,
    Op.FLOOR: torch.floor,
    Op.CEIL: torch.ceil,
    Op.ROUND: torch.round,
    Op.TRUNC: torch.trunc,
    Op.SIGN: torch.sign,
}
_ON_INTEGERS = {*_PAIRS, Op.NEG, Op.ABS, Op.SIGN, Op.CLAMP} - {Op.DIV}


def value_of(dtype: DType, bits: int) -> torch.Tensor:
    """A tensor of one element of these bits."""
    if dtype.width == 1:
        return torch.tensor([bits], dtype=torch.uint8)
    wide = 8 * dtype.width
    whole = torch.tensor([bits - (bits >> wide - 1 << wide)], dtype=_SIGNED[dtype.width])
    return whole.view(TORCH[dtype])


def bits_in(dtype: DType, value: torch.Tensor) -> int:
    """Bits of one element, cast to `dtype`, the same on every machine: of a NaN one pattern, 0 for no integer of it."""
    if dtype is DType.BOOL:
        return int(value.ne(0).item())
    if value.is_floating_point() and value.isnan():
        value = torch.tensor(torch.nan)
    if value.is_floating_point() and dtype in INTEGERS and not _holds(dtype, value.item()):
        return 0
    cast = value.to(TORCH[dtype])
    whole = cast if dtype.width == 1 else cast.view(_SIGNED[dtype.width])
    return int(whole.item()) % (1 << 8 * dtype.width)


def _holds(dtype: DType, value: float) -> bool:
    kinds = torch.iinfo(TORCH[dtype])
    return math.isfinite(value) and kinds.min <= int(value) <= kinds.max


def scalar(random: Random, dtype: DType) -> int:
    """Bits of an element: natural, at an edge of its dtype, or anything."""
    if dtype is DType.F32:
        kind = random.choice(["natural", "natural", "subnormal", "wild", "edge", "special"])
        return random.choice([word(random, kind), bits_in(dtype, torch.tensor([random.randint(-9, 9) / 2]))])
    width = 8 * dtype.width
    if dtype in FLOATS:
        natural = bits_in(dtype, torch.tensor([random.choice([random.gauss(0, 1), random.randint(-9, 9) / 2])]))
        return random.choice([natural, natural, random.choice(_HALF_EDGES) ^ random.getrandbits(1) << 15,
                              random.getrandbits(16)])  # fmt: skip
    if dtype is DType.BOOL:
        return random.choice([0, 1, 1, 0, 2])
    small = random.randint(-4, 4) % (1 << width)
    return random.choice([small, small, random.getrandbits(width), 1 << width - 1, (1 << width - 1) - 1])


def near(random: Random, dtype: DType, honest: int) -> int:
    """The honest bits, a neighbour of theirs, or something else."""
    if dtype is DType.F32:
        return beside(random, honest)
    if dtype is DType.BOOL:
        return random.choice([honest, honest, int(not honest), 2])
    if random.random() < 0.15:
        return scalar(random, dtype)
    return (honest + random.choice([-1, 0, 0, 1])) % (1 << 8 * dtype.width)


def spread_case(op: Op, random: Random, result: DType, operands: Sequence[tuple[DType, int]], honest: int,
                extras: Sequence[int] = ()) -> Case:  # fmt: skip
    """An element of a step whose operands are read by strides: the first is broadcast along rows, the others repeat."""
    tensors = [
        tensor_of_bits(dtype, (3,), [0, 0, bits]) if place == 0 else tensor_of_bits(dtype, (1,), [bits])
        for place, (dtype, bits) in enumerate(operands)
    ]
    strides = (0, 1, *[0] * (2 * len(operands) - 2))
    step = step_on(op, TensorSpec(result, (2, 3)), tensors, 2, (2, 3, *strides, *extras))
    value = near(random, result, honest)
    return case_of(one_step(step, tensors, [*[0] * 5, value], random.choice([0, 1, 300])), 0, 5)


def mapped_case(op: Op, random: Random, result: DType, operand: tuple[DType, int], honest: int,
                extras: Sequence[int] = ()) -> Case:  # fmt: skip
    """An element of a step that reads the element of the same place."""
    tensors: list[Tensor] = [tensor_of_bits(operand[0], (2,), [0, operand[1]])]
    step = step_on(op, TensorSpec(result, (2,)), tensors, 0, extras)
    return case_of(one_step(step, tensors, [0, near(random, result, honest)]), 0, 1)


def pair_case(op: Op, random: Random) -> Case:
    """A sum, product, quotient or extreme; now and then of dtypes that do not go together."""
    dtypes = _dtypes(op, random, 3)
    bits = [scalar(random, dtype) for dtype in dtypes[1:]]
    honest = 0
    if all(dtype in FLOATS for dtype in dtypes):
        a, b = (value_of(*pair).double() for pair in zip(dtypes[1:], bits, strict=True))
        honest = bits_in(dtypes[0], _PAIRS[op](a, b))
    elif op is not Op.DIV:
        a, b = (value_of(*pair) for pair in zip(dtypes[1:], bits, strict=True))
        honest = bits_in(dtypes[0], _PAIRS[op](a, b))
    return spread_case(op, random, dtypes[0], list(zip(dtypes[1:], bits, strict=True)), honest)


def unary_case(op: Op, random: Random) -> Case:
    """An exact function of one element."""
    result, source = _dtypes(op, random, 2)
    bits = scalar(random, source)
    value = value_of(source, bits)
    if op is Op.CLAMP:
        return clamp_case(random, result, source, bits)
    exact = _UNARY[op](value.double() if source in FLOATS else value)
    return mapped_case(op, random, result, (source, bits), bits_in(result, exact))


def clamp_case(random: Random, result: DType, source: DType, bits: int) -> Case:
    """Ends of every kind, in order or not."""
    of_floats = result in FLOATS
    if of_floats:
        ends = [random.choice([scalar(random, DType.F32), 0xFF800000, 0x7F800000, 0xBF000000]) for _ in range(2)]
        low, high = (value_of(DType.F32, end).double() for end in ends)
        honest = value_of(source, bits).double().maximum(low).minimum(high)
    else:
        ends = [random.randint(-5, 5), random.choice([random.randint(-5, 9), 2**62])]
        honest = torch.tensor([min(max(int(value_of(source, bits).item()), ends[0]), ends[1])])
    if random.random() < 0.05:
        ends[0] = random.choice([-1, 2**32, 0x7FC00000])
    return mapped_case(Op.CLAMP, random, result, (source, bits), bits_in(result, honest), ends)


def compare_case(random: Random) -> Case:
    """Any two elements of one dtype, often equal ones."""
    dtype = random.choice(list(DType))
    a = scalar(random, dtype)
    b = random.choice([a, scalar(random, dtype)])
    kind = random.choice([*range(6), *range(6), -1, 6])
    honest = int(_COMPARISONS[kind % 6](value_of(dtype, a), value_of(dtype, b)).item())
    other = dtype if random.random() < 0.95 else DType.I32
    if other.width != dtype.width:
        other = dtype
    return spread_case(Op.COMPARE, random, DType.BOOL, [(dtype, a), (other, b)], honest, (kind,))


def logical_case(random: Random) -> Case:
    a, b = scalar(random, DType.BOOL), scalar(random, DType.BOOL)
    kind = random.choice([0, 1, 2, 0, 1, 2, 3, -1])
    honest = int(_LOGIC[kind % 3](value_of(DType.BOOL, a), value_of(DType.BOOL, b)).item())
    dtype = DType.BOOL if random.random() < 0.95 else DType.U8
    return spread_case(Op.LOGICAL, random, DType.BOOL, [(DType.BOOL, a), (dtype, b)], honest, (kind,))


def where_case(random: Random) -> Case:
    dtype = random.choice(list(DType))
    condition, a, b = scalar(random, DType.BOOL), scalar(random, dtype), scalar(random, dtype)
    honest = random.choice([a if condition else b] * 3 + [a, b])
    other = dtype if random.random() < 0.95 else random.choice([kind for kind in DType if kind.width == dtype.width])
    return spread_case(Op.WHERE, random, dtype, [(DType.BOOL, condition), (dtype, a), (other, b)], honest)


def not_case(random: Random) -> Case:
    bits = scalar(random, DType.BOOL)
    dtype = DType.BOOL if random.random() < 0.95 else DType.U8
    return mapped_case(Op.NOT, random, DType.BOOL, (dtype, bits), int(bits == 0))


def cast_case(random: Random) -> Case:
    result, source = random.choice(list(DType)), random.choice(list(DType))
    bits = scalar(random, source)
    value = value_of(source, bits)
    return mapped_case(Op.CAST, random, result, (source, bits), bits_in(result, value))


def _dtypes(op: Op, random: Random, count: int) -> list[DType]:
    """Of the result and the operands: one dtype, or several floats."""
    if op in _ON_INTEGERS and random.random() < 0.3:
        dtype = random.choice(sorted(INTEGERS))
        return [dtype] * count if random.random() < 0.95 else [dtype, *[DType.I64] * (count - 1)]
    first = random.choice([DType.F32, DType.F32, DType.F16, DType.BF16])
    return [first] * count if random.random() < 0.7 else [random.choice(sorted(FLOATS)) for _ in range(count)]


MAKERS: Mapping[str, tuple[Callable[[Random], Case], int]] = {
    **{op.name.lower(): (partial(pair_case, op), 44) for op in _PAIRS},
    **{op.name.lower(): (partial(unary_case, op), 32) for op in (*_UNARY, Op.CLAMP)},
    "compare": (compare_case, 50),
    "logical": (logical_case, 30),
    "where": (where_case, 40),
    "not": (not_case, 20),
    "cast": (cast_case, 80),
}
