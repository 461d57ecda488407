"""Fourier transforms as products with constant matrices.

Turns are counted in whole parts of a circle, so that their sines are right to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod

import torch
from torch import Tensor

from executor.aten.common import axis_of, joined, moved, sliced
from executor.aten.complexes import Complex, Handler, is_zero, pair
from executor.aten.ordering import require_pairs
from executor.emitter import Arguments, Emitter, Operand
from rollup.call import Function


def _circle(rows: int, size: int, sign: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines [rows, size] of the angles by which row k turns element j; float64."""
    turns = torch.arange(rows)[:, None] * torch.arange(size) % size
    angles = turns.double() * (2 * pi / size)
    return angles.cos(), sign * angles.sin()


def _along(emit: Emitter, x: Operand, dim: int, matrix: Tensor) -> Operand:
    rank = len(emit.shape(x))
    require_pairs(f"a Fourier transform of {emit.shape(x)[dim]} elements", matrix.numel())
    return moved(emit, emit.call(Function.LINEAR, moved(emit, x, dim, rank - 1), matrix.float()), rank - 1, dim)


def _halves(emit: Emitter, x: Operand, dim: int) -> Complex:
    half = emit.shape(x)[dim] // 2
    return Complex(sliced(emit, x, dim, slice(0, half)), sliced(emit, x, dim, slice(half, 2 * half)))


def _turned(emit: Emitter, x: Complex, dim: int, sign: int, scale: float) -> Complex:
    """One dimension of a complex value."""
    size = emit.shape(x.real)[dim]
    cosines, sines = _circle(size, size, sign)
    if is_zero(x.imag):
        return _halves(emit, _along(emit, x.real, dim, torch.cat([cosines, sines]) * scale), dim)
    matrix = torch.cat([torch.cat([cosines, -sines], 1), torch.cat([sines, cosines], 1)])
    return _halves(emit, _along(emit, joined(emit, list(x), dim), dim, matrix * scale), dim)


def _scale(args: Arguments, sizes: Sequence[int]) -> float:
    return (1.0, prod(sizes) ** -0.5, 1.0 / prod(sizes))[args["normalization"]]


def transform(emit: Emitter, args: Arguments) -> Complex:
    """Of complex values, or of real ones: of these half of the last dimension says all, and may be asked for alone."""
    x = pair(emit, args["self"])
    rank, shape = len(emit.shape(x.real)), emit.shape(x.real)
    dims = [axis_of(dim, rank) for dim in args["dim"]]
    sign, scale = -1 if args.get("forward", True) else 1, _scale(args, [shape[dim] for dim in dims])
    # The last dimension first, while the value may be real.
    for place, dim in enumerate(reversed(dims)):
        x = _turned(emit, x, dim, sign, scale if place == 0 else 1.0)
        if place == 0 and args.get("onesided", False):
            x = Complex(*(sliced(emit, part, dim, slice(0, shape[dim] // 2 + 1)) for part in x))
    return x


def to_real(emit: Emitter, args: Arguments) -> Operand:
    """Back from the half that says all of real values."""
    x, size = pair(emit, args["self"]), args["last_dim_size"]
    shape = emit.shape(x.real)
    *outer, last = (axis_of(dim, len(shape)) for dim in args["dim"])
    for dim in outer:
        x = _turned(emit, x, dim, 1, 1.0)
    half = shape[last]
    cosines, sines = _circle(half, size, 1)
    # The other half is the same again, but for what stands at its ends.
    twice = torch.full((half, 1), 2.0, dtype=torch.float64)
    twice[0] = 1.0
    if size % 2 == 0:
        twice[-1] = 1.0
    matrix = torch.cat([cosines * twice, -sines * twice]).T * _scale(args, [size, *(shape[dim] for dim in outer)])
    return _along(emit, joined(emit, list(x), last), last, matrix)


HANDLERS: dict[str, Handler] = {
    "aten._fft_r2c.default": transform,
    "aten._fft_c2c.default": transform,
    "aten._fft_c2r.default": to_real,
}
