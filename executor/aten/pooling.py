"""Windows over pictures and signals: their greatest and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from executor.aten.common import constant, moved, pair_of, pairwise, ranked, view
from executor.aten.reductions import reduced
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function


def max_pool(emit: Emitter, args: Arguments) -> Operand | tuple[Operand, Operand]:
    """Of pictures and of signals, which are pictures of one row; where they stand, if that is asked for."""
    x, flat = _picture(emit, args)
    kernel = _window(args["kernel_size"], flat, 1)
    options = {
        "kernel": kernel,
        "stride": _window(args["stride"], flat, 1) if args["stride"] else kernel,
        "padding": _window(args["padding"], flat, 0),
        "dilation": _window(args["dilation"], flat, 1),
    }
    result = emit.call(Function.MAX_POOL2D, x, **options, ceil=int(args["ceil_mode"]))
    pooled = view(emit, result, args["shape of result"])
    if 1 not in args.get("used results", ()):
        return pooled
    places = _places(emit.shape(x)[2:], emit.shape(result)[2:], **options)
    return pooled, view(emit, _greatest_of(emit, x, places), args["shape of result"])


def _places(
    size: Sequence[int],
    wanted: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """i64 [windows, kernel]: the pixel at each place of each window, -1 outside the picture."""
    rows, columns = (
        torch.arange(wanted[axis])[:, None] * stride[axis] - padding[axis] + torch.arange(kernel[axis]) * dilation[axis]
        for axis in range(2)
    )
    rows, columns = rows[:, None, :, None], columns[None, :, None, :]
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    return (rows * size[1] + columns).where(inside, -1).reshape(prod(wanted), -1)


def _greatest_of(emit: Emitter, x: Operand, places: Tensor) -> Operand:
    """i64 [N, C, windows]: the pixel of each window that is greatest."""
    count, channels, height, width = emit.shape(x)
    windows, size = places.shape
    pixels = view(emit, x, (count, channels, height * width))
    taken = emit.call(Function.INDEX_SELECT, pixels, places.clamp(min=0).reshape(-1), dim=2)
    rows = view(emit, taken, (count, channels, windows, size))
    if bool((places < 0).any()):
        rows = pairwise(emit, Function.WHERE, places >= 0, rows, constant(-torch.inf, emit.dtype(x)))
    first = torch.arange(windows) * size
    entry = pairwise(emit, Function.ADD, emit.call(Function.ARGMAX, rows, keepdim=0), first)
    return emit.call(Function.EMBEDDING, entry, places.reshape(-1, 1))


def avg_pool(emit: Emitter, args: Arguments) -> Operand:
    """A window's sum over the number of its pixels, which a border can make smaller for some."""
    x, flat = _picture(emit, args)
    kernel = _window(args["kernel_size"], flat, 1)
    stride = _window(args["stride"], flat, 1) if args["stride"] else kernel
    padding, ceil = _window(args["padding"], flat, 0), int(args["ceil_mode"])
    include = int(args["count_include_pad"])
    divisor = args.get("divisor_override")
    counts = _counts(emit.shape(x)[2:], kernel, stride, padding, ceil, include)
    if divisor is None and int(counts.min()) == int(counts.max()):
        divisor = int(counts.max())
    operands = [] if divisor is not None else [counts]
    windows = {"kernel": kernel, "stride": stride, "padding": padding}
    flags = {"ceil": ceil, "include": include, "divisor": divisor or 1}
    result = emit.call(Function.AVG_POOL2D, x, *operands, **windows, **flags)
    return view(emit, result, args["shape of result"])


def _counts(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
            ceil: int, include: int) -> Tensor:  # fmt: skip
    """What ATen divides each window by: the sum of ones over their mean."""
    ones = torch.ones(1, 1, *size)
    arguments = (list(kernel), list(stride), list(padding), bool(ceil), bool(include))
    sums = functional.avg_pool2d(ones, *arguments, divisor_override=1)
    return (sums / functional.avg_pool2d(ones, *arguments))[0, 0].round()


