"""Convolutions and pools over three dimensions, as those over two.

A volume's depth goes beside the channels of a convolution, which then reads a window of slices as one picture; pools go
over the slices first and over the depth after.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.aten.common import moved, permuted, ranked, view
from executor.aten.resampling import padded
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph

Options = dict[str, int | tuple[int, ...]]


def triple_of(value: int | Sequence[int]) -> tuple[int, int, int]:
    """Depth, height and width from one number or three."""
    values = [value] * 3 if isinstance(value, int) else list(value) * (3 // len(value))
    return (values[0], values[1], values[2])


def convolution(emit: Emitter, args: Arguments) -> Operand:
    """Each slice of the result is a convolution of the slices that its window holds, side by side as channels."""
    weight, bias = args["weight"], args["bias"]
    if not isinstance(weight, Tensor):
        raise BadGraph("a 3-D convolution by weights that depend on the request is not supported")
    x = ranked(emit, args["input"], 5)
    stride, dilation = triple_of(args["stride"]), triple_of(args["dilation"])
    x, padding = _padded(emit, x, args["padding"], weight.shape[2:], dilation)
    count, channels, depth, height, width = emit.shape(x)
    outputs, _, window, *kernel = weight.shape
    slices = (depth - dilation[0] * (window - 1) - 1) // stride[0] + 1
    places = torch.arange(slices)[:, None] * stride[0] + torch.arange(window) * dilation[0]
    x = emit.call(Function.INDEX_SELECT, x, places.reshape(-1), dim=2)
    x = permuted(emit, view(emit, x, (count, channels, slices, window, height, width)), (0, 2, 1, 3, 4, 5))
    pictures = view(emit, x, (count * slices, channels * window, height, width))
    flat = emit.derived(weight, weight.reshape(outputs, -1, *kernel), "merged")
    operands = [pictures, flat, *([bias] if bias is not None else [])]
    options = {"stride": stride[1:], "padding": padding, "dilation": dilation[1:], "groups": args["groups"]}
    made = emit.call(Function.CONV2D, *operands, **options)
    result = view(emit, made, (count, slices, *emit.shape(made)[1:]))
    return view(emit, moved(emit, result, 1, 2), args["shape of result"])


def transposed(emit: Emitter, args: Arguments) -> Operand:
    """Each slice of the result is a transposed convolution of the slices that reach it, side by side as channels."""
    weight, bias = args["weight"], args["bias"]
    if not isinstance(weight, Tensor):
        raise BadGraph("a 3-D convolution by weights that depend on the request is not supported")
    x = ranked(emit, args["input"], 5)
    stride, padding, dilation, extra = (
        triple_of(args[name]) for name in ("stride", "padding", "dilation", "output_padding")
    )
    count, channels, depth, height, width = emit.shape(x)
    _, outputs, window, *kernel = weight.shape
    slices = (depth - 1) * stride[0] - 2 * padding[0] + dilation[0] * (window - 1) + extra[0] + 1
    # Where no slice of x reaches one of the result, there is one of zeros behind all others.
    away = torch.arange(slices)[:, None] + padding[0] - torch.arange(window) * dilation[0]
    reaches = (away % stride[0] == 0) & (away >= 0) & (away < depth * stride[0])
    places = (away // stride[0]).where(reaches, depth)
    x = padded(emit, x, [(0, 0), (0, 0), (0, 1), (0, 0), (0, 0)], 0.0)
    x = emit.call(Function.INDEX_SELECT, x, places.reshape(-1), dim=2)
    x = permuted(emit, view(emit, x, (count, channels, slices, window, height, width)), (0, 2, 1, 3, 4, 5))
    pictures = view(emit, x, (count * slices, channels * window, height, width))
    turned = weight.transpose(1, 2).reshape(-1, outputs, *kernel)
    operands = [pictures, emit.derived(weight, turned, "merged"), *([bias] if bias is not None else [])]
    options = {"stride": stride[1:], "padding": padding[1:], "dilation": dilation[1:], "output_padding": extra[1:]}
    made = emit.call(Function.CONV_TRANSPOSE2D, *operands, **options, groups=args["groups"])
    result = view(emit, made, (count, slices, *emit.shape(made)[1:]))
    return view(emit, moved(emit, result, 1, 2), args["shape of result"])


def _padded(
    emit: Emitter, x: Operand, padding: int | str | Sequence[int], kernel: Sequence[int], dilation: Sequence[int]
) -> tuple[Operand, Sequence[int]]:
    """The volume with zeros before and behind it, and what is left to put around its slices."""
    if isinstance(padding, str):
        total = [rate * (size - 1) if padding == "same" else 0 for rate, size in zip(dilation, kernel, strict=True)]
        around = [(size // 2, size - size // 2) for size in total]
    else:
        around = [(size, size) for size in triple_of(padding)]
    even = all(low == high for low, high in around[1:])
    sizes = [(0, 0), (0, 0), around[0], *(((0, 0), (0, 0)) if even else around[1:])]
    if any(low or high for low, high in sizes):
        x = padded(emit, x, sizes, 0.0)
    return x, [low for low, _ in around[1:]] if even else (0, 0)


def max_pool(emit: Emitter, args: Arguments) -> Operand:
    kernel = triple_of(args["kernel_size"])
    stride, padding = triple_of(args["stride"] or kernel), triple_of(args["padding"])
    slices, depth = _apart(kernel, stride, padding)
    dilation = triple_of(args["dilation"])
    slices["dilation"], depth["dilation"] = dilation[1:], (dilation[0], 1)
    slices["ceil"] = depth["ceil"] = int(args["ceil_mode"])
    return _pooled(emit, Function.MAX_POOL2D, args, slices, depth)


def avg_pool(emit: Emitter, args: Arguments) -> Operand:
    """Where all windows are of one size."""
    kernel = triple_of(args["kernel_size"])
    stride, padding = triple_of(args["stride"] or kernel), triple_of(args["padding"])
    if args["ceil_mode"] or (any(padding) and not args["count_include_pad"]):
        raise BadGraph("avg_pool3d over windows of several sizes is not supported")
    divisor = args["divisor_override"]
    slices, depth = _apart(kernel, stride, padding)
    divisors = (kernel[1] * kernel[2], kernel[0]) if divisor is None else (1, divisor)
    slices |= {"ceil": 0, "include": 1, "divisor": divisors[0]}
    depth |= {"ceil": 0, "include": 1, "divisor": divisors[1]}
    return _pooled(emit, Function.AVG_POOL2D, args, slices, depth)


def _apart(kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> tuple[Options, Options]:
    """Windows over the slices, and over the depth, where what lies beside it is a window of its own."""
    slices: Options = {"kernel": tuple(kernel[1:]), "stride": tuple(stride[1:]), "padding": tuple(padding[1:])}
    return slices, {"kernel": (kernel[0], 1), "stride": (stride[0], 1), "padding": (padding[0], 0)}


def _pooled(emit: Emitter, function: Function, args: Arguments, slices: Options, depth: Options) -> Operand:
    """Each slice, then the depth."""
    x = ranked(emit, args["self"], 5)
    count, channels, deep, height, width = emit.shape(x)
    if slices["kernel"] != (1, 1) or slices["stride"] != (1, 1):
        x = emit.call(function, view(emit, x, (count, channels * deep, height, width)), **slices)
        height, width = emit.shape(x)[2:]
    columns = view(emit, x, (count, channels, deep, height * width))
    return view(emit, emit.call(function, columns, **depth), args["shape of result"])


HANDLERS: dict[str, Handler] = {
    **{f"aten.conv3d.{kind}": convolution for kind in ("default", "padding")},
    "aten.conv_transpose3d.input": transposed,
    **{f"aten.max_pool3d{name}.default": max_pool for name in ("", "_with_indices")},
    "aten.avg_pool3d.default": avg_pool,
}
