"""Operators of one operand, element by element, and what is made of a few of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log

import torch
from torch import Tensor

from executor.aten.arithmetic import clamped
from executor.aten.common import Number, axis_of, cast, constant, pairwise, sliced, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function, f32_bits
from rollup.errors import BadGraph

# Beyond it log(1 + e^x) differs from x by less than half an ulp of a f32.
LEAST_THRESHOLD = 20.0


def plain(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """The program's function of the same name, in the dtype of the result (of integers, f32)."""
    return emit.call(function, cast(emit, args["self"], args["dtype of result"]))


def to(emit: Emitter, args: Arguments) -> Operand:
    return cast(emit, args["self"], args["dtype of result"])


def gelu(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.GELU, args["self"], approximate=int(args["approximate"] == "tanh"))


def hardtanh(emit: Emitter, args: Arguments) -> Operand:
    return clamped(emit, args["self"], args["min_val"], args["max_val"])


def relu6(emit: Emitter, args: Arguments) -> Operand:
    return clamped(emit, args["self"], 0.0, 6.0)


def leaky_relu(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.LEAKY_RELU, args["self"], slope=f32_bits(args["negative_slope"]))


def rrelu(emit: Emitter, args: Arguments) -> Operand:
    """In evaluation the slope is the middle of those that training draws from."""
    if args["training"]:
        raise BadGraph("rrelu in training mode is random: call eval() on the module first")
    return emit.call(Function.LEAKY_RELU, args["self"], slope=f32_bits((args["lower"] + args["upper"]) / 2))


def prelu(emit: Emitter, args: Arguments) -> Operand:
    """x above 0, else the slope of its channel times x."""
    x, slope = args["self"], args["weight"]
    rank = len(emit.shape(x))
    if len(emit.shape(slope)) == 1 and rank > 1:
        slope = view(emit, slope, (-1 if isinstance(slope, Tensor) else emit.shape(slope)[0], *(1,) * (rank - 2)))
    below = pairwise(emit, Function.MUL, x, slope)
    return pairwise(emit, Function.WHERE, _above(emit, x, 0.0), x, below)


def _above(emit: Emitter, x: Operand, threshold: Number) -> Operand:
    return pairwise(emit, Function.GT, x, constant(threshold, emit.dtype(x)))


def elu(emit: Emitter, args: Arguments) -> Operand:
    options = {name: f32_bits(args[name]) for name in ("alpha", "scale", "input_scale")}
    return emit.call(Function.ELU, args["self"], **options)


def selu(emit: Emitter, args: Arguments) -> Operand:
    """Klambauer et al. 2017; ATen's digits."""
    alpha, scale = f32_bits(1.6732632423543772848170429916717), f32_bits(1.0507009873554804934193349852946)
    return emit.call(Function.ELU, args["self"], alpha=alpha, scale=scale, input_scale=f32_bits(1.0))


def celu(emit: Emitter, args: Arguments) -> Operand:
    alpha = args["alpha"]
    scales = {"scale": f32_bits(1.0), "input_scale": f32_bits(1.0 / alpha)}
    return emit.call(Function.ELU, args["self"], alpha=f32_bits(alpha), **scales)


def softplus(emit: Emitter, args: Arguments) -> Operand:
    """The function knows no threshold: where it is one that can be seen, the choice is made beside it."""
    x, beta, edge = args["self"], args["beta"], args["threshold"]
    soft = emit.call(Function.SOFTPLUS, x, beta=f32_bits(beta), threshold=f32_bits(max(edge, LEAST_THRESHOLD)))
    if edge >= LEAST_THRESHOLD:
        return soft
    scaled = pairwise(emit, Function.MUL, x, constant(beta, emit.dtype(x)))
    return pairwise(emit, Function.WHERE, _above(emit, scaled, edge), x, soft)


