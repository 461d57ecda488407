"""Operators that look elements up by an index: rows of a table, entries along a dimension, places of a tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod

import torch
from torch import Tensor

from executor.aten.common import axis_of, cast, constant, expanded, operand, pairwise, permuted, sliced, view
from executor.aten.reductions import reduced
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph
from rollup.shapes.made import broadcast


def embedding(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.EMBEDDING, args["indices"], args["weight"])


def embedding_bag(emit: Emitter, args: Arguments) -> Operand:
    """Of bags of one size: rows looked up, then summed, averaged or their greatest taken."""
    index, offsets, table = args["indices"], args["offsets"], args["weight"]
    if not isinstance(offsets, Tensor):
        raise BadGraph("embedding_bag with bags that depend on the request is not supported")
    bags, total = offsets.numel() - int(args["include_last_offset"]), emit.shape(index)[0]
    size = total // bags
    if offsets.tolist()[:bags] != list(range(0, total, size)) or args["padding_idx"] not in (None, -1):
        raise BadGraph("embedding_bag with bags of several sizes, or with padding, is not supported")
    rows = view(emit, emit.call(Function.EMBEDDING, index, table), (bags, size, emit.shape(table)[1]))
    weights = args["per_sample_weights"]
    if weights is not None:
        rows = pairwise(emit, Function.MUL, rows, view(emit, weights, (bags, size, 1)))
    function = (Function.SUM, Function.MEAN, Function.AMAX)[args["mode"]]
    return reduced(emit, function, rows, [1], False)


def index_select(emit: Emitter, args: Arguments) -> Operand:
    x, index = args["self"], args["index"]
    return emit.call(Function.INDEX_SELECT, x, index, dim=axis_of(args["dim"], len(emit.shape(x))))


def gather(emit: Emitter, args: Arguments) -> Operand:
    """Where the index is shorter than the tensor along another dimension, the tensor is cut first."""
    x, index = args["self"], args["index"]
    dim = axis_of(args["dim"], len(emit.shape(x)))
    for axis, size in enumerate(emit.shape(index)):
        if axis != dim:
            x = sliced(emit, x, axis, slice(0, size))
    return emit.call(Function.GATHER, x, index, dim=dim)


def take_along(emit: Emitter, args: Arguments) -> Operand:
    """gather, with an index that is repeated along the other dimensions."""
    x, looked_up = args["self"], args["indices"]
    if args["dim"] is None:
        x, looked_up = (view(emit, value, (prod(emit.shape(value)),)) for value in (x, looked_up))
    dim = axis_of(args["dim"] or 0, len(emit.shape(x)))
    shape = list(emit.shape(x))
    shape[dim] = emit.shape(looked_up)[dim]
    return emit.call(Function.GATHER, x, expanded(emit, looked_up, shape), dim=dim)


def index(emit: Emitter, args: Arguments) -> Operand:
    """x[i, j, :, ...] with tensors as indices; they are merged into one over the dimensions that they index."""
    x, shape = args["self"], emit.shape(args["self"])
    given = dict(enumerate(args["indices"]))
    indices = {dim: value for dim, value in given.items() if value is not None}
    if any(emit.dtype(value) is torch.bool for value in indices.values()):
        raise BadGraph("indexing by a mask is not supported: the size of its result depends on the request")
    wanted = broadcast([emit.shape(value) for value in indices.values()])
    kept = [axis for axis in range(len(shape)) if axis not in indices]
    flat = flat_index(emit, indices, shape)
    # Dimensions that are looked up first, of one size; then whatever is taken whole.
    rows = view(
        emit, permuted(emit, x, (*indices, *kept)), (prod(shape[dim] for dim in indices), *(shape[a] for a in kept))
    )
    result = _rows(emit, rows, flat, wanted)
    return _in_place(emit, result, list(indices), len(wanted), args["shape of result"])


def flat_index(emit: Emitter, indices: Mapping[int, Operand], shape: Sequence[int]) -> Operand:
    """One index over the dimensions that `indices` name, merged in their order."""
    # Whatever indexes a dimension of one can only name that one.
    dims = [dim for dim in indices if shape[dim] > 1] or list(indices)[:1]
    looked_up = [_in_range(emit, indices[dim], shape[dim]) for dim in dims]
    return _linear_index(emit, looked_up, [shape[dim] for dim in dims])


def _in_range(emit: Emitter, value: Operand, size: int) -> Operand:
    """Negative indices count from the end."""
    if isinstance(value, Tensor):
        return torch.where(value < 0, value + size, value)
    zero, whole = (constant(number, emit.dtype(value)) for number in (0, size))
    from_end = pairwise(emit, Function.ADD, value, whole)
    return pairwise(emit, Function.WHERE, pairwise(emit, Function.LT, value, zero), from_end, value)


def _linear_index(emit: Emitter, indices: Sequence[Operand], sizes: Sequence[int]) -> Operand:
    """One index over the merged dimensions of `sizes`."""

    def merged(total: Operand, item: tuple[Operand, int]) -> Operand:
        value, size = item
        if isinstance(total, Tensor) and isinstance(value, Tensor):
            return total * size + value
        wide = pairwise(emit, Function.MUL, cast(emit, total, torch.int64), operand(emit, size, torch.int64))
        return pairwise(emit, Function.ADD, wide, cast(emit, value, torch.int64))

    return reduce(merged, zip(indices[1:], sizes[1:], strict=True), indices[0])


def _rows(emit: Emitter, rows: Operand, flat: Operand, wanted: Sequence[int]) -> Operand:
    """Elements `flat` (broadcast to `wanted`) of the first dimension of `rows`; a run of neighbours is a slice."""
    inner = emit.shape(rows)[1:]
    if isinstance(flat, Tensor):
        places = flat.expand(*wanted).reshape(-1)
        if torch.equal(places, torch.arange(len(places)) + places[0]):
            first = int(places[0])
            taken = sliced(emit, rows, 0, slice(first, first + len(places)))
        else:
            taken = emit.call(Function.INDEX_SELECT, rows, places, dim=0)
        return view(emit, taken, (*wanted, *inner))
    table = view(emit, rows, (emit.shape(rows)[0], prod(inner)))
    return view(emit, emit.call(Function.EMBEDDING, flat, table), (*wanted, *inner))


def _in_place(emit: Emitter, x: Operand, dims: Sequence[int], count: int, shape: Sequence[int]) -> Operand:
    """The looked-up dimensions, first in x, go where ATen has them: at the first index if indices are neighbours."""
    if list(dims) == list(range(dims[0], dims[0] + len(dims))) and dims[0] > 0:
        rank = len(emit.shape(x))
        before = range(count, count + dims[0])
        x = permuted(emit, x, (*before, *range(count), *range(count + dims[0], rank)))
    return view(emit, x, shape)


def one_hot(emit: Emitter, args: Arguments) -> Operand:
    """i64: 1 where the class is that of the place."""
    x, classes = args["self"], args["shape of result"][-1]
    places = torch.arange(classes, dtype=emit.dtype(x))
    equal = pairwise(emit, Function.EQ, view(emit, x, (*emit.shape(x), 1)), places)
    return cast(emit, equal, torch.int64)


HANDLERS: dict[str, Handler] = {
    "aten.embedding.default": embedding,
    "aten.embedding_bag.padding_idx": embedding_bag,
    "aten.index_select.default": index_select,
    "aten.gather.default": gather,
    "aten.take_along_dim.default": take_along,
    "aten.index.Tensor": index,
    "aten.one_hot.default": one_hot,
}
