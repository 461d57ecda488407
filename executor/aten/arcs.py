"""Inverses of the circular and hyperbolic functions, and what else is made of sides of triangles.

Made of what the judge knows, in f32 whatever the operands are. A zero has no sign here: of -0 they are what they are
of 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import log, pi

import torch

from executor.aten.common import Number, cast, constant, operand, pairwise
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function

# Cephes, single precision, atanf: z + z^3 P(z^2) up to tan(pi/8), within 2e-7 of the arc.
_ARC = (8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1)
_EIGHTH = 0.4142135623730950
# The least divisor: 0 by 0 is 0 then.
_LEAST = 2.0**-126
# From here on log(2x) differs from asinh and acosh by less than half an ulp of a f32.
_FAR = 2.0**12


@dataclass(frozen=True)
class _Writer:
    """Calls on f32, numbers among their operands."""

    emit: Emitter

    def __call__(self, function: Function, *operands: Operand | Number) -> Operand:
        numbers = (constant(x, torch.float32) if isinstance(x, Number) else x for x in operands)
        return pairwise(self.emit, function, *numbers)

    def signed(self, size: Operand, like: Operand) -> Operand:
        """`size` with the sign of `like`."""
        return self(Function.WHERE, self(Function.LT, like, 0.0), self(Function.NEG, size), size)


Formula = Callable[..., Operand]


def in_f32(formula: Formula, emit: Emitter, args: Arguments) -> Operand:
    """`formula` of the operator's operands, in the dtype of the result."""
    operands = [operand(emit, args[name], torch.float32) for name in ("self", "other") if name in args]
    return cast(emit, formula(_Writer(emit), *operands), args["dtype of result"])


def atan(write: _Writer, x: Operand) -> Operand:
    return write.signed(_slope(write, write(Function.ABS, x), 1.0), x)


def atan2(write: _Writer, y: Operand, x: Operand) -> Operand:
    """The angle of (x, y) from the axis of x."""
    steep = _slope(write, write(Function.ABS, y), write(Function.ABS, x))
    turned = write(Function.WHERE, write(Function.LT, x, 0.0), write(Function.SUB, pi, steep), steep)
    return write.signed(turned, y)


def _slope(write: _Writer, rise: Operand, run: Operand | Number) -> Operand:
    """The angle in 0..pi/2 of two sides that are not negative."""
    greater = write(Function.MAXIMUM, write(Function.MAXIMUM, rise, run), _LEAST)
    ratio = write(Function.DIV, write(Function.MINIMUM, rise, run), greater)
    angle = _arc_of_ratio(write, ratio)
    is_steep = write(Function.GT, rise, run)
    return write(Function.WHERE, is_steep, write(Function.SUB, pi / 2, angle), angle)


def _arc_of_ratio(write: _Writer, ratio: Operand) -> Operand:
    """Of 0..1. Above tan(pi/8) as pi/4 and the angle between."""
    is_wide = write(Function.GT, ratio, _EIGHTH)
    between = write(Function.DIV, write(Function.SUB, ratio, 1.0), write(Function.ADD, ratio, 1.0))
    z = write(Function.WHERE, is_wide, between, ratio)
    square = write(Function.MUL, z, z)
    total: Operand | Number = _ARC[0]
    for coefficient in (*_ARC[1:], 1.0):
        total = write(Function.ADD, write(Function.MUL, total, square), coefficient)
    return write(Function.ADD, write(Function.MUL, total, z), write(Function.WHERE, is_wide, pi / 4, 0.0))


def _other_side(write: _Writer, x: Operand) -> Operand:
    """sqrt(1 - x^2), without cancellation."""
    both = write(Function.MUL, write(Function.SUB, 1.0, x), write(Function.ADD, 1.0, x))
    return write(Function.SQRT, both)


def asin(write: _Writer, x: Operand) -> Operand:
    return atan2(write, x, _other_side(write, x))


def acos(write: _Writer, x: Operand) -> Operand:
    return atan2(write, _other_side(write, x), x)


def hypot(write: _Writer, x: Operand, y: Operand) -> Operand:
    """Squares of the ratio, which do not overflow."""
    sides = write(Function.ABS, x), write(Function.ABS, y)
    greater = write(Function.MAXIMUM, write(Function.MAXIMUM, *sides), _LEAST)
    ratio = write(Function.DIV, write(Function.MINIMUM, *sides), greater)
    longer = write(Function.SQRT, write(Function.ADD, write(Function.MUL, ratio, ratio), 1.0))
    return write(Function.MUL, write(Function.MAXIMUM, *sides), longer)


def asinh(write: _Writer, x: Operand) -> Operand:
    """log(1 + t + t^2 / (1 + sqrt(1 + t^2))), t = |x|."""
    size = write(Function.ABS, x)
    near = write(Function.MINIMUM, size, _FAR)
    square = write(Function.MUL, near, near)
    root = write(Function.SQRT, write(Function.ADD, square, 1.0))
    rest = write(Function.DIV, square, write(Function.ADD, root, 1.0))
    grown = write(Function.LOG1P, write(Function.ADD, near, rest))
    return write.signed(_far(write, size, grown), x)


def acosh(write: _Writer, x: Operand) -> Operand:
    """log(1 + t + sqrt(t (t + 2))), t = x - 1."""
    beyond = write(Function.SUB, write(Function.MINIMUM, x, _FAR), 1.0)
    root = write(Function.SQRT, write(Function.MUL, beyond, write(Function.ADD, beyond, 2.0)))
    return _far(write, x, write(Function.LOG1P, write(Function.ADD, beyond, root)))


def _far(write: _Writer, size: Operand, near: Operand) -> Operand:
    """log(2 size) from `_FAR` on."""
    is_far = write(Function.GT, size, _FAR)
    doubled = write(Function.ADD, write(Function.LOG, write(Function.MAXIMUM, size, _FAR)), log(2))
    return write(Function.WHERE, is_far, doubled, near)


def atanh(write: _Writer, x: Operand) -> Operand:
    """log(1 + 2t / (1 - t)) / 2, t = |x|."""
    size = write(Function.ABS, x)
    ratio = write(Function.DIV, write(Function.ADD, size, size), write(Function.SUB, 1.0, size))
    return write.signed(write(Function.MUL, write(Function.LOG1P, ratio), 0.5), x)


def copysign(write: _Writer, x: Operand, like: Operand) -> Operand:
    return write.signed(write(Function.ABS, x), like)


_FORMULAS: dict[str, Formula] = {
    **{f"{name}.default": formula for name, formula in (
        ("asin", asin), ("acos", acos), ("atan", atan), ("asinh", asinh), ("acosh", acosh), ("atanh", atanh),
        ("atan2", atan2), ("hypot", hypot),
    )},
    **{f"copysign.{kind}": copysign for kind in ("Tensor", "Scalar")},
}  # fmt: skip
HANDLERS: dict[str, Handler] = {f"aten.{name}": partial(in_f32, formula) for name, formula in _FORMULAS.items()}
