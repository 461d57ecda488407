"""Operators that put tensors side by side, or one into another."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from executor.aten.common import axis_of, cast, expanded, joined, sliced, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import MAX_LIST


def cat(emit: Emitter, args: Arguments) -> Operand:
    """Empty tensors add nothing, and more than a call takes are joined in groups."""
    dtype = args["dtype of result"]
    parts = [cast(emit, part, dtype) for part in args["tensors"] if 0 not in emit.shape(part)]
    return all_joined(emit, parts, axis_of(args["dim"], len(emit.shape(parts[0]))))


def all_joined(emit: Emitter, parts: Sequence[Operand], dim: int) -> Operand:
    """Side by side, however many."""
    while len(parts) > 1:
        parts = [joined(emit, parts[start : start + MAX_LIST], dim) for start in range(0, len(parts), MAX_LIST)]
    return parts[0]


def stack(emit: Emitter, args: Arguments) -> Operand:
    parts: list[Operand] = []
    rank = len(args["shape of result"])
    dim = axis_of(args["dim"], rank)
    for part in args["tensors"]:
        shape = list(args["shape of result"])
        shape[dim] = 1
        parts.append(view(emit, cast(emit, part, args["dtype of result"]), shape))
    return all_joined(emit, parts, dim)


def roll(emit: Emitter, args: Arguments) -> Operand:
    """Along each of `dims`; without any, as one row."""
    x: Operand = args["self"]
    shape = emit.shape(x)
    if not args["dims"]:
        x = view(emit, x, (1, prod(shape)))
    dims = [axis_of(dim, len(shape)) for dim in args["dims"]] or [1]
    for dim, shift in zip(dims, args["shifts"], strict=True):
        cut = -shift % emit.shape(x)[dim]
        if cut:
            x = joined(emit, [sliced(emit, x, dim, slice(cut, None)), sliced(emit, x, dim, slice(0, cut))], dim)
    return view(emit, x, shape)


def slice_scatter(emit: Emitter, args: Arguments) -> Operand:
    """x with src in the place of a slice: what comes before, src, what comes after."""
    x = args["self"]
    dim = axis_of(args["dim"], len(emit.shape(x)))
    start, stop, step = slice(args["start"], args["end"], args["step"]).indices(emit.shape(x)[dim])
    return _put(emit, x, args["src"], dim, range(start, stop, step))


def select_scatter(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    shape = list(emit.shape(x))
    dim = axis_of(args["dim"], len(shape))
    index = axis_of(args["index"], shape[dim])
    shape[dim] = 1
    return _put(emit, x, view(emit, args["src"], shape), dim, range(index, index + 1))


def _put(emit: Emitter, x: Operand, source: Operand, dim: int, places: range) -> Operand:
    """`source`'s elements of `dim` at `places` of x."""
    shape = list(emit.shape(x))
    size, shape[dim] = shape[dim], len(places)
    source = cast(emit, expanded(emit, source, shape), emit.dtype(x))
    runs: list[tuple[Operand, slice]] = []
    if places.step == 1:
        runs.append((source, slice(0, len(places))))
    else:
        runs += [(source, slice(index, index + 1)) for index in range(len(places))]
    parts: list[Operand] = []
    end = 0
    for source_, run in runs:
        begin = places[run.start]
        if begin > end:
            parts.append(sliced(emit, x, dim, slice(end, begin)))
        parts.append(sliced(emit, source_, dim, run))
        end = places[run.stop - 1] + 1
    if end < size:
        parts.append(sliced(emit, x, dim, slice(end, size)))
    return all_joined(emit, parts, dim)


HANDLERS: dict[str, Handler] = {
    "aten.cat.default": cat,
    "aten.concat.default": cat,
    "aten.concatenate.default": cat,
    "aten.stack.default": stack,
    "aten.roll.default": roll,
    "aten.slice_scatter.default": slice_scatter,
    "aten.select_scatter.default": select_scatter,
}
