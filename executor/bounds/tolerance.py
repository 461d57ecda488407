"""The error models of pointwise and row steps, whole tensors at a time in float64 (PROTOCOL.md, section 5).

How far an honest result may be from the exact one, from the operands as committed. Contractions have their own module
(contraction.py); operators that are exact have no entry. Sources stand with the judge's own (rollup/judge).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import torch
from torch import Tensor

from executor.operators.formulas import f32_of, moment, norm_operands
from executor.operators.places import extras_of
from rollup.graph import FACTOR_ONE, Op, Step
from rollup.judge.functions import FUNCTIONS

UNIT_ROUNDOFF = 2.0**-24
# What flushing subnormals may add.
TINY = 2.0**-126
# Parts of what the judge allows a derived row; the other part is what float64 errs by itself in its terms.
_DERIVED_SUM, _DERIVED_SPREAD, _DERIVED_EXPSUM = 2.0**-51, 2.0**-48, 2.0**-45


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


def is_approximate(step: Step) -> bool:
    """Whether a factor bounds the step: of the contractions, and of those that have a scale here."""
    if step.op is Op.SUM:
        return not extras_of(step)[1]
    return step.op in _CALIBRATED


def units_of(step: Step) -> float:
    """Units of its scale that a pointwise or row step may be off at most; infinite where that is no multiple of it."""
    if step.op in FUNCTIONS:
        return FUNCTIONS[step.op].model.count
    if step.op is Op.SUM:
        return step.attributes[0] + 2
    if step.op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
        return 16 + extras_of(step)[0] / 4
    return _COUNTS.get(step.op, inf)


def _function(step: Step, views: Views, exact: Tensor) -> Tolerance:
    model = FUNCTIONS[step.op].model
    scale, rest = model.scale(views[0], exact), model.rest(views[0], exact)
    return Tolerance(scale * UNIT_ROUNDOFF, model.count, tiny=rest * TINY)


def _div(_: Step, __: Views, exact: Tensor) -> Tolerance:
    return Tolerance(exact.abs() * UNIT_ROUNDOFF, _COUNTS[Op.DIV])


def _pow(_: Step, views: Views, exact: Tensor) -> Tolerance:
    return Tolerance(exact.abs() * (1 + views[1].abs() / 2) * UNIT_ROUNDOFF, _COUNTS[Op.POW])


def _sum(step: Step, views: Views, _: Tensor) -> Tolerance:
    divisor, precision = extras_of(step)
    count = views[0].shape[-1] + 2
    unit = _DERIVED_SUM if precision else UNIT_ROUNDOFF
    scale = views[0].abs().sum(-1) * (unit / divisor / (1 - count * unit))
    return Tolerance(scale, count, is_calibrated=not precision)


def _spread(step: Step, views: Views, exact: Tensor) -> Tolerance:
    divisor, eps, finish, precision = extras_of(step)
    if precision:
        return Tolerance(exact.abs() * _DERIVED_SPREAD, 1, is_calibrated=False)
    terms = views[0].shape[-1]
    total = (moment(step, views) * divisor).sqrt()
    lost = total * ((terms + 8) * UNIT_ROUNDOFF)
    if len(views) > 1:
        lost = (total + sqrt(terms) * views[1].abs()) * ((6 * terms + 16) * UNIT_ROUNDOFF)
    ends = [end * end / divisor + f32_of(eps) for end in ((total - lost).clamp(min=0.0), total + lost)]
    finished = [(end, end.sqrt(), end.rsqrt())[finish] for end in ends]
    nearest = torch.minimum((finished[0] - exact).abs(), (finished[1] - exact).abs())
    # Of the roundings that finish it, eight, float64 spends what little it needs.
    return Tolerance(nearest + exact.abs() * (7 * UNIT_ROUNDOFF), 1, is_calibrated=False)


def _expsum(_: Step, __: Views, exact: Tensor) -> Tolerance:
    return Tolerance(exact.abs() * _DERIVED_EXPSUM, 1, is_calibrated=False)


def _softmax(step: Step, views: Views, exact: Tensor) -> Tolerance:
    x, top, total = views
    scale = exact * (UNIT_ROUNDOFF * (8 + x.abs() + top.abs()))
    # A masked element's share is nothing, however large its x.
    return Tolerance(scale.where(exact > TINY * TINY, 0.0), units_of(step), tiny=(1 + 1 / total) * TINY)


def _log_softmax(step: Step, views: Views, _: Tensor) -> Tolerance:
    x, top, total = views
    scale = (8 + x.abs() + top.abs() + total.log().abs()) * UNIT_ROUNDOFF
    return Tolerance(scale, units_of(step))


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
    rest = (1 + x.abs() + mean_size) * (1 + weight) * (1 + r)
    return Tolerance(scale * UNIT_ROUNDOFF, 16, extra.expand_as(scale), rest * (4 * TINY))


_COUNTS = {Op.DIV: 4, Op.POW: 16}
_CALIBRATED = frozenset({Op.CONTRACT, *_COUNTS, *FUNCTIONS, Op.SOFTMAX, Op.LOG_SOFTMAX, Op.NORM})
_MODELS: dict[Op, Model] = {
    Op.DIV: _div,
    Op.POW: _pow,
    **dict.fromkeys(FUNCTIONS, _function),
    Op.SUM: _sum,
    Op.SPREAD: _spread,
    Op.EXPSUM: _expsum,
    Op.SOFTMAX: _softmax,
    Op.LOG_SOFTMAX: _log_softmax,
    Op.NORM: _norm,
}
