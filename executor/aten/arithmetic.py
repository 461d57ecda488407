"""Operators of several operands, element by element: sums, products, powers, comparisons, choices."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from executor.aten.common import Number, cast, constant, expanded, operand, pairwise, promoted
from executor.aten.integers import floor_divided, masked
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function, f32_bits
from rollup.errors import BadGraph


def _both(emit: Emitter, function: Function, a: Operand | Number, b: Operand | Number) -> Operand:
    """`function` of both in the dtype that PyTorch promotes them to."""
    dtype = promoted(emit, a, b)
    return pairwise(emit, function, operand(emit, a, dtype), operand(emit, b, dtype))


def _scaled(emit: Emitter, x: Operand | Number, factor: Number) -> Operand | Number:
    if factor == 1:
        return x
    return x * factor if isinstance(x, Number) else _both(emit, Function.MUL, x, factor)


def add(emit: Emitter, args: Arguments) -> Operand:
    a, b = args["self"], args["other"]
    if args["dtype of result"] is torch.bool:
        return pairwise(emit, Function.LOGICAL_OR, a, operand(emit, b, torch.bool))
    return _both(emit, Function.ADD, a, _scaled(emit, b, args.get("alpha", 1)))


def sub(emit: Emitter, args: Arguments) -> Operand:
    return _both(emit, Function.SUB, args["self"], _scaled(emit, args["other"], args.get("alpha", 1)))


def rsub(emit: Emitter, args: Arguments) -> Operand:
    return _both(emit, Function.SUB, args["other"], _scaled(emit, args["self"], args.get("alpha", 1)))


def mul(emit: Emitter, args: Arguments) -> Operand:
    a, b = args["self"], args["other"]
    if args["dtype of result"] is torch.bool:
        return pairwise(emit, Function.LOGICAL_AND, a, operand(emit, b, torch.bool))
    return _both(emit, Function.MUL, a, b)


def div(emit: Emitter, args: Arguments) -> Operand:
    """True division gives floats; with a rounding mode, integers too, if they are rounded down."""
    a, b, mode = args["self"], args["other"], args.get("rounding_mode")
    dtype = args["dtype of result"]
    if mode == "floor" and not dtype.is_floating_point:
        return floor_divided(emit, operand(emit, a, dtype), b, dtype)
    if mode is not None and not dtype.is_floating_point:
        raise BadGraph(f"division of {dtype} that rounds by {mode!r} is not supported")
    quotient = pairwise(emit, Function.DIV, operand(emit, a, dtype), operand(emit, b, dtype))
    if mode is None:
        return quotient
    return emit.call(Function.FLOOR if mode == "floor" else Function.TRUNC, quotient)


def remainder(mode: str, emit: Emitter, args: Arguments) -> Operand:
    """a minus b times a / b, rounded down (remainder) or towards zero (fmod)."""
    whole = div(emit, {**args, "rounding_mode": mode})
    return _both(emit, Function.SUB, args["self"], _both(emit, Function.MUL, whole, args["other"]))


def reciprocal(emit: Emitter, args: Arguments) -> Operand:
    dtype = args["dtype of result"]
    return emit.call(Function.DIV, constant(1.0, dtype), cast(emit, args["self"], dtype))


def pow_(emit: Emitter, args: Arguments) -> Operand:
    """The exponents that PyTorch's kernel treats by themselves are what it makes of them."""
    base, exponent = args["self"], args["exponent"]
    dtype = args["dtype of result"]
    if isinstance(exponent, Tensor) and exponent.numel() == 1:
        exponent = exponent.item()
    if not isinstance(exponent, Number) or isinstance(base, Number):
        return pairwise(emit, Function.POW, operand(emit, base, dtype), operand(emit, exponent, dtype))
    x = cast(emit, base, dtype)
    return _power(emit, x, float(exponent), dtype)


def _power(emit: Emitter, x: Operand, exponent: float, dtype: torch.dtype) -> Operand:
    if exponent in (2.0, 3.0):
        square = emit.call(Function.MUL, x, x)
        return square if exponent == 2.0 else emit.call(Function.MUL, square, x)
    if exponent in (-1.0, -2.0):
        below = x if exponent == -1.0 else emit.call(Function.MUL, x, x)
        return emit.call(Function.DIV, constant(1.0, dtype), below)
    if exponent in (0.5, -0.5):
        return emit.call(Function.SQRT if exponent > 0 else Function.RSQRT, x)
    if exponent == 1.0:
        return x
    return emit.call(Function.POW, x, constant(_held(exponent, dtype), dtype))


