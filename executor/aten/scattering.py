"""Operators that write elements to places that an index or a mask names.

Where the places are constants it is movement. Where they depend on the request, each place looks for the entries that
name it: the last one is written (PyTorch leaves open which), or all are added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import torch
from torch import Tensor

from executor.aten.common import (
    Number,
    axis_of,
    cast,
    constant,
    expanded,
    joined,
    moved,
    operand,
    pairwise,
    sliced,
    view,
)
from executor.aten.indexing import flat_index
from executor.aten.ordering import equal_places
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph
from rollup.shapes.made import broadcast


def index_put(emit: Emitter, args: Arguments) -> Operand:
    """x[i, :, j] = values, x[mask] = value; added to what is there if `accumulate`."""
    x, accumulate = args["self"], bool(args["accumulate"])
    indices = {dim: value for dim, value in enumerate(args["indices"]) if value is not None}
    values = cast(emit, args["values"], emit.dtype(x))
    if any(emit.dtype(value) is torch.bool for value in indices.values()):
        return _masked(emit, x, indices, values, accumulate)
    dims = list(indices)
    if dims != list(range(dims[0], dims[0] + len(dims))):
        raise BadGraph("writing to indices of dimensions that are not neighbours is not supported")
    shape, first = emit.shape(x), dims[0]
    flat = flat_index(emit, indices, shape)
    wanted = broadcast([emit.shape(value) for value in indices.values()])
    before, after = shape[:first], shape[first + len(dims) :]
    size, count = prod(shape[dim] for dim in dims), prod(wanted)
    flat = view(emit, expanded(emit, flat, wanted), (count,))
    source = view(emit, expanded(emit, values, (*before, *wanted, *after)), (*before, count, *after))
    target = view(emit, x, (*before, size, *after))
    write = _added_along if accumulate else _written_along
    return view(emit, write(emit, target, flat, source, first), shape)


def _masked(emit: Emitter, x: Operand, indices: Mapping[int, Operand], values: Operand, accumulate: bool) -> Operand:
    """One mask, which the dimensions behind it share, and one value."""
    if len(indices) != 1 or prod(emit.shape(values)) != 1:
        raise BadGraph("writing several values through a mask is not supported: their count depends on the request")
    ((first, mask),) = indices.items()
    behind = len(emit.shape(x)) - first - len(emit.shape(mask))
    mask = view(emit, mask, (*(1,) * first, *emit.shape(mask), *(1,) * behind))
    value = view(emit, values, (1,))
    if accumulate:
        value = pairwise(emit, Function.ADD, x, value)
    return pairwise(emit, Function.WHERE, mask, value, x)


def _written_along(emit: Emitter, x: Operand, flat: Operand, source: Operand, dim: int) -> Operand:
    """Entries of `source` at the places `flat` [n] of dimension `dim` of x."""
    size, count = emit.shape(x)[dim], emit.shape(flat)[0]
    if isinstance(flat, Tensor):
        places = torch.arange(size)
        places[flat] = torch.arange(size, size + count)
        return emit.call(Function.INDEX_SELECT, joined(emit, [x, source], dim), places, dim=dim)
    hit, last = _last_entry(emit, equal_places(emit, flat, size))
    beside = [1] * len(emit.shape(x))
    beside[dim] = size
    taken = emit.call(Function.INDEX_SELECT, source, last, dim=dim)
    return pairwise(emit, Function.WHERE, view(emit, hit, beside), taken, x)


def _added_along(emit: Emitter, x: Operand, flat: Operand, source: Operand, dim: int) -> Operand:
    """As `_written_along`, added: a product with the matrix of which entry goes where."""
    _require_floats(emit, x)
    rank = len(emit.shape(x))
    matrix = cast(emit, equal_places(emit, flat, emit.shape(x)[dim]), emit.dtype(x))
    entries = moved(emit, source, dim, rank - 1)
    if isinstance(matrix, Tensor):
        total: Operand = emit.call(Function.LINEAR, entries, matrix)
    else:
        outer = emit.shape(entries)[:-1]
        rows = view(emit, entries, (1, prod(outer), emit.shape(entries)[-1]))
        columns = view(emit, matrix, (1, *emit.shape(matrix)))
        total = emit.call(Function.MATMUL, rows, moved(emit, columns, 1, 2))
        total = view(emit, total, (*outer, emit.shape(matrix)[0]))
    return pairwise(emit, Function.ADD, x, moved(emit, total, rank - 1, dim))


def _last_entry(emit: Emitter, hits: Operand) -> tuple[Operand, Operand]:
    """Of bool [.., places, n]: whether any entry names a place, and the last that does; [.., places]."""
    count = emit.shape(hits)[-1]
    order = torch.arange(1, count + 1, dtype=torch.float32)
    score = pairwise(emit, Function.MUL, cast(emit, hits, torch.float32), order)
    greatest = emit.call(Function.AMAX, score, keepdim=0)
    last = emit.call(Function.ARGMAX, score, keepdim=0)
    return pairwise(emit, Function.GT, greatest, constant(0.0, torch.float32)), last


def scatter(emit: Emitter, args: Arguments) -> Operand:
    """ATen's scatter, of a tensor or of one number."""
    x, index, dim = _lined_up(emit, args)
    hits = equal_places(emit, index, emit.shape(x)[-1])
    hit, last = _last_entry(emit, hits)
    if "value" in args:
        result = pairwise(emit, Function.WHERE, hit, operand(emit, args["value"], emit.dtype(x)), x)
    else:
        source = cast(emit, _source(emit, args, index, dim), emit.dtype(x))
        taken = emit.call(Function.GATHER, source, last, dim=len(emit.shape(x)) - 1)
        result = pairwise(emit, Function.WHERE, hit, taken, x)
    return moved(emit, result, len(emit.shape(x)) - 1, dim)


