"""What a pointwise or a row step makes of the elements it reads, in float64 (integers as int64, bools as bool).

One formula per operator over views of its operands (places.py): exact ones, transcendental ones, rows, and the last
steps of fused kernels. Differentiable where the operator is. Rewritten where the textbook's form cancels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import pi, sqrt

import torch
from torch import Tensor

from executor.operators.places import extras_of
from executor.tensors import torch_dtype
from rollup.graph import Op, Step
from rollup.tensor import DType

Views = Sequence[Tensor]
Formula = Callable[[Step, Views], Tensor]
FLOATS = frozenset({DType.F32, DType.F16, DType.BF16})
# What a norm's presence mask says of the operands that may be left out.
HAS_MEAN, HAS_GAIN, HAS_BIAS = 1, 2, 4
_GELU_CUBE = 0.044715
# exp of it is below 2^-1009: nothing beside what may be flushed.
_NOTHING = -700.0
_GELU_SCALE = sqrt(2 / pi)


def f32_of(bits: int) -> float:
    """An f32 attribute from its bits, given as a signed or an unsigned integer."""
    value: float = struct.unpack(">f", (bits & 0xFFFFFFFF).to_bytes(4, "big"))[0]
    return value


def norm_operands(step: Step, views: Views) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None, Tensor | None]:
    """x, mean, scale, gain and bias of a norm; None where the step leaves an operand out."""
    mask = extras_of(step)[0]
    rest = iter(views)
    x = next(rest)
    mean = next(rest) if mask & HAS_MEAN else None
    scale = next(rest)
    gain = next(rest) if mask & HAS_GAIN else None
    bias = next(rest) if mask & HAS_BIAS else None
    return x, mean, scale, gain, bias


def _unary(function: Callable[[Tensor], Tensor]) -> Formula:
    return lambda _, views: function(views[0])


def _pair(function: Callable[[Tensor, Tensor], Tensor]) -> Formula:
    return lambda _, views: function(views[0], views[1])


def _clamp(step: Step, views: Views) -> Tensor:
    low, high = extras_of(step)
    (x,) = views
    if x.is_floating_point():
        return x.clamp(f32_of(low), f32_of(high))
    return x.clamp(low, high)


def _cast(step: Step, views: Views) -> Tensor:
    (x,) = views
    if step.result.dtype is DType.BOOL:
        return x != 0
    if step.result.dtype in FLOATS:
        # An int64 has more bits than float64; torch rounds it once, to the dtype itself.
        return x if x.is_floating_point() else x.to(torch_dtype(step.result.dtype)).double()
    return x.trunc().long() if x.is_floating_point() else x.long()


def _compare(step: Step, views: Views) -> Tensor:
    return _COMPARISONS[extras_of(step)[0]](views[0], views[1])


def _logical(step: Step, views: Views) -> Tensor:
    return _LOGIC[extras_of(step)[0]](views[0], views[1])


def _gelu(_: Step, views: Views) -> Tensor:
    # 1 + erf(x / sqrt 2) cancels for negative x; erfc does not.
    (x,) = views
    return 0.5 * x * torch.erfc(x * -sqrt(0.5))


def _gelu_tanh(_: Step, views: Views) -> Tensor:
    # (1 + tanh z) / 2 = sigmoid(2 z), which does not cancel.
    (x,) = views
    return x * torch.sigmoid(2 * _GELU_SCALE * (x + _GELU_CUBE * x * x * x))


def _amax(_: Step, views: Views) -> Tensor:
    return views[0].amax(-1)


def _argmax(_: Step, views: Views) -> Tensor:
    return views[0].argmax(-1)


def _sum(step: Step, views: Views) -> Tensor:
    return views[0].sum(-1) / extras_of(step)[0]


def moment(step: Step, views: Views) -> Tensor:
    """Sum of (a - mean)^2 / D of each row of a spread."""
    row = views[0] if len(views) == 1 else views[0] - views[1].unsqueeze(-1)
    return (row * row).sum(-1) / extras_of(step)[0]


def _spread(step: Step, views: Views) -> Tensor:
    _, eps, finish, _ = extras_of(step)
    total = moment(step, views) + f32_of(eps)
    return (total, total.sqrt(), total.rsqrt())[finish] if finish else total


def _exponential(x: Tensor) -> Tensor:
    """exp, but no less than e^-700: float64 kernels are many times slower where they underflow, as under masks."""
    return torch.exp(x.clamp(min=_NOTHING))


def _expsum(_: Step, views: Views) -> Tensor:
    return _exponential(views[0] - views[1].unsqueeze(-1)).sum(-1)


def _softmax(_: Step, views: Views) -> Tensor:
    x, top, total = views
    return _exponential(x - top) / total


def _log_softmax(_: Step, views: Views) -> Tensor:
    x, top, total = views
    return (x - top) - total.log()


def _norm(step: Step, views: Views) -> Tensor:
    x, mean, scale, gain, bias = norm_operands(step, views)
    result = (x if mean is None else x - mean) * scale
    result = result if gain is None else result * gain
    return result if bias is None else result + bias


_COMPARISONS = (torch.eq, torch.ne, torch.lt, torch.le, torch.gt, torch.ge)
_LOGIC = (torch.logical_and, torch.logical_or, torch.logical_xor)
FORMULAS: dict[Op, Formula] = {
    Op.ADD: _pair(torch.add),
    Op.SUB: _pair(torch.sub),
    Op.MUL: _pair(torch.mul),
    Op.DIV: _pair(torch.div),
    Op.MAXIMUM: _pair(torch.maximum),
    Op.MINIMUM: _pair(torch.minimum),
    Op.POW: _pair(torch.pow),
    Op.COMPARE: _compare,
    Op.LOGICAL: _logical,
    Op.WHERE: lambda _, views: torch.where(views[0], views[1], views[2]),
    Op.RELU: _unary(torch.relu),
    Op.NEG: _unary(torch.neg),
    Op.ABS: _unary(torch.abs),
    Op.CLAMP: _clamp,
    Op.FLOOR: _unary(torch.floor),
    Op.CEIL: _unary(torch.ceil),
    Op.ROUND: _unary(torch.round),
    Op.TRUNC: _unary(torch.trunc),
    Op.SIGN: _unary(torch.sign),
    Op.NOT: _unary(torch.logical_not),
    Op.CAST: _cast,
    Op.EXP: _unary(torch.exp),
    Op.LOG: _unary(torch.log),
    Op.TANH: _unary(torch.tanh),
    Op.SIGMOID: _unary(torch.sigmoid),
    Op.SQRT: _unary(torch.sqrt),
    Op.RSQRT: _unary(torch.rsqrt),
    Op.ERF: _unary(torch.erf),
    Op.GELU: _gelu,
    Op.GELU_TANH: _gelu_tanh,
    Op.SILU: _unary(torch.nn.functional.silu),
    Op.SIN: _unary(torch.sin),
    Op.COS: _unary(torch.cos),
    Op.EXPM1: _unary(torch.expm1),
    Op.LOG1P: _unary(torch.log1p),
    Op.AMAX: _amax,
    Op.ARGMAX: _argmax,
    Op.SUM: _sum,
    Op.SPREAD: _spread,
    Op.EXPSUM: _expsum,
    Op.SOFTMAX: _softmax,
    Op.LOG_SOFTMAX: _log_softmax,
    Op.NORM: _norm,
}
