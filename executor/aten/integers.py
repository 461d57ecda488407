"""Division of integers that rounds down, and the shifts and masks that are such divisions by powers of two.

A quotient of floats is near the whole one; what is left over is exact in integers and is divided again. Whatever the
bound of a division lets through, two such rounds and a last step by comparison give the one right number.
"""

from __future__ import annotations

import torch
from torch import Tensor

from executor.aten.common import Number, cast, constant, pairwise
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph

# A float's quotient of a number below 2^62 errs by less than 2^40, that of the rest by less than 2^18, then by 1.
_ROUNDS = 3


def floor_divided(emit: Emitter, a: Operand, b: Operand | Number, dtype: torch.dtype) -> Operand:
    """floor(a / b) of i64 or i32, for constants b above zero that are below 2^24."""
    divisor = _positive(b)
    whole, left = None, cast(emit, a, torch.int64)
    for _ in range(_ROUNDS):
        quotient = pairwise(emit, Function.DIV, cast(emit, left, torch.float32), divisor.to(torch.float32))
        part = cast(emit, emit.call(Function.FLOOR, quotient), torch.int64)
        whole = part if whole is None else pairwise(emit, Function.ADD, whole, part)
        left = pairwise(emit, Function.SUB, left, pairwise(emit, Function.MUL, part, divisor))
    assert whole is not None
    above = cast(emit, pairwise(emit, Function.GE, left, divisor), torch.int64)
    below = cast(emit, pairwise(emit, Function.LT, left, constant(0, torch.int64)), torch.int64)
    exact = pairwise(emit, Function.ADD, whole, pairwise(emit, Function.SUB, above, below))
    return cast(emit, exact, dtype)


def _positive(b: Operand | Number) -> Tensor:
    if isinstance(b, Number):
        b = constant(b, torch.int64)
    if not isinstance(b, Tensor) or not bool(((b > 0) & (b < 2**24)).all()):
        raise BadGraph("division of integers is supported only by constants from 1 to 2^24 - 1")
    return b.to(torch.int64)


def masked(emit: Emitter, a: Operand, mask: Operand | Number, dtype: torch.dtype) -> Operand:
    """a & mask, for a mask of the lowest bits: what a division by a power of two leaves."""
    value = mask if isinstance(mask, Number) else (mask.item() if isinstance(mask, Tensor) and mask.numel() == 1 else 0)
    power = int(value) + 1
    if power < 2 or power & (power - 1):
        raise BadGraph(f"bitwise operators on {dtype} are not supported, only 'and' with a constant 2^k - 1")
    wide = cast(emit, a, torch.int64)
    whole = pairwise(emit, Function.MUL, floor_divided(emit, wide, power, torch.int64), constant(power, torch.int64))
    return cast(emit, pairwise(emit, Function.SUB, wide, whole), dtype)


def shifted_right(emit: Emitter, args: Arguments) -> Operand:
    return floor_divided(emit, args["self"], 2 ** _count(args["other"]), args["dtype of result"])


def shifted_left(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    return pairwise(emit, Function.MUL, x, constant(2 ** _count(args["other"]), emit.dtype(x)))


def _count(bits: Operand | Number) -> int:
    value = bits.item() if isinstance(bits, Tensor) and bits.numel() == 1 else bits
    if not isinstance(value, int) or not 0 <= value < 24:
        raise BadGraph("a shift is supported only by a constant count from 0 to 23")
    return value


HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}.{kind}": shifted_right for name in ("__rshift__", "bitwise_right_shift")
       for kind in ("Scalar", "Tensor", "Tensor_Scalar")},
    **{f"aten.{name}.{kind}": shifted_left for name in ("__lshift__", "bitwise_left_shift")
       for kind in ("Scalar", "Tensor", "Tensor_Scalar")},
}  # fmt: skip
