"""What handlers share: shapes, casts, scalars and broadcasting, the same for values and for constants."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from executor.emitter import Emitter, Operand
from executor.tensors import spec_of
from rollup.call import Function
from rollup.shapes.made import broadcast

Number = int | float | bool


def axis_of(dim: int, rank: int) -> int:
    return dim + rank if dim < 0 else dim


def pair_of(value: int | Sequence[int]) -> tuple[int, int]:
    """Height and width from one number or two."""
    values = [value] if isinstance(value, int) else list(value)
    return (values[0], values[-1])


def view(emit: Emitter, x: Operand, shape: Sequence[int]) -> Operand:
    """The same elements in another shape; a scalar is a row of one."""
    shape = tuple(shape) or (1,)
    if isinstance(x, Tensor):
        return x.reshape(shape)
    return x if emit.shape(x) == shape else emit.call(Function.VIEW, x, shape=shape)


def permuted(emit: Emitter, x: Operand, dims: Sequence[int]) -> Operand:
    if list(dims) == list(range(len(emit.shape(x)))):
        return x
    if isinstance(x, Tensor):
        return emit.derived(x, x.permute(*dims), "permuted." + "".join(str(dim) for dim in dims))
    return emit.call(Function.PERMUTE, x, dims=dims)


def moved(emit: Emitter, x: Operand, source: int, target: int) -> Operand:
    """Dimension `source` at place `target`, the others in their order."""
    order = [axis for axis in range(len(emit.shape(x))) if axis != source]
    order.insert(target, source)
    return permuted(emit, x, order)


def last_two_swapped(emit: Emitter, x: Operand) -> Operand:
    rank = len(emit.shape(x))
    return permuted(emit, x, (*range(rank - 2), rank - 1, rank - 2))


def ranked(emit: Emitter, x: Operand, rank: int) -> Operand:
    """With ones in front, up to `rank` dimensions."""
    shape = emit.shape(x)
    return view(emit, x, (1,) * (rank - len(shape)) + shape) if len(shape) < rank else x


def expanded(emit: Emitter, x: Operand, shape: Sequence[int]) -> Operand:
    if isinstance(x, Tensor):
        return x.expand(*shape)
    x = ranked(emit, x, len(shape))
    return x if emit.shape(x) == tuple(shape) else emit.call(Function.EXPAND, x, shape=shape)


def sliced(emit: Emitter, x: Operand, dim: int, bounds: slice) -> Operand:
    """`bounds` as Python reads them; at least one element is left."""
    size = emit.shape(x)[dim]
    start, stop, step = bounds.indices(size)
    if (start, stop, step) == (0, size, 1):
        return x
    if isinstance(x, Tensor):
        return x[(slice(None),) * dim + (slice(start, stop, step),)]
    return emit.call(Function.SLICE, x, dim=dim, start=start, stop=stop, step=step)


def joined(emit: Emitter, parts: Sequence[Operand], dim: int) -> Operand:
    if len(parts) == 1:
        return parts[0]
    tensors = [part for part in parts if isinstance(part, Tensor)]
    return torch.cat(tensors, dim) if len(tensors) == len(parts) else emit.call(Function.CAT, *parts, dim=dim)


def cast(emit: Emitter, x: Operand, dtype: torch.dtype) -> Operand:
    """`x` in another dtype. Raises BadGraph for one that no profile takes."""
    if emit.dtype(x) == dtype:
        return x
    if isinstance(x, Tensor):
        return x.to(dtype)
    return emit.call(Function.TO, x, dtype=spec_of(torch.empty((), dtype=dtype)).dtype)


def constant(value: Number, dtype: torch.dtype) -> Tensor:
    """A row of one, which broadcasts."""
    return torch.tensor([value], dtype=dtype)


def operand(emit: Emitter, x: Operand | Number, dtype: torch.dtype) -> Operand:
    """A tensor or a Python number as an operand of `dtype`."""
    return constant(x, dtype) if isinstance(x, Number) else cast(emit, x, dtype)


def promoted(emit: Emitter, a: Operand | Number, b: Operand | Number) -> torch.dtype:
    """dtype in which PyTorch computes with both."""
    return torch.result_type(_sample(emit, a), _sample(emit, b))


def _sample(emit: Emitter, value: Operand | Number) -> Any:
    if isinstance(value, Number):
        return value
    return torch.empty((1,) * min(1, len(emit.shape(value))), dtype=emit.dtype(value))


def pairwise(emit: Emitter, function: Function, *operands: Operand) -> Operand:
    """A call that broadcasts. Constants are handed over without their repetitions where the result allows it."""
    shape = broadcast([emit.shape(x) for x in operands])
    narrow = [_narrowed(x) if isinstance(x, Tensor) else x for x in operands]
    if broadcast([emit.shape(x) for x in narrow]) != shape:
        narrow = list(operands)
    ranked_ = [x if isinstance(x, Tensor) else ranked(emit, x, len(shape)) for x in narrow]
    return emit.call(function, *ranked_)


def _narrowed(x: Tensor) -> Tensor:
    """Each repeated dimension once, and no dimension in front that only repeats."""
    for dim, stride in enumerate(x.stride()):
        if stride == 0:
            x = x.narrow(dim, 0, 1)
    while x.dim() > 1 and x.shape[0] == 1:
        x = x[0]
    return x if x.dim() else x.reshape(1)


def rows_of(emit: Emitter, x: Operand, dims: Sequence[int]) -> Operand:
    """`x` with `dims` merged into its last dimension, in their order."""
    shape = emit.shape(x)
    kept = [axis for axis in range(len(shape)) if axis not in dims]
    x = permuted(emit, x, (*kept, *dims))
    return view(emit, x, (*(shape[axis] for axis in kept), prod(shape[dim] for dim in dims)))
