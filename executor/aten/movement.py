"""Operators that give the same elements another shape or order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from executor.aten.common import axis_of, constant, expanded, moved, pairwise, permuted, ranked, sliced, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function


def reshape(emit: Emitter, args: Arguments) -> Operand:
    """Every change of shape that keeps the order of elements; ATen has inferred the result."""
    return view(emit, args["self"], args["shape of result"])


def permute(emit: Emitter, args: Arguments) -> Operand:
    rank = len(emit.shape(args["self"]))
    return permuted(emit, args["self"], [axis_of(dim, rank) for dim in args["dims"]])


def transpose(emit: Emitter, args: Arguments) -> Operand:
    rank = len(emit.shape(args["self"]))
    order = list(range(rank))
    first, second = (axis_of(dim, rank) for dim in (args.get("dim0", 0), args.get("dim1", rank - 1)))
    order[first], order[second] = order[second], order[first]
    return permuted(emit, args["self"], order)


def movedim(emit: Emitter, args: Arguments) -> Operand:
    rank = len(emit.shape(args["self"]))
    sources, targets = (
        [axis_of(dim, rank) for dim in ([dims] if isinstance(dims, int) else dims)]
        for dims in (args["source"], args["destination"])
    )
    order = [axis for axis in range(rank) if axis not in sources]
    for target, source in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source)
    return permuted(emit, args["self"], order)


def expand(emit: Emitter, args: Arguments) -> Operand:
    return expanded(emit, args["self"], args["shape of result"])


def slice_(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    dim = axis_of(args["dim"], len(emit.shape(x)))
    return sliced(emit, x, dim, slice(args["start"], args["end"], args["step"]))


def narrow(emit: Emitter, args: Arguments) -> Operand:
    x, start = args["self"], args["start"]
    return sliced(emit, x, axis_of(args["dim"], len(emit.shape(x))), slice(start, start + args["length"]))


def select(emit: Emitter, args: Arguments) -> Operand:
    shape = emit.shape(args["self"])
    dim = axis_of(args["dim"], len(shape))
    return view(emit, picked(emit, args["self"], dim, axis_of(args["index"], shape[dim])), args["shape of result"])


def picked(emit: Emitter, x: Operand, dim: int, index: int) -> Operand:
    """One element of `dim`, which stays as a dimension of one."""
    return sliced(emit, x, dim, slice(index, index + 1))


def split(emit: Emitter, args: Arguments) -> tuple[Operand, ...]:
    """split, chunk, split_with_sizes, tensor_split: the shapes of the results say where."""
    x = args["self"]
    dim = axis_of(args["dim"], len(emit.shape(x)))
    parts: list[Operand] = []
    start = 0
    for shape in args["shapes of results"]:
        parts.append(sliced(emit, x, dim, slice(start, start + shape[dim])))
        start += shape[dim]
    return tuple(parts)


def unbind(emit: Emitter, args: Arguments) -> tuple[Operand, ...]:
    x = args["self"]
    dim = axis_of(args["dim"], len(emit.shape(x)))
    shapes = args["shapes of results"]
    return tuple(view(emit, picked(emit, x, dim, index), shape) for index, shape in enumerate(shapes))


def unfold(emit: Emitter, args: Arguments) -> Operand:
    """Windows of `size` along a dimension; their elements are the last one of the result."""
    x, size, step = args["self"], args["size"], args["step"]
    shape = emit.shape(x)
    dim = axis_of(args["dimension"], len(shape))
    starts = torch.arange(0, shape[dim] - size + 1, step)
    places = (starts[:, None] + torch.arange(size)).reshape(-1)
    windows = emit.call(Function.INDEX_SELECT, x, places, dim=dim)
    apart = view(emit, windows, (*shape[:dim], len(starts), size, *shape[dim + 1 :]))
    return moved(emit, apart, dim + 1, len(shape))


def diagonal(emit: Emitter, args: Arguments) -> Operand:
    """Of two dimensions; it is the last one of the result."""
    x = args["self"]
    rank = len(emit.shape(x))
    first, second = (axis_of(args[name], rank) for name in ("dim1", "dim2"))
    x = permuted(emit, x, (*(axis for axis in range(rank) if axis not in (first, second)), first, second))
    *outer, height, width = emit.shape(x)
    places = torch.arange(height * width).reshape(height, width).diagonal(args["offset"])
    merged = view(emit, x, (*outer, height * width))
    return emit.call(Function.INDEX_SELECT, merged, places.contiguous(), dim=len(outer))


def flip(emit: Emitter, args: Arguments) -> Operand:
    rank = len(emit.shape(args["self"]))
    return emit.call(Function.FLIP, args["self"], dims=[axis_of(dim, rank) for dim in args["dims"]])


def repeat(emit: Emitter, args: Arguments) -> Operand:
    """Each dimension beside a new one that repeats it."""
    counts: Sequence[int] = args["repeats"] if "repeats" in args else args["dims"]
    x = ranked(emit, args["self"], len(counts))
    counts = (1,) * (len(emit.shape(x)) - len(counts)) + tuple(counts)
    for dim, count in enumerate(counts):
        x = _repeated(emit, x, dim, count, before=True)
    return x


def repeat_interleave(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    if args["dim"] is None:
        x = view(emit, x, (prod(emit.shape(x)),))
    return _repeated(emit, x, axis_of(args["dim"] or 0, len(emit.shape(x))), args["repeats"], before=False)


def _repeated(emit: Emitter, x: Operand, dim: int, count: int, before: bool) -> Operand:
    """The whole dimension again and again (`before`), or each of its elements."""
    if count == 1:
        return x
    shape = emit.shape(x)
    place = dim if before else dim + 1
    wide = view(emit, x, (*shape[:place], 1, *shape[place:]))
    wide = expanded(emit, wide, (*shape[:place], count, *shape[place:]))
    return view(emit, wide, (*shape[:dim], count * shape[dim], *shape[dim + 1 :]))


def triangle(emit: Emitter, args: Arguments) -> Operand:
    """tril: what lies on and below a diagonal, zeros above it."""
    return _masked(
        emit, args["self"], torch.ones(emit.shape(args["self"])[-2:], dtype=torch.bool).tril(args["diagonal"])
    )


def upper_triangle(emit: Emitter, args: Arguments) -> Operand:
    return _masked(
        emit, args["self"], torch.ones(emit.shape(args["self"])[-2:], dtype=torch.bool).triu(args["diagonal"])
    )


def _masked(emit: Emitter, x: Operand, kept: Tensor) -> Operand:
    return pairwise(emit, Function.WHERE, kept, x, constant(0, emit.dtype(x)))


def pixel_shuffle(emit: Emitter, args: Arguments) -> Operand:
    x, factor = args["self"], args["upscale_factor"]
    *outer, channels, height, width = emit.shape(x)
    split_ = view(emit, x, (*outer, channels // factor**2, factor, factor, height, width))
    return _shuffled(emit, split_, (0, 3, 1, 4, 2), args["shape of result"])


def pixel_unshuffle(emit: Emitter, args: Arguments) -> Operand:
    x, factor = args["self"], args["downscale_factor"]
    *outer, channels, height, width = emit.shape(x)
    split_ = view(emit, x, (*outer, channels, height // factor, factor, width // factor, factor))
    return _shuffled(emit, split_, (0, 2, 4, 1, 3), args["shape of result"])


def channel_shuffle(emit: Emitter, args: Arguments) -> Operand:
    x, groups = args["self"], args["groups"]
    count, channels, *rest = emit.shape(x)
    grouped = view(emit, x, (count, groups, channels // groups, *rest))
    return view(emit, moved(emit, grouped, 1, 2), args["shape of result"])


def _shuffled(emit: Emitter, x: Operand, order: Sequence[int], shape: Sequence[int]) -> Operand:
    """The last five dimensions in another order, then merged."""
    outer = len(emit.shape(x)) - 5
    return view(emit, permuted(emit, x, (*range(outer), *(outer + axis for axis in order))), shape)


_RESHAPES = (
    "view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints", "unflatten.int", "ravel.default",
    "squeeze.default", "squeeze.dim", "squeeze.dims", "unsqueeze.default", "view_as.default", "reshape_as.default",
    "atleast_1d.default", "atleast_2d.default", "atleast_3d.default", "_reshape_alias.default",
)  # fmt: skip
_SPLITS = ("split.Tensor", "split_with_sizes.default", "chunk.default", "split.sizes", "tensor_split.sections",
           "tensor_split.indices", "unsafe_chunk.default", "unsafe_split.Tensor",
           "unsafe_split_with_sizes.default")  # fmt: skip
HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}": reshape for name in _RESHAPES},
    **{f"aten.{name}": split for name in _SPLITS},
    **{f"aten.{name}": transpose for name in ("transpose.int", "t.default", "swapaxes.default", "swapdims.default")},
    "aten.permute.default": permute,
    "aten.movedim.int": movedim,
    "aten.movedim.intlist": movedim,
    "aten.expand.default": expand,
    "aten.expand_as.default": expand,
    "aten.broadcast_to.default": expand,
    "aten.slice.Tensor": slice_,
    "aten.narrow.default": narrow,
    "aten.select.int": select,
    "aten.unbind.int": unbind,
    "aten.unfold.default": unfold,
    "aten.diagonal.default": diagonal,
    "aten.flip.default": flip,
    "aten.repeat.default": repeat,
    "aten.tile.default": repeat,
    "aten.repeat_interleave.self_int": repeat_interleave,
    "aten.tril.default": triangle,
    "aten.triu.default": upper_triangle,
    "aten.pixel_shuffle.default": pixel_shuffle,
    "aten.pixel_unshuffle.default": pixel_unshuffle,
    "aten.channel_shuffle.default": channel_shuffle,
}
