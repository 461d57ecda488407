"""From float64 to what a step commits: correctly rounded to its dtype, ties to even; and operands as TF32 cuts them.

torch rounds float64 to f16 and bf16 by way of f32, which is two roundings; here it is one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from executor.tensors import torch_dtype
from rollup.numerics import Rounding
from rollup.tensor import DType

_SIGN_LESS = 0x7FFFFFFF
_INFINITY = 0x7F800000
_LEAST_NORMAL = 0x00800000
# TF32 keeps 10 of 23 fraction bits.
_CUT = 13
_HALF = 1 << _CUT - 1


def rounded(x: Tensor, dtype: DType) -> Tensor:
    """`x` in `dtype`. float64 is rounded to nearest even; integers must fit; bool is what is not zero."""
    target = torch_dtype(dtype)
    if x.dtype is not torch.float64 or dtype not in (DType.F16, DType.BF16):
        return x.to(target)
    return _to_odd(x).to(target)


def _to_odd(x: Tensor) -> Tensor:
    """f32 next to each float64, with an odd last bit unless exact: a later rounding to fewer bits is then correct."""
    nearest = x.float()
    above = nearest.double().abs() > x.abs()
    bits = nearest.view(torch.int32)
    # Towards zero by one place where the nearest f32 is too large in magnitude; infinities are left alone.
    truncated = bits - above.int()
    inexact = nearest.double() != x
    odd = torch.where(inexact, truncated | 1, bits)
    return torch.where(x.isfinite(), odd.view(torch.float32), nearest)


def cut(x: Tensor, rounding: Rounding) -> Tensor:
    """An f32 operand with 10 fraction bits, as TF32 multiplies it; what is subnormal or not finite as it is."""
    bits = x.view(torch.int32)
    if rounding is Rounding.NEAREST_EVEN:
        moved = bits + (_HALF - 1) + (bits >> _CUT & 1)
    elif rounding is Rounding.NEAREST_AWAY:
        moved = bits + _HALF
    else:
        moved = bits
    kept = moved & ~((1 << _CUT) - 1)
    size = bits & _SIGN_LESS
    return torch.where((size >= _LEAST_NORMAL) & (size < _INFINITY), kept, bits).view(torch.float32)