def scatter_add(emit: Emitter, args: Arguments) -> Operand:
    return scatter_reduce(emit, {**args, "reduce": "sum", "include_self": True})


def scatter_reduce(emit: Emitter, args: Arguments) -> Operand:
    """Sums, means or extremes of the entries that name each place, and of what it has if that is included.

    A place that no entry names keeps what it has.
    """
    x, index, dim = _lined_up(emit, args)
    how, with_own = args["reduce"], bool(args["include_self"])
    _require_floats(emit, x)
    if how not in ("sum", "mean", "amax", "amin"):
        raise BadGraph(f"scatter_reduce by {how!r} is not supported, only by 'sum', 'mean', 'amax' and 'amin'")
    shape = emit.shape(index)
    entries = view(emit, _source(emit, args, index, dim), (*shape[:-1], 1, shape[-1]))
    if how == "amin":
        x, entries = emit.call(Function.NEG, x), emit.call(Function.NEG, entries)
    hits = equal_places(emit, index, emit.shape(x)[-1])
    is_sum = how in ("sum", "mean")
    rest: Number = 0.0 if is_sum else -torch.inf
    rows = pairwise(emit, Function.WHERE, hits, entries, constant(rest, emit.dtype(x)))
    whole, both = (Function.SUM, Function.ADD) if is_sum else (Function.AMAX, Function.MAXIMUM)
    result: Operand = emit.call(whole, rows, keepdim=0)
    if with_own:
        result = pairwise(emit, both, x, result)
    if how == "mean" or not with_own:
        result = _counted(emit, x, result, hits, how == "mean", with_own)
    if how == "amin":
        result = emit.call(Function.NEG, result)
    return moved(emit, result, len(emit.shape(x)) - 1, dim)


def _counted(emit: Emitter, x: Operand, result: Operand, hits: Operand, is_mean: bool, with_own: bool) -> Operand:
    """A result by how many entries name each place: divided by their number, and x where there are none."""
    dtype = emit.dtype(x)
    count = emit.call(Function.SUM, cast(emit, hits, dtype), keepdim=0)
    if is_mean:
        shares = pairwise(emit, Function.ADD if with_own else Function.MAXIMUM, count, constant(1.0, dtype))
        result = pairwise(emit, Function.DIV, result, shares)
    if with_own:
        return result
    return pairwise(emit, Function.WHERE, pairwise(emit, Function.GT, count, constant(0.0, dtype)), result, x)


def unpool(emit: Emitter, args: Arguments) -> Operand:
    """max_unpool: each element at the place that its index names, zeros elsewhere."""
    x, shape = args["self"], args["shape of result"]
    outer = len(shape) - len(args["output_size"])
    flat = (*shape[:outer], prod(emit.shape(x)[outer:]))
    zeros = torch.zeros(*shape[:outer], prod(shape[outer:]), dtype=emit.dtype(x))
    index, source = (view(emit, value, flat) for value in (args["indices"], x))
    return view(emit, scatter(emit, {"self": zeros, "dim": outer, "index": index, "src": source}), shape)


def _lined_up(emit: Emitter, args: Arguments) -> tuple[Operand, Operand, int]:
    """x and index with the dimension that is written last, and which one it was."""
    x, index = args["self"], args["index"]
    rank = len(emit.shape(x))
    dim = axis_of(args["dim"], rank)
    x, index = moved(emit, x, dim, rank - 1), moved(emit, index, dim, rank - 1)
    if emit.shape(x)[:-1] != emit.shape(index)[:-1]:
        raise BadGraph(f"scatter of {emit.shape(index)} into part of {emit.shape(x)} is not supported")
    return x, index, dim


def _source(emit: Emitter, args: Arguments, index: Operand, dim: int) -> Operand:
    """What is written, cut to the index's shape."""
    source: Operand = args["src"]
    source = moved(emit, source, dim, len(emit.shape(source)) - 1)
    sizes: Sequence[int] = emit.shape(index)
    for axis, size in enumerate(sizes):
        source = sliced(emit, source, axis, slice(0, size))
    return source


def _require_floats(emit: Emitter, x: Operand) -> None:
    if not emit.dtype(x).is_floating_point:
        raise BadGraph(f"adding up {emit.dtype(x)} at places that an index names is not supported, only floats")


HANDLERS: dict[str, Handler] = {
    "aten.index_put.default": index_put,
    "aten.scatter.value": scatter,
    "aten.scatter.src": scatter,
    "aten.scatter_add.default": scatter_add,
    "aten.scatter_reduce.two": scatter_reduce,
    "aten.max_unpool2d.default": unpool,
    "aten.max_unpool3d.default": unpool,
}
