"""ATen's computing operators as calls of a program: one short handler each. What is not in HANDLERS cannot be captured.

Handlers get the operator's arguments by the names of its schema, tensors as Refs. Shapes are those of one request.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch

from executor.emitter import Arguments, Emitter, Handler
from executor.movement import MOVEMENT, axis_of, permuted, view
from rollup.call import Function, Ref
from rollup.errors import BadGraph
from rollup.graph import Source


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    values = [value] if isinstance(value, int) else list(value)
    return (values[0], values[-1])


def _operand(emit: Emitter, value: Any) -> Ref:
    """A tensor, or a Python scalar rounded to f32."""
    return value if isinstance(value, Ref) else emit.constant(torch.tensor([float(value)], dtype=torch.float32))


def conv2d(emit: Emitter, args: Arguments) -> Ref:
    operands = [args["input"], args["weight"]] + ([args["bias"]] if args["bias"] is not None else [])
    options = {name: _pair(args[name]) for name in ("stride", "padding", "dilation")}
    return emit.call(Function.CONV2D, *operands, **options, groups=(args["groups"],))


def linear(emit: Emitter, args: Arguments) -> Ref:
    operands = [args["input"], args["weight"]] + ([args["bias"]] if args["bias"] is not None else [])
    return emit.call(Function.LINEAR, *operands)


def matmul(emit: Emitter, args: Arguments) -> Ref:
    a: Ref = args["self"]
    b: Ref = args["other"] if "other" in args else args["mat2"]
    if len(emit.shape(b)) == 2:
        return emit.call(Function.LINEAR, a, permuted(emit, b, (1, 0)))
    return emit.call(Function.MATMUL, a, b)


def addmm(emit: Emitter, args: Arguments) -> Ref:
    if args["beta"] != 1 or args["alpha"] != 1:
        raise BadGraph(f"addmm with beta {args['beta']} and alpha {args['alpha']} is not supported")
    return emit.call(Function.LINEAR, args["mat1"], permuted(emit, args["mat2"], (1, 0)), args["self"])


def add(emit: Emitter, args: Arguments) -> Ref:
    if args["alpha"] != 1:
        raise BadGraph(f"add with alpha {args['alpha']} is not supported")
    return emit.call(Function.ADD, _operand(emit, args["self"]), _operand(emit, args["other"]))


def sub(emit: Emitter, args: Arguments) -> Ref:
    if args["alpha"] != 1:
        raise BadGraph(f"sub with alpha {args['alpha']} is not supported")
    # Multiplying by -1 is exact, so a - b is a + (-1)b to the bit.
    negated = emit.call(Function.MUL, _operand(emit, args["other"]), _operand(emit, -1.0))
    return emit.call(Function.ADD, _operand(emit, args["self"]), negated)


def mul(emit: Emitter, args: Arguments) -> Ref:
    return emit.call(Function.MUL, _operand(emit, args["self"]), _operand(emit, args["other"]))


def batch_norm(emit: Emitter, args: Arguments) -> Ref:
    """x * scale + shift, both computed in float64 and rounded once: the statistics are constants in evaluation."""
    mean, variance = (_constant(emit, args[name]) for name in ("running_mean", "running_var"))
    gain = _constant(emit, args["weight"]) if args["weight"] is not None else torch.ones_like(mean)
    bias = _constant(emit, args["bias"]) if args["bias"] is not None else torch.zeros_like(mean)
    scale = gain / torch.sqrt(variance + args["eps"])
    shift = bias - mean * scale
    spread = (-1,) + (1,) * (len(emit.shape(args["input"])) - 2)
    scaled = emit.call(Function.MUL, args["input"], emit.constant(scale.float().reshape(spread)))
    return emit.call(Function.ADD, scaled, emit.constant(shift.float().reshape(spread)))


def _constant(emit: Emitter, ref: Ref) -> torch.Tensor:
    """A weight's values in float64. Raises BadGraph for what depends on the request."""
    if ref.source is not Source.WEIGHT:
        raise BadGraph("batch_norm with statistics that depend on the request is not supported")
    return emit.take(ref).double()


