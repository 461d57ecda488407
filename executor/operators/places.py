"""Where the elements of a step's operands lie: operands as tensors that stand side by side with the result.

One view per operand, whose leading axes are those of the result's elements; nothing is copied but where a stride is
negative. `blocks` cuts those axes, so that a large step can be worked through in little memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from rollup.graph import Op, Step

PLAIN = frozenset(
    {
        Op.RELU, Op.NEG, Op.ABS, Op.CLAMP, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.SIGN, Op.NOT, Op.CAST,
        Op.EXP, Op.LOG, Op.TANH, Op.SIGMOID, Op.SQRT, Op.RSQRT, Op.ERF, Op.GELU, Op.GELU_TANH, Op.SILU, Op.SIN,
        Op.COS, Op.EXPM1, Op.LOG1P,
    }
)  # fmt: skip
SPREAD_OUT = frozenset(
    {
        Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAXIMUM, Op.MINIMUM, Op.POW, Op.COMPARE, Op.LOGICAL, Op.WHERE,
        Op.SOFTMAX, Op.LOG_SOFTMAX, Op.NORM,
    }
)  # fmt: skip
ROWS = frozenset({Op.AMAX, Op.ARGMAX, Op.SUM, Op.SPREAD, Op.EXPSUM})
MOVEMENT = frozenset({Op.STRIDED, Op.CAT, Op.PATCHES, Op.PAD, Op.GATHER})

Slices = tuple[slice, ...]


def axes_of(step: Step, first: int, count: int) -> list[Sequence[int]]:
    """`count` lists of one integer per axis, from attribute `first` on."""
    return [step.attributes[first + i * step.rank : first + (i + 1) * step.rank] for i in range(count)]


def extras_of(step: Step) -> tuple[int, ...]:
    """The operator's own attributes, after those that say where operands lie."""
    if step.op in SPREAD_OUT:
        return step.attributes[(1 + len(step.operands)) * step.rank :]
    return step.attributes[1:] if step.op in ROWS else step.attributes


def row_length(step: Step) -> int:
    """Elements of the first operand that are read for one element of the result of a pointwise or row step."""
    return step.attributes[0] if step.op in ROWS else 1


def dims_of(step: Step) -> Sequence[int]:
    """Axes of the result's elements, as the operands' views have them."""
    return axes_of(step, 0, 1)[0] if step.op in SPREAD_OUT else (step.result.elements,)


def views_of(step: Step, operands: Sequence[Tensor]) -> list[Tensor]:
    """Operands of a pointwise or row step: `dims_of(step)`, and for the operand of a row step its K elements after."""
    if step.op in SPREAD_OUT:
        dims, *strides = axes_of(step, 0, 1 + len(operands))
        return [strided(operand, dims, places) for operand, places in zip(operands, strides, strict=True)]
    if step.op in ROWS:
        row, *others = operands
        return [row.reshape(-1, step.attributes[0]), *(other.reshape(-1) for other in others)]
    return [operand.reshape(-1) for operand in operands]


def strided(x: Tensor, dims: Sequence[int], strides: Sequence[int], offset: int = 0) -> Tensor:
    """`x[offset + sum of index * stride]`; a negative stride is read forwards and turned round."""
    whole = None if offset else _whole(x, dims, strides)
    if whole is not None:
        return whole
    backwards = [axis for axis, stride in enumerate(strides) if stride < 0]
    x = x.contiguous()
    # `x` may itself be a part of something larger, and as_strided counts from the beginning of that.
    start = x.storage_offset() + offset + sum((dims[axis] - 1) * strides[axis] for axis in backwards)
    forwards = x.as_strided(tuple(dims), tuple(abs(stride) for stride in strides), start)
    return forwards.flip(backwards) if backwards else forwards


def _whole(x: Tensor, dims: Sequence[int], strides: Sequence[int]) -> Tensor | None:
    """The same where every element of `x` is read, its axes in whatever order and repeated along others; else None.

    Gradients go back through a permutation at no cost, but through any strides by way of a cleared copy of the whole.
    """
    moving = [axis for axis, dim in enumerate(dims) if strides[axis] and dim > 1]
    outermost_first = sorted(moving, key=lambda axis: -strides[axis])
    size = 1
    for axis in reversed(outermost_first):
        if strides[axis] != size:
            return None
        size *= dims[axis]
    if size != x.numel():
        return None
    laid = x.reshape([dims[axis] for axis in outermost_first])
    turned = laid.permute([outermost_first.index(axis) for axis in moving])
    return turned.reshape([dim if axis in moving else 1 for axis, dim in enumerate(dims)]).expand(tuple(dims))


def blocks(dims: Sequence[int], limit: int) -> Iterator[Slices]:
    """Slices over the leading axes of `dims` that cut it into blocks of at most about `limit` elements."""
    size = 1
    for dim in dims:
        size *= dim
    if not dims or size <= limit or all(dim == 1 for dim in dims):
        yield ()
        return
    inner = size // dims[0]
    length = max(1, limit // inner)
    for start in range(0, dims[0], length):
        part = slice(start, start + length)
        if length > 1 or inner <= limit:
            yield (part,)
        else:
            yield from ((part, *rest) for rest in blocks(dims[1:], limit))
