"""Movement: elements of the operands in other places, with equal bits, in whatever dtype they have. Differentiable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from executor.operators.formulas import f32_of
from executor.operators.places import axes_of, strided
from rollup.graph import Op, Step

Move = Callable[[Step, Sequence[Tensor]], Tensor]


def _fill(bits: int, x: Tensor) -> float:
    """What is read outside: an f32 by its bits, or an integer."""
    return f32_of(bits) if x.is_floating_point() else bits


def _strided(step: Step, operands: Sequence[Tensor]) -> Tensor:
    dims, strides = axes_of(step, 1, 2)
    return strided(operands[0], dims, strides, step.attributes[0])


def _cat(step: Step, operands: Sequence[Tensor]) -> Tensor:
    inner, *lengths = step.attributes
    return torch.cat([x.reshape(-1, n, inner) for x, n in zip(operands, lengths, strict=True)], dim=1)


def _patches(step: Step, operands: Sequence[Tensor]) -> Tensor:
    fill, batch, channels, height, width, groups, *window = step.attributes
    k_h, k_w, s_h, s_w, p_h, p_w, d_h, d_w, o_h, o_w, *up = window
    x = operands[0].reshape(batch, channels, height, width)
    value = _fill(fill, x)
    if up:
        x = _spaced(x, up[0], up[1], value)
    # On the right only as far as the last window reaches; never less than the picture.
    high = [
        max(p + size, (o - 1) * s + d * (k - 1) + 1) - p - size
        for p, size, o, s, d, k in ((p_h, x.shape[2], o_h, s_h, d_h, k_h), (p_w, x.shape[3], o_w, s_w, d_w, k_w))
    ]
    padded = functional.pad(x, (p_w, high[1], p_h, high[0]), value=value).contiguous()
    n, c, h, w = padded.stride()
    inner = channels // groups
    return padded.as_strided(
        (batch, groups, o_h, o_w, inner, k_h, k_w), (n, c * inner, h * s_h, w * s_w, c, h * d_h, w * d_w)
    )


def _spaced(x: Tensor, up_h: int, up_w: int, value: float) -> Tensor:
    """The picture with fill between its rows and columns."""
    if up_h == up_w == 1:
        return x
    batch, channels, height, width = x.shape
    wide = x.new_full((batch, channels, (height - 1) * up_h + 1, (width - 1) * up_w + 1), value)
    wide[:, :, ::up_h, ::up_w] = x
    return wide


def _pad(step: Step, operands: Sequence[Tensor]) -> Tensor:
    dims, sizes, low = axes_of(step, 1, 3)
    x = operands[0].reshape(tuple(sizes))
    # functional.pad takes the last axis first; a negative width crops.
    widths = [
        width
        for dim, size, before in reversed(list(zip(dims, sizes, low, strict=True)))
        for width in (before, dim - size - before)
    ]
    return functional.pad(x, widths, value=_fill(step.attributes[0], x))


def _gather(step: Step, operands: Sequence[Tensor]) -> Tensor:
    dims, index_strides, data_strides = axes_of(step, 0, 3)
    stride, size = step.attributes[3 * step.rank :]
    index, data = operands
    # An index outside cannot be judged: whatever is read then is as good.
    looked_up = strided(index, dims, index_strides).long().clamp(0, size - 1) * stride
    places = looked_up
    for axis, (dim, step_) in enumerate(zip(dims, data_strides, strict=True)):
        shape = [1] * len(dims)
        shape[axis] = dim
        places = places + (torch.arange(dim, device=data.device) * step_).reshape(shape)
    return data.reshape(-1)[places.reshape(-1)]


def is_looked_up(step: Step, index: Tensor) -> Tensor:
    """Of a gather: which elements read an index that exists; flat, in the order of the result."""
    dims, index_strides = axes_of(step, 0, 2)
    looked_up = strided(index, dims, index_strides)
    return ((looked_up >= 0) & (looked_up < step.attributes[-1])).reshape(-1)


MOVES: dict[Op, Move] = {
    Op.STRIDED: _strided,
    Op.CAT: _cat,
    Op.PATCHES: _patches,
    Op.PAD: _pad,
    Op.GATHER: _gather,
}
