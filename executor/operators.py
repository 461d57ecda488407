"""Each operator in float64: what a step makes of its operands, to the last bit of f32 once it is rounded.

Slow, whole tensors at a time, differentiable. A sum of n products of f32 in float64 errs by less than n * 2^-53 of the
sum of their magnitudes, far inside every bound. Knows nothing of the fast path (runner.py) nor of bounds (bounds.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_lowercase

import torch
from torch import Tensor
from torch.nn import functional

from rollup.graph import Op, Step

Evaluate = Callable[[Step, Sequence[Tensor]], Tensor]
_FILL_MINUS_INFINITY = 0xFF800000


def evaluate(step: Step, operands: Sequence[Tensor]) -> Tensor:
    """Result of `step`, not rounded: float64 operands give a float64 result; argmax gives int64."""
    return _EVALUATE[step.op](step, operands).reshape(step.result.shape)


def evaluate_rounded(step: Step, operands: Sequence[Tensor]) -> Tensor:
    """Result of `step` on operands as committed, rounded to f32 (ties to even) where it is computed at all."""
    if step.op in MOVEMENT:
        return evaluate(step, operands).contiguous()
    result = evaluate(step, [operand.double() for operand in operands])
    # Sums and products of two f32 have at most 48 bits or need no more than float64 has for one rounding to be right.
    return result if result.dtype is torch.int64 else result.float()


MOVEMENT = frozenset({Op.STRIDED, Op.CAT, Op.PATCHES})


def magnitude(step: Step, operands: Sequence[Tensor]) -> Tensor:
    """Sum of |a b| of each element of a contraction, in float64."""
    return evaluate(step, [operand.double().abs() for operand in operands])


def terms_of(step: Step) -> int:
    """Terms of a contraction, its bias included."""
    return step.attributes[0] + (len(step.operands) == 3)


def _axes(step: Step, first: int, count: int) -> list[Sequence[int]]:
    """`count` lists of one integer per axis, from attribute `first` on."""
    return [step.attributes[first + i * step.rank : first + (i + 1) * step.rank] for i in range(count)]


def _strided(x: Tensor, dims: Sequence[int], strides: Sequence[int], offset: int = 0) -> Tensor:
    return x.contiguous().as_strided(tuple(dims), tuple(strides), offset)


def _contract(step: Step, operands: Sequence[Tensor]) -> Tensor:
    terms = step.attributes[0]
    dims, *strides = _axes(step, 1, 4)
    names = ascii_lowercase[: step.rank]
    # An axis along which an operand does not move is left to einsum, which then multiplies matrices.
    used = [[axis for axis in range(step.rank) if places[axis]] for places in strides[:2]]
    still = [axis for axis in range(step.rank) if axis not in used[0] + used[1]]
    used[0] += still
    rows = [
        _strided(operand, [*(dims[axis] for axis in axes), terms], [*(terms * places[axis] for axis in axes), 1])
        for operand, axes, places in zip(operands, used, strides, strict=False)
    ]
    inputs = ["".join(names[axis] for axis in axes) + "z" for axes in used]
    total = torch.einsum(f"{inputs[0]},{inputs[1]}->{names}", *rows)
    return total if len(operands) == 2 else total + _strided(operands[2], dims, strides[2])


def _pair(function: Callable[[Tensor, Tensor], Tensor]) -> Evaluate:
    def evaluate_pair(step: Step, operands: Sequence[Tensor]) -> Tensor:
        dims, first, second = _axes(step, 0, 3)
        return function(_strided(operands[0], dims, first), _strided(operands[1], dims, second))

    return evaluate_pair


def _relu(_: Step, operands: Sequence[Tensor]) -> Tensor:
    return torch.relu(operands[0])


def _amax(step: Step, operands: Sequence[Tensor]) -> Tensor:
    return operands[0].reshape(-1, step.attributes[0]).amax(-1)


def _argmax(step: Step, operands: Sequence[Tensor]) -> Tensor:
    return operands[0].reshape(-1, step.attributes[0]).argmax(-1)


def _movement(step: Step, operands: Sequence[Tensor]) -> Tensor:
    dims, strides = _axes(step, 1, 2)
    return _strided(operands[0], dims, strides, step.attributes[0])


def _cat(step: Step, operands: Sequence[Tensor]) -> Tensor:
    inner, *lengths = step.attributes
    return torch.cat([x.reshape(-1, n, inner) for x, n in zip(operands, lengths, strict=True)], dim=1)


def _patches(step: Step, operands: Sequence[Tensor]) -> Tensor:
    fill, batch, channels, height, width, groups, *window = step.attributes
    k_h, k_w, s_h, s_w, p_h, p_w, d_h, d_w, o_h, o_w = window
    value = float("-inf") if fill == _FILL_MINUS_INFINITY else 0.0
    x = operands[0].reshape(batch, channels, height, width)
    # On the right only as far as the last window reaches; never less than the picture.
    high = [
        max(p + size, (o - 1) * s + d * (k - 1) + 1) - p - size
        for p, size, o, s, d, k in ((p_h, height, o_h, s_h, d_h, k_h), (p_w, width, o_w, s_w, d_w, k_w))
    ]
    padded = functional.pad(x, (p_w, high[1], p_h, high[0]), value=value).contiguous()
    n, c, h, w = padded.stride()
    inner = channels // groups
    places = padded.as_strided(
        (batch, groups, o_h, o_w, inner, k_h, k_w), (n, c * inner, h * s_h, w * s_w, c, h * d_h, w * d_w)
    )
    return places.reshape(step.result.shape)


_EVALUATE: dict[Op, Evaluate] = {
    Op.CONTRACT: _contract,
    Op.ADD: _pair(torch.add),
    Op.MUL: _pair(torch.mul),
    Op.RELU: _relu,
    Op.AMAX: _amax,
    Op.ARGMAX: _argmax,
    Op.STRIDED: _movement,
    Op.CAT: _cat,
    Op.PATCHES: _patches,
}
