"""Convolutions and pools to steps: windows are laid out as rows by `patches`, then contracted or reduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import MAX_ROW, MINUS_INFINITY, PLUS_ZERO, Axes, Builder, Lower, Rows, strides_of
from rollup.lowering.contraction import Axis, contract
from rollup.lowering.rows import Precision, amax, total
from rollup.tensor import TensorSpec

Two = Sequence[int]


@dataclass(frozen=True)
class _Window:
    """A window over height and width, at `places`; `up` - 1 fills lie between the picture's pixels."""

    kernel: Two
    stride: Two
    padding: Two
    dilation: Two
    places: Two
    up: Two = (1, 1)


def _patches(builder: Builder, x: Operand, groups: int, window: _Window, fill: int) -> Operand:
    batch, channels, _, _ = x.spec.shape
    shape = (batch, groups, prod(window.places), channels // groups * prod(window.kernel))
    attributes = (
        *(fill, *x.spec.shape, groups),
        *(*window.kernel, *window.stride, *window.padding, *window.dilation),
        *(*window.places, *window.up),
    )
    return builder.step(Op.PATCHES, TensorSpec(x.spec.dtype, shape), [x], Axes(attributes))


def _conv2d(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    kernel = operands[1].spec.shape[2:]
    stride, padding, dilation = (call.option(name) for name in ("stride", "padding", "dilation"))
    window = _Window(kernel, stride, padding, dilation, result.shape[2:])
    patches = _patches(builder, operands[0], call.number("groups"), window, PLUS_ZERO)
    return _convolved(builder, [patches, *operands[1:]], result)


def _convolved(builder: Builder, operands: Sequence[Operand], result: TensorSpec) -> bool:
    """Rows of patches [N,groups,places,K] with those of the weights [O,K], written in the usual layout."""
    batch, groups, places, terms = operands[0].spec.shape
    outputs = result.shape[1] // groups
    axes = [
        Axis(batch, a=groups * places),
        Axis(groups, a=places, b=outputs, bias=outputs),
        Axis(outputs, b=1, bias=1),
        Axis(places, a=1),
    ]
    return contract(builder, operands, result, terms, axes)


def _conv_transpose2d(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    """A convolution by the turned kernel, of the picture with stride - 1 zeros between its pixels."""
    x, weight, *bias = operands
    groups, kernel = call.number("groups"), weight.spec.shape[2:]
    dilation = call.option("dilation")
    padding = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, call.option("padding"), strict=True)]
    window = _Window(kernel, (1, 1), padding, dilation, result.shape[2:], call.option("stride"))
    patches = _patches(builder, x, groups, window, PLUS_ZERO)
    channels, outputs, high, wide = weight.spec.shape
    shape = (groups, outputs, channels // groups, high, wide)
    channel, output, _, _ = strides_of(weight.spec.shape)
    strides = (channels // groups * channel, output, channel, -wide, -1)
    turned = builder.strided(weight, TensorSpec(weight.spec.dtype, shape), strides, offset=high * wide - 1)
    return _convolved(builder, [patches, turned, *bias], result)


def _pooled(builder: Builder, call: Call, x: Operand, result: TensorSpec, fill: int) -> Rows:
    """Each window as a row: one group a channel, so that a window is innermost."""
    dilation = dict(call.options).get("dilation", (1, 1))
    kernel, stride, padding = (call.option(name) for name in ("kernel", "stride", "padding"))
    patches = _patches(builder, x, x.spec.shape[1], _Window(kernel, stride, padding, dilation, result.shape[2:]), fill)
    return Rows(patches, result.elements, prod(call.option("kernel")))


def _max_pool2d(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    amax(builder, _pooled(builder, call, operands[0], result, MINUS_INFINITY), result)
    return True


def _avg_pool2d(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = _pooled(builder, call, operands[0], result, PLUS_ZERO)
    total(builder, rows, result, call.number("divisor"), Precision.KERNEL)
    return rows.length <= MAX_ROW


RULES: Mapping[Function, Lower] = {
    Function.CONV2D: _conv2d,
    Function.CONV_TRANSPOSE2D: _conv_transpose2d,
    Function.MAX_POOL2D: _max_pool2d,
    Function.AVG_POOL2D: _avg_pool2d,
}