def _held(exponent: float, dtype: torch.dtype) -> float:
    """An exponent as a tensor of `dtype` holds it.

    Of 16 bits it must be the very number: some kernels round it to them, others raise to it as it was written, and the
    two powers are further apart than any bound. Raises BadGraph if it is not.
    """
    held = float(torch.tensor(exponent, dtype=dtype))
    if dtype.itemsize == 2 and held != exponent:
        raise BadGraph(f"a power of {dtype} with the exponent {exponent} is not supported: {dtype} holds {held}")
    return held


def square(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.MUL, args["self"], args["self"])


def exp2(emit: Emitter, args: Arguments) -> Operand:
    return emit.call(Function.POW, constant(2.0, args["dtype of result"]), args["self"])


def compare(function: Function, emit: Emitter, args: Arguments) -> Operand:
    return _both(emit, function, args["self"], args["other"])


def select_by(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """maximum, minimum."""
    return _both(emit, function, args["self"], args["other"])


def logical(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """Of truth values: numbers are true where they are not zero."""
    values = [operand(emit, args[name], torch.bool) for name in ("self", "other")]
    return pairwise(emit, function, *values)


def bitwise(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """Of truth values; of integers only what a mask of the lowest bits leaves."""
    dtype = args["dtype of result"]
    if dtype is not torch.bool and function is Function.LOGICAL_AND:
        return masked(emit, args["self"], args["other"], dtype)
    if dtype is not torch.bool:
        raise BadGraph(f"bitwise operators on {dtype} are not supported, only on bool")
    return logical(function, emit, args)


def not_(emit: Emitter, args: Arguments) -> Operand:
    if args["dtype of result"] is not torch.bool:
        raise BadGraph(f"bitwise_not of {args['dtype of result']} is not supported, only of bool")
    return emit.call(Function.LOGICAL_NOT, cast(emit, args["self"], torch.bool))


def where(emit: Emitter, args: Arguments) -> Operand:
    dtype = args["dtype of result"]
    a, b = (operand(emit, args[name], dtype) for name in ("self", "other"))
    return pairwise(emit, Function.WHERE, cast(emit, args["condition"], torch.bool), a, b)


def masked_fill(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    value = operand(emit, args["value"], emit.dtype(x))
    return pairwise(emit, Function.WHERE, args["mask"], value, x)


def addcmul(emit: Emitter, args: Arguments) -> Operand:
    product = _both(emit, Function.MUL, _scaled(emit, args["tensor1"], args["value"]), args["tensor2"])
    return _both(emit, Function.ADD, args["self"], product)


def addcdiv(emit: Emitter, args: Arguments) -> Operand:
    quotient = _both(emit, Function.DIV, _scaled(emit, args["tensor1"], args["value"]), args["tensor2"])
    return _both(emit, Function.ADD, args["self"], quotient)


def lerp(emit: Emitter, args: Arguments) -> Operand:
    distance = _both(emit, Function.SUB, args["end"], args["self"])
    return _both(emit, Function.ADD, args["self"], _both(emit, Function.MUL, args["weight"], distance))


def clamp(emit: Emitter, args: Arguments) -> Operand:
    """Ends are numbers, tensors or None."""
    x: Operand = args["self"]
    low, high = args.get("min"), args.get("max")
    if not isinstance(low, Number | None) or not isinstance(high, Number | None):
        for function, end in ((Function.MAXIMUM, low), (Function.MINIMUM, high)):
            x = x if end is None else _both(emit, function, x, end)
        return x
    return clamped(emit, cast(emit, x, args["dtype of result"]), low, high)


def clamped(emit: Emitter, x: Operand, low: Number | None, high: Number | None) -> Operand:
    dtype = emit.dtype(x)
    if dtype.is_floating_point:
        infinity = float("inf")
        given = (-infinity if low is None else low, infinity if high is None else high)
        # Kernels take them in the dtype of what they clamp.
        ends = [f32_bits(float(torch.tensor(end, dtype=dtype))) for end in given]
    else:
        least = torch.iinfo(emit.dtype(x))
        ends = [int(low if low is not None else least.min), int(high if high is not None else least.max)]
    return emit.call(Function.CLAMP, x, low=ends[0], high=ends[1])


def copy(emit: Emitter, args: Arguments) -> Operand:
    """The source in the shape and dtype of what it is copied over."""
    return expanded(emit, cast(emit, args["src"], args["dtype of result"]), args["shape of result"])


def nan_to_num(emit: Emitter, args: Arguments) -> Operand:
    x: Operand = args["self"]
    dtype = emit.dtype(x)
    limits = torch.finfo(dtype)
    for value, bad in ((args["posinf"], torch.inf), (args["neginf"], -torch.inf)):
        default = limits.max if bad > 0 else limits.min
        beyond = Function.GT if bad > 0 else Function.LT
        is_bad = pairwise(emit, beyond, x, constant(default, dtype))
        x = pairwise(emit, Function.WHERE, is_bad, constant(default if value is None else value, dtype), x)
    is_number = pairwise(emit, Function.EQ, x, x)
    return pairwise(emit, Function.WHERE, is_number, x, constant(args["nan"] or 0.0, dtype))


_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_LOGICAL = {"and": Function.LOGICAL_AND, "or": Function.LOGICAL_OR, "xor": Function.LOGICAL_XOR}

HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}.{kind}": compare_ for name in _COMPARISONS for kind in ("Tensor", "Scalar")
       for compare_ in (partial(compare, Function(name)),)},
    **{f"aten.logical_{name}.default": partial(logical, function) for name, function in _LOGICAL.items()},
    **{
        f"aten.{form}.{kind}": partial(bitwise, function)
        for name, function in _LOGICAL.items()
        for form in (f"bitwise_{name}", f"__{name}__")
        for kind in ("Tensor", "Scalar")
    },
    "aten.bitwise_not.default": not_,
    "aten.logical_not.default": not_,
    "aten.maximum.default": partial(select_by, Function.MAXIMUM),
    "aten.minimum.default": partial(select_by, Function.MINIMUM),
    "aten.max.other": partial(select_by, Function.MAXIMUM),
    "aten.min.other": partial(select_by, Function.MINIMUM),
    "aten.fmax.default": partial(select_by, Function.MAXIMUM),
    "aten.fmin.default": partial(select_by, Function.MINIMUM),
    **{f"aten.add.{kind}": add for kind in ("Tensor", "Scalar")},
    **{f"aten.sub.{kind}": sub for kind in ("Tensor", "Scalar")},
    **{f"aten.rsub.{kind}": rsub for kind in ("Tensor", "Scalar")},
    **{f"aten.mul.{kind}": mul for kind in ("Tensor", "Scalar")},
    **{f"aten.div.{kind}": div for kind in ("Tensor", "Scalar", "Tensor_mode", "Scalar_mode")},
    **{f"aten.remainder.{kind}": partial(remainder, "floor") for kind in ("Tensor", "Scalar")},
    **{f"aten.fmod.{kind}": partial(remainder, "trunc") for kind in ("Tensor", "Scalar")},
    **{f"aten.pow.{kind}": pow_ for kind in ("Tensor_Scalar", "Tensor_Tensor", "Scalar")},
    **{f"aten.where.{kind}": where for kind in ("self", "Scalar", "ScalarSelf", "ScalarOther")},
    **{f"aten.masked_fill.{kind}": masked_fill for kind in ("Scalar", "Tensor")},
    **{f"aten.lerp.{kind}": lerp for kind in ("Scalar", "Tensor")},
    **{f"aten.clamp.{kind}": clamp for kind in ("default", "Tensor")},
    **{f"aten.clamp_{end}.{kind}": clamp for end in ("min", "max") for kind in ("default", "Tensor")},
    "aten.reciprocal.default": reciprocal,
    "aten.square.default": square,
    "aten.exp2.default": exp2,
    "aten.addcmul.default": addcmul,
    "aten.addcdiv.default": addcdiv,
    "aten.copy.default": copy,
    "aten.nan_to_num.default": nan_to_num,
}  # fmt: skip
