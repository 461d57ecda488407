"""The torch code of each function of a program, fused ones with torch's fused kernels.

What an expansion alone needs (matrices of upsampling, triangles, a batch norm's rstd) is not handed to the kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from executor import kernels
from executor.tensors import torch_dtype
from rollup.call import Call, Function, Value, f32_value
from rollup.tensor import DType

# A callable, and all its arguments; operands among them are whatever stands for tensors (fx nodes, or tensors).
Target = tuple[Callable[..., Tensor], tuple[Any, ...]]
Operands = Sequence[Any]


def target_of(call: Call, value: Value, operands: Operands) -> Target:
    """The torch function of a call that makes `value`, and all its arguments."""
    if call.function in _PLAIN:
        return _PLAIN[call.function], tuple(operands)
    return _SPECIAL[call.function](call, value, operands)


def real(call: Call, name: str) -> float:
    """An option that is a float: the shortest decimal that is this f32, as the user wrote it."""
    return float(str(np.float32(call.real(name))))


def flag(call: Call, name: str) -> bool:
    return bool(call.number(name))


def numbers(call: Call, name: str) -> list[int]:
    return list(call.option(name))


def padded_to(operands: Operands, count: int) -> tuple[Any, ...]:
    """Operands, and None for those left out."""
    return (*operands, *(None,) * (count - len(operands)))


def _conv2d(call: Call, _: Value, operands: Operands) -> Target:
    geometry = [numbers(call, name) for name in ("stride", "padding", "dilation")]
    return torch.conv2d, (*padded_to(operands, 3), *geometry, call.number("groups"))


def _conv_transpose2d(call: Call, _: Value, operands: Operands) -> Target:
    geometry = [numbers(call, name) for name in ("stride", "padding", "output_padding")]
    rest = (call.number("groups"), numbers(call, "dilation"))
    return torch.conv_transpose2d, (*padded_to(operands, 3), *geometry, *rest)


def _max_pool2d(call: Call, _: Value, operands: Operands) -> Target:
    geometry = [numbers(call, name) for name in ("kernel", "stride", "padding", "dilation")]
    return torch.max_pool2d, (*operands, *geometry, flag(call, "ceil"))


def _avg_pool2d(call: Call, _: Value, operands: Operands) -> Target:
    geometry = [numbers(call, name) for name in ("kernel", "stride", "padding")]
    divisor = call.number("divisor") if len(operands) == 1 else None
    return functional.avg_pool2d, (operands[0], *geometry, flag(call, "ceil"), flag(call, "include"), divisor)


def _reduction(function: Callable[..., Tensor]) -> Callable[[Call, Value, Operands], Target]:
    def target(call: Call, _: Value, operands: Operands) -> Target:
        return function, (*operands, -1, flag(call, "keepdim"))

    return target


def _row(function: Callable[..., Tensor]) -> Callable[[Call, Value, Operands], Target]:
    def target(_: Call, __: Value, operands: Operands) -> Target:
        return function, (operands[0], -1)

    return target


def _spread(function: Callable[..., Tensor]) -> Callable[[Call, Value, Operands], Target]:
    def target(call: Call, _: Value, operands: Operands) -> Target:
        return function, (*operands, call.number("correction"), flag(call, "keepdim"))

    return target


def _vector_norm(call: Call, _: Value, operands: Operands) -> Target:
    return torch.linalg.vector_norm, (*operands, 2, -1, flag(call, "keepdim"))


def _layer_norm(call: Call, value: Value, operands: Operands) -> Target:
    x, gain, bias = padded_to(operands, 3)
    return torch.layer_norm, (x, [value.shape[-1]], gain, bias, real(call, "eps"))


def _rms_norm(call: Call, value: Value, operands: Operands) -> Target:
    x, gain = padded_to(operands, 2)
    return torch.rms_norm, (x, [value.shape[-1]], gain, real(call, "eps"))


def _group_norm(call: Call, _: Value, operands: Operands) -> Target:
    x, gain, bias = padded_to(operands, 3)
    return torch.group_norm, (x, call.number("groups"), gain, bias, real(call, "eps"))


def _batch_norm(call: Call, _: Value, operands: Operands) -> Target:
    x, mean, var, _rstd, gain, bias = padded_to(operands, 6)
    return torch.batch_norm, (x, gain, bias, mean, var, False, 0.0, real(call, "eps"), False)


def _clamp(call: Call, value: Value, operands: Operands) -> Target:
    ends: list[float | None] = []
    for name in ("low", "high"):
        end = f32_value(call.number(name)) if value.dtype in _FLOATS else call.number(name)
        ends.append(None if end in (float("-inf"), float("inf")) else end)
    # ATen takes at least one end.
    return torch.clamp, (*operands, *(ends if any(end is not None for end in ends) else (float("-inf"), None)))


def _gelu(call: Call, _: Value, operands: Operands) -> Target:
    return (kernels.gelu_by_tanh if flag(call, "approximate") else functional.gelu), tuple(operands)


def _to(_: Call, value: Value, operands: Operands) -> Target:
    return Tensor.to, (*operands, torch_dtype(value.dtype))


def _shape(value: Value) -> list[int]:
    """Of a batch: where requests lie, the dimension is whatever they make it."""
    shape = list(value.shape)
    if value.batched and value.place is not None:
        shape[value.place.axis] = -1
    return shape


def _view(_: Call, value: Value, operands: Operands) -> Target:
    return Tensor.reshape, (*operands, _shape(value))


def _expand(_: Call, value: Value, operands: Operands) -> Target:
    return Tensor.expand, (*operands, _shape(value))


def _options(function: Callable[..., Tensor]) -> Callable[[Call, Value, Operands], Target]:
    """Options as they come: integers by themselves where there is only one of each."""

    def target(call: Call, _: Value, operands: Operands) -> Target:
        lists = function in (torch.permute, torch.flip)
        return function, (*operands, *(list(n) if lists else n[0] for _, n in call.options))

    return target


def _cat(call: Call, value: Value, operands: Operands) -> Target:
    joined = (list(operands), call.number("dim"))
    if not value.batched or value.place is None:
        return torch.cat, joined
    return kernels.cat_of_batch, (*joined, value.place.axis, value.place.outer)


def _pad(call: Call, value: Value, operands: Operands) -> Target:
    sides = [side for pair in zip(call.option("low"), call.option("high"), strict=True) for side in reversed(pair)]
    fill = f32_value(call.number("fill")) if value.dtype in _FLOATS else call.number("fill")
    return torch.constant_pad_nd, (*operands, sides[::-1], fill)


def _embedding(_: Call, __: Value, operands: Operands) -> Target:
    index, table = operands
    return torch.embedding, (table, index)


def _along(function: Callable[..., Tensor]) -> Callable[[Call, Value, Operands], Target]:
    """index_select and gather: the dimension stands between tensor and index."""

    def target(call: Call, _: Value, operands: Operands) -> Target:
        x, index = operands
        return function, (x, call.number("dim"), index)

    return target


def _full(call: Call, value: Value, _: Operands) -> Target:
    fill = f32_value(call.number("fill")) if value.dtype in _FLOATS else call.number("fill")
    return kernels.filled, (list(value.shape), fill, torch_dtype(value.dtype))


def _sdpa(call: Call, _: Value, operands: Operands) -> Target:
    causal = flag(call, "causal")
    query, key, value, mask = padded_to(operands, 4)
    return kernels.attention, (query, key, value, None if causal else mask, causal, real(call, "scale"))


def _recurrent(kernel: Any, states: int) -> Callable[[Call, Value, Operands], Target]:
    def target(call: Call, _: Value, operands: Operands) -> Target:
        options = tuple(call.number(name) for name in ("layers", "bidirectional", "packed"))
        return kernels.recurrent, (kernel, states, list(operands), options)

    return target


def _nearest(call: Call, value: Value, operands: Operands) -> Target:
    exact = flag(call, "exact")
    kernel = _ATEN._upsample_nearest_exact2d.default if exact else _ATEN.upsample_nearest2d.default
    return kernel, (operands[0], list(value.shape[2:]))


def _smooth(kernel: Any) -> Callable[[Call, Value, Operands], Target]:
    def target(call: Call, value: Value, operands: Operands) -> Target:
        return kernel, (operands[0], list(value.shape[2:]), flag(call, "corners"))

    return target


def _leaky_relu(call: Call, _: Value, operands: Operands) -> Target:
    return _ATEN.leaky_relu.default, (*operands, real(call, "slope"))


def _elu(call: Call, _: Value, operands: Operands) -> Target:
    return _ATEN.elu.default, (*operands, *(real(call, name) for name in ("alpha", "scale", "input_scale")))


def _softplus(call: Call, _: Value, operands: Operands) -> Target:
    return _ATEN.softplus.default, (*operands, real(call, "beta"), real(call, "threshold"))


_ATEN: Any = torch.ops.aten
_FLOATS = (DType.F32, DType.F16, DType.BF16)
_PLAIN: dict[Function, Callable[..., Tensor]] = {
    **{function: getattr(torch, function.value) for function in (
        Function.MATMUL, Function.ADD, Function.SUB, Function.MUL, Function.DIV, Function.POW, Function.MAXIMUM,
        Function.MINIMUM, Function.EQ, Function.NE, Function.LT, Function.LE, Function.GT, Function.GE,
        Function.LOGICAL_AND, Function.LOGICAL_OR, Function.LOGICAL_XOR, Function.LOGICAL_NOT, Function.WHERE,
        Function.RELU, Function.NEG, Function.ABS, Function.FLOOR, Function.CEIL, Function.ROUND, Function.TRUNC,
        Function.SIGN, Function.EXP, Function.LOG, Function.TANH, Function.SIGMOID, Function.SQRT, Function.RSQRT,
        Function.ERF, Function.SIN, Function.COS, Function.EXPM1, Function.LOG1P,
    )},
    Function.LINEAR: functional.linear,
    Function.SILU: _ATEN.silu.default,
    Function.HARDSIGMOID: _ATEN.hardsigmoid.default,
    Function.HARDSWISH: _ATEN.hardswish.default,
    Function.MISH: _ATEN.mish.default,
    Function.LOG_SIGMOID: functional.logsigmoid,
}  # fmt: skip
_SPECIAL: dict[Function, Callable[[Call, Value, Operands], Target]] = {
    Function.CONV2D: _conv2d,
    Function.CONV_TRANSPOSE2D: _conv_transpose2d,
    Function.MAX_POOL2D: _max_pool2d,
    Function.AVG_POOL2D: _avg_pool2d,
    **{function: _reduction(getattr(torch, function.value)) for function in (
        Function.SUM, Function.MEAN, Function.AMAX, Function.ARGMAX, Function.LOGSUMEXP,
    )},
    **{function: _row(getattr(torch, function.value)) for function in (
        Function.SOFTMAX, Function.LOG_SOFTMAX, Function.CUMSUM,
    )},
    Function.VAR: _spread(kernels.variance),
    Function.STD: _spread(kernels.deviation),
    Function.VECTOR_NORM: _vector_norm,
    Function.LAYER_NORM: _layer_norm,
    Function.RMS_NORM: _rms_norm,
    Function.GROUP_NORM: _group_norm,
    Function.BATCH_NORM: _batch_norm,
    Function.CLAMP: _clamp,
    Function.GELU: _gelu,
    Function.TO: _to,
    Function.VIEW: _view,
    Function.EXPAND: _expand,
    Function.PERMUTE: _options(torch.permute),
    Function.FLIP: _options(torch.flip),
    Function.SLICE: _options(_ATEN.slice.Tensor),
    Function.CAT: _cat,
    Function.PAD: _pad,
    Function.EMBEDDING: _embedding,
    Function.INDEX_SELECT: _along(torch.index_select),
    Function.GATHER: _along(torch.gather),
    Function.FULL: _full,
    Function.SDPA: _sdpa,
    Function.RNN_TANH: _recurrent(_ATEN.rnn_tanh.input, 1),
    Function.RNN_RELU: _recurrent(_ATEN.rnn_relu.input, 1),
    Function.LSTM: _recurrent(_ATEN.lstm.input, 2),
    Function.GRU: _recurrent(_ATEN.gru.input, 1),
    Function.UPSAMPLE_NEAREST2D: _nearest,
    Function.UPSAMPLE_BILINEAR2D: _smooth(_ATEN.upsample_bilinear2d.default),
    Function.UPSAMPLE_BICUBIC2D: _smooth(_ATEN.upsample_bicubic2d.default),
    Function.LEAKY_RELU: _leaky_relu,
    Function.ELU: _elu,
    Function.SOFTPLUS: _softplus,
}  # fmt: skip