def threshold(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    value = constant(args["value"], emit.dtype(x))
    return pairwise(emit, Function.WHERE, _above(emit, x, args["threshold"]), x, value)


def hardshrink(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    far = _above(emit, emit.call(Function.ABS, x), args["lambd"])
    return pairwise(emit, Function.WHERE, far, x, constant(0.0, emit.dtype(x)))


def softshrink(emit: Emitter, args: Arguments) -> Operand:
    """What is left of x beyond the threshold: x - clamp(x, -l, l)."""
    x, edge = args["self"], args["lambd"]
    return emit.call(Function.SUB, x, clamped(emit, x, -edge, edge))


def glu(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    shape = emit.shape(x)
    dim = axis_of(args["dim"], len(shape))
    half = shape[dim] // 2
    gate = emit.call(Function.SIGMOID, sliced(emit, x, dim, slice(half, None)))
    return emit.call(Function.MUL, sliced(emit, x, dim, slice(0, half)), gate)


def log_of_base(base: float, emit: Emitter, args: Arguments) -> Operand:
    x = cast(emit, args["self"], args["dtype of result"])
    return pairwise(emit, Function.MUL, emit.call(Function.LOG, x), constant(1.0 / log(base), emit.dtype(x)))


def erfc(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    return pairwise(emit, Function.SUB, constant(1.0, emit.dtype(x)), emit.call(Function.ERF, x))


def tan(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    return emit.call(Function.DIV, emit.call(Function.SIN, x), emit.call(Function.COS, x))


def hyperbolic(sign: Function, emit: Emitter, args: Arguments) -> Operand:
    """sinh and cosh: (e^x -+ e^-x) / 2."""
    x = args["self"]
    both = emit.call(sign, emit.call(Function.EXP, x), emit.call(Function.EXP, emit.call(Function.NEG, x)))
    return pairwise(emit, Function.MUL, both, constant(0.5, emit.dtype(x)))


def round_to(emit: Emitter, args: Arguments) -> Operand:
    """Whole multiples of a power of ten, the nearest."""
    x, places = args["self"], args["decimals"]
    to, back = (Function.MUL, Function.DIV) if places > 0 else (Function.DIV, Function.MUL)
    unit = constant(10.0 ** abs(places), emit.dtype(x))
    return pairwise(emit, back, emit.call(Function.ROUND, pairwise(emit, to, x, unit)), unit)


def logit(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    if args["eps"] is not None:
        x = clamped(emit, x, args["eps"], 1.0 - args["eps"])
    rest = pairwise(emit, Function.SUB, constant(1.0, emit.dtype(x)), x)
    return emit.call(Function.LOG, emit.call(Function.DIV, x, rest))


def is_infinite(emit: Emitter, args: Arguments) -> Operand:
    """Beyond the greatest number: of +Inf itself nothing can be judged."""
    x = args["self"]
    most = torch.finfo(emit.dtype(x)).max
    sides = [
        pairwise(emit, function, x, constant(end, emit.dtype(x)))
        for function, end in ((Function.GT, most), (Function.LT, -most))
    ]
    return emit.call(Function.LOGICAL_OR, *sides)


def is_nan(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.NE, args["self"], args["self"])


def same(_: Emitter, args: Arguments) -> Operand:
    """Copies, and dropout, which does nothing in evaluation."""
    if args.get("train") or args.get("training"):
        raise BadGraph("dropout in training mode is not supported: call eval() on the module first")
    x: Operand = args["self"] if "self" in args else args["input"]
    return x


_PLAIN = {
    **{name: Function(name) for name in (
        "relu", "neg", "abs", "floor", "ceil", "trunc", "sign", "exp", "log", "tanh", "sigmoid", "sqrt", "rsqrt",
        "erf", "silu", "sin", "cos", "expm1", "log1p", "hardsigmoid", "hardswish", "mish", "round",
    )},
    "log_sigmoid": Function.LOG_SIGMOID,
    "sgn": Function.SIGN,
}  # fmt: skip
_COPIES = ("clone", "contiguous", "detach", "alias", "lift_fresh_copy", "lift_fresh", "dropout", "feature_dropout",
           "alpha_dropout", "positive", "native_dropout")  # fmt: skip
_OTHERS: dict[str, Callable[[Emitter, Arguments], Operand]] = {
    "gelu": gelu,
    "hardtanh": hardtanh,
    "relu6": relu6,
    "leaky_relu": leaky_relu,
    "rrelu": rrelu,
    "rrelu_with_noise_functional": rrelu,
    "prelu": prelu,
    "_prelu_kernel": prelu,
    "elu": elu,
    "selu": selu,
    "celu": celu,
    "softplus": softplus,
    "threshold": threshold,
    "hardshrink": hardshrink,
    "softshrink": softshrink,
    "glu": glu,
    "log2": partial(log_of_base, 2.0),
    "log10": partial(log_of_base, 10.0),
    "erfc": erfc,
    "special_erfc": erfc,
    "tan": tan,
    "sinh": partial(hyperbolic, Function.SUB),
    "cosh": partial(hyperbolic, Function.ADD),
    "logit": logit,
    "special_logit": logit,
    "isinf": is_infinite,
    "isnan": is_nan,
    "_to_copy": to,
}
HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}.default": partial(plain, function) for name, function in _PLAIN.items()},
    **{f"aten.{name}.default": same for name in _COPIES},
    **{f"aten.{name}.default": handler for name, handler in _OTHERS.items()},
    "aten.round.decimals": round_to,
    **{f"aten.to.{kind}": to for kind in ("dtype", "dtype_layout", "other", "device")},
}
