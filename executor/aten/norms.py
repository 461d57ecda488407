"""Operators that put rows on a scale of their own: softmax, and the norms of layers, groups, batches and instances."""

from __future__ import annotations

from functools import partial
from math import prod

import torch
from torch import Tensor

from executor.aten.common import axis_of, cast, moved, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function, f32_bits
from rollup.errors import BadGraph


def softmax(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """Over any dimension, in the dtype of the result."""
    x = cast(emit, args["self"], args["dtype of result"])
    rank = len(emit.shape(x))
    dim = axis_of(args["dim"], rank)
    if rank == 1:
        return view(emit, emit.call(function, view(emit, x, (1, *emit.shape(x)))), emit.shape(x))
    return moved(emit, emit.call(function, moved(emit, x, dim, rank - 1)), rank - 1, dim)


def layer_norm(emit: Emitter, args: Arguments) -> Operand:
    """Over the last dimensions, as one; in f32 where only its parameters are, as under autocast."""
    x, eps = args["input"], f32_bits(args["eps"])
    if args["weight"] is not None and emit.dtype(args["weight"]) != emit.dtype(x):
        wide = layer_norm(emit, {**args, "input": cast(emit, x, emit.dtype(args["weight"]))})
        return cast(emit, wide, args["dtype of result"])
    width = prod(args["normalized_shape"])
    parameters = _gain_and_bias(emit, args, width)
    return view(emit, emit.call(Function.LAYER_NORM, _merged(emit, x, width), *parameters, eps=eps), emit.shape(x))


def rms_norm(emit: Emitter, args: Arguments) -> Operand:
    x, eps = args["input"], args["eps"]
    if eps is None:
        eps = torch.finfo(emit.dtype(x)).eps
    width = prod(args["normalized_shape"])
    parameters = _gain_and_bias(emit, {**args, "bias": None}, width)
    result = emit.call(Function.RMS_NORM, _merged(emit, x, width), *parameters, eps=f32_bits(eps))
    return view(emit, result, emit.shape(x))


def _merged(emit: Emitter, x: Operand, width: int) -> Operand:
    """The last dimensions that hold `width` elements, as one."""
    outer = list(emit.shape(x))
    inner = 1
    while inner < width:
        inner *= outer.pop()
    return view(emit, x, (*(outer or [1]), width))


def _gain_and_bias(emit: Emitter, args: Arguments, width: int) -> list[Operand]:
    """Of a norm, flat. A bias without a gain gets one of ones."""
    gain, bias = args.get("weight"), args.get("bias")
    if gain is None and bias is not None:
        gain = torch.ones(width, dtype=emit.dtype(bias))
    return [view(emit, parameter, (width,)) for parameter in (gain, bias) if parameter is not None]


def group_norm(emit: Emitter, args: Arguments) -> Operand:
    x = args["input"]
    groups = args["num_groups"] if "num_groups" in args else args["group"]
    return _group_norm(emit, x, groups, args)


def _group_norm(emit: Emitter, x: Operand, groups: int, args: Arguments) -> Operand:
    parameters = _gain_and_bias(emit, args, emit.shape(x)[1])
    return emit.call(Function.GROUP_NORM, x, *parameters, groups=groups, eps=f32_bits(args["eps"]))


def instance_norm(emit: Emitter, args: Arguments) -> Operand:
    """Each channel by itself; with statistics that were kept, a batch norm."""
    if not args["use_input_stats"]:
        return batch_norm(emit, args)
    return _group_norm(emit, args["input"], emit.shape(args["input"])[1], args)


def batch_norm(emit: Emitter, args: Arguments) -> Operand:
    """In evaluation: by statistics that were kept, which are constants."""
    mean, variance, eps = args.get("running_mean"), args.get("running_var"), args["eps"]
    if args.get("training") or mean is None or variance is None:
        raise BadGraph(
            "batch norm by the statistics of the batch is not supported: requests would depend on each other"
        )
    if not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
        raise BadGraph("batch norm with statistics that depend on the request is not supported")
    rstd = (1.0 / torch.sqrt(variance.double() + eps)).to(variance.dtype)
    parameters = _gain_and_bias(emit, args, mean.numel())
    return emit.call(Function.BATCH_NORM, args["input"], mean, variance, rstd, *parameters, eps=f32_bits(eps))


_SOFTMAX = ("softmax.int", "_softmax.default", "special_softmax.int", "_safe_softmax.default")
_LOG_SOFTMAX = ("log_softmax.int", "_log_softmax.default", "special_log_softmax.int")
HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}": partial(softmax, Function.SOFTMAX) for name in _SOFTMAX},
    **{f"aten.{name}": partial(softmax, Function.LOG_SOFTMAX) for name in _LOG_SOFTMAX},
    "aten.layer_norm.default": layer_norm,
    "aten.native_layer_norm.default": layer_norm,
    "aten.rms_norm.default": rms_norm,
    "aten._fused_rms_norm.default": rms_norm,
    "aten.group_norm.default": group_norm,
    "aten.native_group_norm.default": group_norm,
    "aten.instance_norm.default": instance_norm,
    "aten.batch_norm.default": batch_norm,
    "aten._native_batch_norm_legit_no_training.default": batch_norm,
    "aten._native_batch_norm_legit.no_stats": batch_norm,
    "aten._native_batch_norm_legit_functional.default": batch_norm,
}