def _picture(emit: Emitter, args: Arguments) -> tuple[Operand, bool]:
    """[N,C,H,W], and whether it was a signal."""
    x = args["self"]
    kernel = args["kernel_size"]
    flat = isinstance(kernel, Sequence) and len(kernel) == 1
    shape = emit.shape(x)
    if flat:
        return ranked(emit, view(emit, x, (*shape[:-1], 1, shape[-1])), 4), True
    return ranked(emit, x, 4), False


def _window(value: int | Sequence[int], flat: bool, rest: int) -> tuple[int, int]:
    pair = pair_of(value)
    return (rest, pair[-1]) if flat else pair


def adaptive_avg_pool(emit: Emitter, args: Arguments) -> Operand:
    """Windows of one size are a mean or a pool; others a product with a matrix along each dimension."""
    x: Operand = args["self"]
    shape = args["shape of result"]
    count = len(args["output_size"])
    sizes, wanted = emit.shape(x)[-count:], shape[-count:]
    if prod(wanted) == 1:
        return view(emit, reduced(emit, Function.MEAN, x, range(-count, 0), False), shape)
    if count == 2 and all(size % want == 0 for size, want in zip(sizes, wanted, strict=True)):
        kernel = [size // want for size, want in zip(sizes, wanted, strict=True)]
        windows = {"kernel": kernel, "stride": kernel, "padding": [0, 0]}
        flags = {"ceil": 0, "include": 1, "divisor": prod(kernel)}
        pooled = emit.call(Function.AVG_POOL2D, ranked(emit, x, 4), **windows, **flags)
        return view(emit, pooled, shape)
    rank = len(emit.shape(x))
    for place, (size, want) in enumerate(zip(sizes, wanted, strict=True)):
        dim = rank - count + place
        means = functional.adaptive_avg_pool1d(torch.eye(size)[None], want)[0].T
        x = moved(emit, emit.call(Function.LINEAR, moved(emit, x, dim, rank - 1), means), rank - 1, dim)
    return x


def adaptive_max_pool(emit: Emitter, args: Arguments) -> Operand:
    x: Operand = args["self"]
    shape = args["shape of result"]
    count = len(args["output_size"])
    sizes, wanted = emit.shape(x)[-count:], shape[-count:]
    if count > 2 or any(size % want for size, want in zip(sizes, wanted, strict=True)):
        rank = len(emit.shape(x))
        for dim, want in zip(range(rank - count, rank), wanted, strict=True):
            x = _greatest_along(emit, x, dim, want)
        return x
    kernel = [size // want for size, want in zip(sizes, wanted, strict=True)]
    plain = {"kernel_size": kernel, "stride": kernel, "padding": [0], "dilation": [1], "ceil_mode": False}
    pooled = max_pool(emit, {"self": x, **plain, "shape of result": shape})
    assert not isinstance(pooled, tuple)
    return pooled


def _greatest_along(emit: Emitter, x: Operand, dim: int, want: int) -> Operand:
    """Of `want` windows of several sizes; in the shorter ones the last element stands several times."""
    size, rank = emit.shape(x)[dim], len(emit.shape(x))
    at = torch.arange(want)
    starts, ends = at * size // want, -(-(at + 1) * size // want)
    places = torch.minimum(starts[:, None] + torch.arange(int((ends - starts).max())), ends[:, None] - 1)
    last = moved(emit, emit.call(Function.INDEX_SELECT, x, places.reshape(-1), dim=dim), dim, rank - 1)
    rows = view(emit, last, (*emit.shape(last)[:-1], *places.shape))
    return moved(emit, emit.call(Function.AMAX, rows, keepdim=0), rank - 1, dim)


HANDLERS: dict[str, Handler] = {
    **{f"aten.max_pool{n}d.default": max_pool for n in (1, 2)},
    **{f"aten.max_pool{n}d_with_indices.default": max_pool for n in (1, 2)},
    **{f"aten.avg_pool{n}d.default": avg_pool for n in (1, 2)},
    **{f"aten.adaptive_avg_pool{n}d.default": adaptive_avg_pool for n in (1, 2, 3)},
    **{f"aten.adaptive_max_pool{n}d.default": adaptive_max_pool for n in (1, 2, 3)},
    **{f"aten._adaptive_avg_pool{n}d.default": adaptive_avg_pool for n in (2, 3)},
}