def relu(emit: Emitter, args: Arguments) -> Ref:
    return emit.call(Function.RELU, args["self"])


def max_pool2d(emit: Emitter, args: Arguments) -> Ref:
    kernel = _pair(args["kernel_size"])
    options = {name: _pair(args[name]) for name in ("padding", "dilation")}
    stride = _pair(args["stride"]) if args["stride"] else kernel
    return emit.call(
        Function.MAX_POOL2D, args["self"], kernel=kernel, stride=stride, **options, ceil=(int(args["ceil_mode"]),)
    )


def mean(emit: Emitter, args: Arguments) -> Ref:
    """A mean over trailing dimensions: one contraction with a row of 1/K, then the shape ATen gives it."""
    x = args["self"]
    shape = emit.shape(x)
    dims = sorted(axis_of(dim, len(shape)) for dim in (args["dim"] or ()))
    if not dims or dims != list(range(dims[0], len(shape))) or dims[0] == 0:
        raise BadGraph(f"mean over dimensions {dims} of {shape} is not supported, only over the last ones")
    kept = shape[: dims[0]]
    return view(emit, _mean_rows(emit, x, kept), kept + (1,) * (len(dims) * args["keepdim"]))


def adaptive_avg_pool2d(emit: Emitter, args: Arguments) -> Ref:
    if _pair(args["output_size"]) != (1, 1):
        raise BadGraph(f"adaptive_avg_pool2d to {args['output_size']} is not supported, only to 1 by 1")
    kept = emit.shape(args["self"])[:2]
    return view(emit, _mean_rows(emit, args["self"], kept), (*kept, 1, 1))


def _mean_rows(emit: Emitter, x: Ref, kept: tuple[int, ...]) -> Ref:
    terms = prod(emit.shape(x)[len(kept) :])
    rows = view(emit, x, (*kept, terms))
    return emit.call(Function.LINEAR, rows, emit.constant(torch.full((1, terms), 1.0 / terms)))


def amax(emit: Emitter, args: Arguments) -> Ref:
    if len(args["dim"]) != 1:
        raise BadGraph(f"amax over dimensions {args['dim']} is not supported, only over one")
    return _reduce(emit, Function.AMAX, args["self"], args["dim"][0], args["keepdim"])


def argmax(emit: Emitter, args: Arguments) -> Ref:
    if args["dim"] is None:
        raise BadGraph("argmax over all dimensions is not supported, only over one")
    return _reduce(emit, Function.ARGMAX, args["self"], args["dim"], args["keepdim"])


def _reduce(emit: Emitter, function: Function, x: Ref, dim: int, keepdim: bool) -> Ref:
    """Moves `dim` last, reduces it, and moves the kept one back."""
    rank = len(emit.shape(x))
    dim = axis_of(dim, rank)
    if dim == rank - 1:
        return emit.call(function, x, keepdim=(int(keepdim),))
    order = [axis for axis in range(rank) if axis != dim]
    reduced = emit.call(function, permuted(emit, x, (*order, dim)), keepdim=(0,))
    shape = list(emit.shape(x))
    shape[dim] = 1
    return view(emit, reduced, shape) if keepdim else reduced


HANDLERS: dict[str, Handler] = {
    "aten.conv2d.default": conv2d,
    "aten.linear.default": linear,
    "aten.matmul.default": matmul,
    "aten.mm.default": matmul,
    "aten.bmm.default": matmul,
    "aten.addmm.default": addmm,
    "aten.add.Tensor": add,
    "aten.sub.Tensor": sub,
    "aten.mul.Tensor": mul,
    "aten.mul.Scalar": mul,
    "aten._native_batch_norm_legit_no_training.default": batch_norm,
    "aten.relu.default": relu,
    "aten.max_pool2d.default": max_pool2d,
    "aten.mean.dim": mean,
    "aten.adaptive_avg_pool2d.default": adaptive_avg_pool2d,
    "aten.amax.default": amax,
    "aten.argmax.default": argmax,
    **MOVEMENT,
}
