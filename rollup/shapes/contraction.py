"""Shapes of convolutions and products of matrices."""

from __future__ import annotations

from collections.abc import Mapping

from rollup.call import Call, Function
from rollup.shapes.made import FLOATS, Made, Rule, Specs, along, apart, broadcast, require, require_dtypes, texts
from rollup.shapes.windows import windows
from rollup.tensor import TensorSpec


def _conv2d(call: Call, specs: Specs) -> Made:
    x, weight, *bias = specs
    groups = call.number("groups")
    require_dtypes(specs, FLOATS)
    require(len(x.shape) == 4 and len(weight.shape) == 4, f"takes [N,C,H,W] and [O,C/g,h,w], got {texts(specs)}")
    batch, channels, height, width = x.shape
    outputs, inner, kernel_h, kernel_w = weight.shape
    fits = groups >= 1 and channels % groups == 0 and outputs % groups == 0 and inner == channels // groups
    require(fits, f"{groups} groups do not divide {channels} channels into weights {weight.shape}")
    _require_bias(outputs, bias)
    stride, padding, dilation = call.option("stride"), call.option("padding"), call.option("dilation")
    out_h = windows(height, kernel_h, stride[0], padding[0], dilation[0])
    out_w = windows(width, kernel_w, stride[1], padding[1], dilation[1])
    return _of_pictures(specs, (batch, outputs, out_h, out_w))


def _conv_transpose2d(call: Call, specs: Specs) -> Made:
    x, weight, *bias = specs
    groups = call.number("groups")
    require_dtypes(specs, FLOATS)
    require(len(x.shape) == 4 and len(weight.shape) == 4, f"takes [N,C,H,W] and [C,O/g,h,w], got {texts(specs)}")
    channels = x.shape[1]
    fits = groups >= 1 and channels % groups == 0 and weight.shape[0] == channels
    require(fits, f"{groups} groups do not divide {channels} channels of weights {weight.shape}")
    outputs = weight.shape[1] * groups
    _require_bias(outputs, bias)
    sides = [_grown(call, axis, x.shape[2 + axis], weight.shape[2 + axis]) for axis in (0, 1)]
    return _of_pictures(specs, (x.shape[0], outputs, *sides))


def _grown(call: Call, axis: int, size: int, kernel: int) -> int:
    """Size of a transposed convolution's result along one axis."""
    names = ("stride", "padding", "output_padding", "dilation")
    stride, padding, extra, dilation = (call.option(name)[axis] for name in names)
    reach = dilation * (kernel - 1)
    fits = min(stride, dilation) >= 1 and 0 <= padding <= reach and 0 <= extra < max(stride, dilation)
    require(
        fits, f"stride {stride}, padding {padding} (+{extra}) and dilation {dilation} do not suit a kernel {kernel}"
    )
    grown = (size - 1) * stride - 2 * padding + reach + extra + 1
    require(grown >= 1, f"padding {padding} leaves nothing of {size}")
    return grown


def _of_pictures(specs: Specs, shape: tuple[int, ...]) -> Made:
    """Pictures are apart, all else of a convolution is read across."""
    x, *weights = specs
    return Made(TensorSpec(x.dtype, shape), (along(x, 1, 2, 3), *(apart(weight) for weight in weights)))


def _linear(_: Call, specs: Specs) -> Made:
    x, weight, *bias = specs
    require_dtypes(specs, FLOATS)
    fits = len(x.shape) >= 1 and len(weight.shape) == 2 and x.shape[-1] == weight.shape[1]
    require(fits, f"takes [..,K] and [O,K], got {texts(specs)}")
    _require_bias(weight.shape[0], bias)
    last = len(x.shape) - 1
    flows = (along(x, last), (last, None), *((last,) for _ in bias))
    return Made(TensorSpec(x.dtype, (*x.shape[:-1], weight.shape[0])), flows)


def _matmul(_: Call, specs: Specs) -> Made:
    a, b = specs
    require_dtypes(specs, FLOATS)
    fits = min(len(a.shape), len(b.shape)) >= 2 and a.shape[-1] == b.shape[-2]
    require(fits, f"takes [..,M,K] and [..,K,O], got {texts(specs)}")
    shape = (*broadcast((a.shape[:-2], b.shape[:-2])), a.shape[-2], b.shape[-1])
    rank = len(shape)
    flows = (
        along(a, len(a.shape) - 1, result_rank=rank),
        along(b, len(b.shape) - 2, result_rank=rank),
    )
    return Made(TensorSpec(a.dtype, shape), flows)


def _require_bias(outputs: int, bias: Specs) -> None:
    require(all(spec.shape == (outputs,) for spec in bias), f"takes a bias of {outputs}, got {texts(bias)}")


RULES: Mapping[Function, Rule] = {
    Function.CONV2D: _conv2d,
    Function.CONV_TRANSPOSE2D: _conv_transpose2d,
    Function.LINEAR: _linear,
    Function.MATMUL: _matmul,
}
