"""The error models of pointwise and row steps, whole tensors at a time in float64 (PROTOCOL.md, section 5).

How far an honest result may be from the exact one, from the operands as committed. Contractions have their own module
(contraction.py); operators that are exact have no entry. Sources stand with the judge's own (rollup/judge).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from executor.operators.formulas import f32_of, moment, norm_operands
from executor.operators.places import extras_of
from rollup.graph import FACTOR_ONE, Op, Step
from rollup.tensor import DType

UNIT_ROUNDOFF = 2.0**-24
# What flushing subnormals may add.
TINY = 2.0**-126
# Of a row that a fused kernel never commits: evaluated in float64.
DERIVED = 2.0**-40
_DERIVED_SUM = 2.0**-50


@dataclass(frozen=True)
class Tolerance:
    """A sound bound is `count * scale + extra + tiny`; a calibrated one `min(count * scale + extra, c * scale) + tiny`.

    `is_calibrated`: whether the step's factor counts at all.
    """

    scale: Tensor
    count: float
    extra: Tensor | None = None
    tiny: Tensor | float = TINY
    is_calibrated: bool = True

    def bound(self, factor: int = 0) -> Tensor:
        """Greatest |y - exact| before rounding to the dtype. `factor` in 1/256; 0 gives the sound bound."""
        sound = self.scale * self.count
        if self.extra is not None:
            sound = sound + self.extra
        if factor and self.is_calibrated:
            sound = torch.minimum(sound, self.scale * (factor / FACTOR_ONE))
        return sound + self.tiny


Views = Sequence[Tensor]
Model = Callable[[Step, Views, Tensor], Tolerance]


def tolerance_of(step: Step, views: Views, exact: Tensor) -> Tolerance | None:
    """Of a pointwise or row step, from float64 views of its operands and its exact result; None where it is exact."""
    model = _MODELS.get(step.op)
    return None if model is None else model(step, views, exact)


def is_narrow(step: Step) -> bool:
    """Whether a 16-bit float is read or made."""
    dtypes = [step.result.dtype, *(operand.spec.dtype for operand in step.operands)]
    return any(dtype in (DType.F16, DType.BF16) for dtype in dtypes)


def is_approximate(step: Step) -> bool:
    """Whether a factor bounds the step: of the contractions, and of those that have a model here."""
    if step.op in _CORRECTLY_ROUNDED or (step.op in (Op.SUM, Op.SPREAD, Op.EXPSUM) and step.attributes[-1]):
        return False
    return step.op is Op.CONTRACT or step.op in _MODELS


def _relative(count: float) -> Model:
    return lambda _, __, exact: Tolerance(exact.abs() * UNIT_ROUNDOFF, count)


def _absolute(count: float) -> Model:
    return lambda _, __, exact: Tolerance(torch.full_like(exact, UNIT_ROUNDOFF), count)


def _once_more(step: Step, _: Views, exact: Tensor) -> Tolerance | None:
    # Hardware may round to f32 before it rounds to 16 bits; in f32 it rounds once, correctly.
    if not is_narrow(step):
        return None
    return Tolerance(exact.abs() * UNIT_ROUNDOFF, 1, is_calibrated=False)


def _erf(_: Step, __: Views, exact: Tensor) -> Tolerance:
    return Tolerance((exact.abs() + 1) * UNIT_ROUNDOFF, 8)


def _gelu(_: Step, views: Views, __: Tensor) -> Tolerance:
    return Tolerance(views[0].abs() * UNIT_ROUNDOFF, 46)


def _silu(_: Step, views: Views, exact: Tensor) -> Tolerance:
    return Tolerance(exact.abs() * UNIT_ROUNDOFF, 8, tiny=(views[0].abs() + 1) * TINY)


def _sum(step: Step, views: Views, _: Tensor) -> Tolerance:
    divisor, precision = extras_of(step)
    count = views[0].shape[-1] + 2
    unit = _DERIVED_SUM if precision else UNIT_ROUNDOFF
    scale = views[0].abs().sum(-1) * (unit / divisor / (1 - count * unit))
    return Tolerance(scale, count, is_calibrated=not precision)


def _spread(step: Step, views: Views, exact: Tensor) -> Tolerance:
    _, eps, finish, precision = extras_of(step)
    # The relative error of the variance and eps together; a root halves it.
    share = 0.5 if finish else 1.0
    if precision:
        return Tolerance(exact.abs() * (share * DERIVED), 1, is_calibrated=False)
    variance = moment(step, views)
    total = variance + f32_of(eps)
    mean = views[1] if len(views) > 1 else torch.zeros_like(variance)
    lost = variance + mean * mean
    scale = exact.abs() * (share * UNIT_ROUNDOFF) * (lost / total).nan_to_num(0.0) + exact.abs() * UNIT_ROUNDOFF
    return Tolerance(scale, 4 * views[0].shape[-1] + 8)


def _expsum(_: Step, __: Views, exact: Tensor) -> Tolerance:
    return Tolerance(exact.abs() * DERIVED, 1, is_calibrated=False)


def _softmax(step: Step, views: Views, exact: Tensor) -> Tolerance:
    x, top, _ = views
    scale = exact * (UNIT_ROUNDOFF * (8 + x.abs() + top.abs()))
    return Tolerance(scale.where(exact > 0, 0.0), 16 + extras_of(step)[0] / 4)


def _log_softmax(step: Step, views: Views, _: Tensor) -> Tolerance:
    x, top, total = views
    scale = (8 + x.abs() + top.abs() + total.log().abs()) * UNIT_ROUNDOFF
    return Tolerance(scale, 16 + extras_of(step)[0] / 4)


def _norm(step: Step, views: Views, _: Tensor) -> Tolerance:
    x, mean, r, gain, bias = norm_operands(step, views)
    n = extras_of(step)[1]
    zero = torch.zeros((), dtype=torch.float64)
    mean_size = zero if mean is None else mean.abs()
    weight = zero + 1 if gain is None else gain.abs()
    z = ((x if mean is None else x - mean) * r).abs()
    r = r.abs()
    scale = weight * r * (x.abs() + mean_size) + weight * z
    scale = scale if bias is None else scale + bias.abs()
    gamma = n * UNIT_ROUNDOFF / (1 - n * UNIT_ROUNDOFF)
    # The mean of |x| is at most |mean| + 1/r, that of r²x² at most mean²r² + 1.
    extra = weight * (r * mean_size + 1 + z * (mean_size * mean_size * r * r + 1) / 2) * gamma
    return Tolerance(scale * UNIT_ROUNDOFF, 16, extra.expand_as(scale))


_CORRECTLY_ROUNDED = frozenset({Op.ADD, Op.SUB, Op.MUL})
_MODELS: dict[Op, Callable[[Step, Views, Tensor], Tolerance | None]] = {
    Op.ADD: _once_more,
    Op.SUB: _once_more,
    Op.MUL: _once_more,
    Op.DIV: _relative(4),
    Op.POW: _relative(16),
    Op.EXP: _relative(8),
    Op.LOG: _relative(8),
    Op.TANH: _relative(8),
    Op.SIGMOID: _relative(8),
    Op.SQRT: _relative(4),
    Op.RSQRT: _relative(8),
    Op.ERF: _erf,
    Op.GELU: _gelu,
    Op.GELU_TANH: _gelu,
    Op.SILU: _silu,
    Op.SIN: _absolute(8),
    Op.COS: _absolute(8),
    Op.EXPM1: _relative(8),
    Op.LOG1P: _relative(8),
    Op.SUM: _sum,
    Op.SPREAD: _spread,
    Op.EXPSUM: _expsum,
    Op.SOFTMAX: _softmax,
    Op.LOG_SOFTMAX: _log_softmax,
    Op.NORM: _norm,
}
