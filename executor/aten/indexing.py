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
    """Rows looked up, then summed, averaged or their greatest taken; shorter bags are filled up to the longest."""
    index, offsets, table = args["indices"], args["offsets"], args["weight"]
    if not isinstance(offsets, Tensor):
        raise BadGraph("embedding_bag with bags that depend on the request is not supported")
    places, inside = _bags(offsets, emit.shape(index)[0], bool(args["include_last_offset"]))
    rows = _bagged(emit, emit.call(Function.EMBEDDING, index, table), places, emit.shape(table)[1:])
    if args["per_sample_weights"] is not None:
        weights = _bagged(emit, args["per_sample_weights"], places, (1,))
        rows = pairwise(emit, Function.MUL, rows, weights)
    counted: Operand | None = None if bool(inside.all()) else inside[..., None]
    if args["padding_idx"] not in (None, -1):
        words = _bagged(emit, index, places, (1,))
        counted = _both(emit, counted, pairwise(emit, Function.NE, words, constant(args["padding_idx"], torch.int64)))
    function = (Function.SUM, Function.MEAN, Function.AMAX)[args["mode"]]
    return reduced(emit, function, rows, [1], False) if counted is None else _of_some(emit, function, rows, counted)


def _bags(offsets: Tensor, total: int, has_end: bool) -> tuple[Tensor, Tensor]:
    """i64 and bool [bags, longest]: the entry at each place of each bag, and whether there is one."""
    starts = offsets.tolist()
    ends = starts[1:] if has_end else [*starts[1:], total]
    sizes = torch.tensor(ends) - torch.tensor(starts[: len(ends)])
    along = torch.arange(max(1, int(sizes.max())))
    inside = along < sizes[:, None]
    return (torch.tensor(starts[: len(ends)])[:, None] + along).where(inside, 0), inside


def _bagged(emit: Emitter, x: Operand, places: Tensor, width: Sequence[int]) -> Operand:
    """[bags, longest, *width] of [entries, *width]."""
    flat = places.reshape(-1)
    if not torch.equal(flat, torch.arange(emit.shape(x)[0])):
        x = emit.call(Function.INDEX_SELECT, x, flat, dim=0)
    return view(emit, x, (*places.shape, *width))


def _both(emit: Emitter, a: Operand | None, b: Operand) -> Operand:
    return b if a is None else pairwise(emit, Function.LOGICAL_AND, a, b)


def _of_some(emit: Emitter, function: Function, rows: Operand, counted: Operand) -> Operand:
    """What is counted of [bags, longest, width]; of a bag without any, zeros."""
    dtype = emit.dtype(rows)
    rest = constant(-torch.inf if function is Function.AMAX else 0.0, dtype)
    kept = pairwise(emit, Function.WHERE, counted, rows, rest)
    count = reduced(emit, Function.SUM, cast(emit, counted, dtype), [1], False)
    if function is not Function.AMAX:
        total = reduced(emit, Function.SUM, kept, [1], False)
        least = pairwise(emit, Function.MAXIMUM, count, constant(1.0, dtype))
        return total if function is Function.SUM else pairwise(emit, Function.DIV, total, least)
    any_ = pairwise(emit, Function.GT, count, constant(0.0, dtype))
    return pairwise(emit, Function.WHERE, any_, reduced(emit, function, kept, [1], False), constant(0.0, dtype))


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
        raise BadGraph(
            "indexing by a mask is not supported: the size of its result depends on the request, or is left open by "
            "torch.export where the mask is a constant, which can be indexed by as its places, mask.nonzero()"
        )
    wanted = broadcast([emit.shape(value) for value in indices.values()])
    kept = [axis for axis in range(len(shape)) if axis not in indices]
    if _names_own_request(emit, x, indices, wanted):
        result = _of_own_request(emit, x, indices, wanted)
        return _in_place(emit, result, list(indices), len(wanted), args["shape of result"])
    flat = flat_index(emit, indices, shape)
    # Dimensions that are looked up first, of one size; then whatever is taken whole.
    rows = view(
        emit, permuted(emit, x, (*indices, *kept)), (prod(shape[dim] for dim in indices), *(shape[a] for a in kept))
    )
    result = _rows(emit, rows, flat, wanted)
    return _in_place(emit, result, list(indices), len(wanted), args["shape of result"])


def _names_own_request(emit: Emitter, x: Operand, indices: Mapping[int, Operand], wanted: Sequence[int]) -> bool:
    """Whether the first index is that of the request: `x[arange(N), i]`, as a request by itself has it."""
    first = indices.get(0)
    if isinstance(x, Tensor) or not isinstance(first, Tensor) or len(indices) == 1:
        return False
    return emit.shape(x)[0] == 1 and wanted[0] == 1 and bool(((first == 0) | (first == -1)).all())


def _of_own_request(emit: Emitter, x: Operand, indices: Mapping[int, Operand], wanted: Sequence[int]) -> Operand:
    """Looks up inside of each request, so that several can lie side by side."""
    shape = emit.shape(x)
    others = {dim: value for dim, value in indices.items() if dim}
    kept = [axis for axis in range(1, len(shape)) if axis not in others]
    count, width = prod(wanted), [shape[axis] for axis in kept]
    rows = view(emit, permuted(emit, x, (0, *others, *kept)), (1, prod(shape[dim] for dim in others), *width))
    flat = expanded(emit, flat_index(emit, others, shape), wanted)
    if isinstance(flat, Tensor):
        taken = _at(emit, rows, 1, flat.reshape(-1))
    else:
        places = view(emit, flat, (1, count, *(1 for _ in kept)))
        taken = emit.call(Function.GATHER, rows, expanded(emit, places, (1, count, *width)), dim=1)
    return view(emit, taken, (*wanted, *width))


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
    """Elements `flat` (broadcast to `wanted`) of the first dimension of `rows`."""
    inner = emit.shape(rows)[1:]
    if isinstance(flat, Tensor):
        return view(emit, _at(emit, rows, 0, flat.expand(*wanted).reshape(-1)), (*wanted, *inner))
    table = view(emit, rows, (emit.shape(rows)[0], prod(inner)))
    return view(emit, emit.call(Function.EMBEDDING, flat, table), (*wanted, *inner))


def _at(emit: Emitter, x: Operand, dim: int, places: Tensor) -> Operand:
    """Elements of one dimension; a run of neighbours is a slice."""
    first = int(places[0])
    if torch.equal(places, torch.arange(first, first + len(places))):
        return sliced(emit, x, dim, slice(first, first + len(places)))
    return emit.call(Function.INDEX_SELECT, x, places, dim=dim)


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
