"""The result of each call from its operands: shapes and dtypes, or one sentence that says why there is none.

Keeps requests apart: whatever would mix the leading dimension of a batched value is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.call import Call, Function, Value
from rollup.errors import BadGraph
from rollup.tensor import DType, TensorSpec

# A contraction has fewer terms than this, its bias included (PROTOCOL.md, section 5).
MAX_TERMS = 2**16 - 1

Rule = Callable[[Call, Sequence[Value]], Value]


def result_of(call: Call, operands: Sequence[Value]) -> Value:
    """Value that `call` makes. Raises BadGraph, or BadEncoding for a result that no header can describe."""
    call.require_signature()
    if call.function in _ARITHMETIC and any(operand.dtype is not DType.F32 for operand in operands):
        raise BadGraph(f"takes f32, got {[operand.dtype.name.lower() for operand in operands]}")
    if call.function not in _RULES:
        raise BadGraph("has no steps that the judge reads")
    return _RULES[call.function](call, operands)


def windows(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool = False) -> int:
    """Places of a window along one axis. Raises BadGraph if it never fits.

    With `ceil` a last window may end outside, if it begins inside the axis or in the padding before it.
    """
    if kernel < 1 or stride < 1 or dilation < 1 or padding < 0:
        raise BadGraph(f"window {kernel} by {stride}, padding {padding}, dilation {dilation} is no window")
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise BadGraph(f"a window of {dilation * (kernel - 1) + 1} does not fit into {size + 2 * padding}")
    last = -(-room // stride) if ceil else room // stride
    return last if ceil and last * stride >= size + padding else last + 1


def _conv2d(call: Call, operands: Sequence[Value]) -> Value:
    x, weight, *bias = operands
    groups = call.number("groups")
    _require(len(x.shape) == 4 and len(weight.shape) == 4, f"takes [N,C,H,W] and [O,C/g,h,w], got {_shapes(operands)}")
    batch, channels, height, width = x.shape
    outputs, inner, kernel_h, kernel_w = weight.shape
    fits = groups >= 1 and channels % groups == 0 and outputs % groups == 0 and inner == channels // groups
    _require(fits, f"{groups} groups do not divide {channels} channels into weights {weight.shape}")
    _require_parameters(weight, *bias)
    _require_bias(outputs, bias)
    _require_terms(inner * kernel_h * kernel_w, bias)
    stride, padding, dilation = call.option("stride"), call.option("padding"), call.option("dilation")
    out_h = windows(height, kernel_h, stride[0], padding[0], dilation[0])
    out_w = windows(width, kernel_w, stride[1], padding[1], dilation[1])
    return x.with_shape((batch, outputs, out_h, out_w))


def _linear(_: Call, operands: Sequence[Value]) -> Value:
    x, weight, *bias = operands
    fits = len(x.shape) >= 2 and len(weight.shape) == 2 and x.shape[-1] == weight.shape[1]
    _require(fits, f"takes [..,K] and [O,K], got {_shapes(operands)}")
    _require_parameters(weight, *bias)
    _require_bias(weight.shape[0], bias)
    _require_terms(weight.shape[1], bias)
    return x.with_shape((*x.shape[:-1], weight.shape[0]))


def _matmul(_: Call, operands: Sequence[Value]) -> Value:
    a, b = operands
    fits = len(a.shape) == len(b.shape) >= 3 and a.shape[:-2] == b.shape[:-2] and a.shape[-1] == b.shape[-2]
    _require(
        fits and a.batched == b.batched, f"takes [..,M,K] and [..,K,O] of equal rank 3 or more, got {_shapes(operands)}"
    )
    _require_terms(a.shape[-1], ())
    return a.with_shape((*a.shape[:-1], b.shape[-1]))


def _pair(_: Call, operands: Sequence[Value]) -> Value:
    a, b = operands
    rank = max(len(a.shape), len(b.shape))
    left, right = ((1,) * (rank - len(value.shape)) + value.shape for value in operands)
    fits = all(x == y or 1 in (x, y) for x, y in zip(left, right, strict=True))
    _require(fits, f"cannot broadcast {_shapes(operands)}")
    shape = tuple(max(x, y) for x, y in zip(left, right, strict=True))
    for value in operands:
        whole = len(value.shape) == rank
        if value.batched:
            _require(whole and value.shape[0] == shape[0], f"cannot broadcast over the requests of {_shapes(operands)}")
        elif a.batched or b.batched:
            _require(not whole or value.shape[0] == 1, f"cannot align {_shapes(operands)} with every request")
    return Value(TensorSpec(a.dtype, shape), a.batched or b.batched)


def _relu(_: Call, operands: Sequence[Value]) -> Value:
    return operands[0]


def _max_pool2d(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    _require(len(x.shape) == 4, f"takes [N,C,H,W], got {_shapes(operands)}")
    kernel, stride, padding, dilation = (call.option(name) for name in ("kernel", "stride", "padding", "dilation"))
    # Else a window could lie in the padding alone, and its maximum would be -Inf.
    inside = all(2 * p <= k and (d == 1 or p == 0) for p, k, d in zip(padding, kernel, dilation, strict=True))
    _require(inside, f"padding {padding} is above half of {kernel}, or dilated")
    ceil = bool(call.number("ceil"))
    places = [windows(x.shape[2 + i], kernel[i], stride[i], padding[i], dilation[i], ceil) for i in (0, 1)]
    return x.with_shape((*x.shape[:2], *places))


def _last_axis(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    keep = call.number("keepdim")
    _require(len(x.shape) >= 2 and keep in (0, 1), f"reduces the last of two or more dimensions, got {x.shape}")
    dtype = DType.I64 if call.function is Function.ARGMAX else x.dtype
    return Value(TensorSpec(dtype, x.shape[:-1] + (1,) * keep), x.batched)


def _view(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    result = x.with_shape(call.option("shape"))
    _require(result.spec.elements == x.spec.elements and result.shape != (), f"cannot view {x.shape} as {result.shape}")
    return result


def _permute(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    dims = call.option("dims")
    _require(sorted(dims) == list(range(len(x.shape))), f"{dims} does not order the dimensions of {x.shape}")
    _require(not x.batched or dims[0] == 0, f"{dims} moves the requests of {x.shape}")
    return x.with_shape(tuple(x.shape[dim] for dim in dims))


def _expand(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    shape = call.option("shape")
    fits = len(shape) == len(x.shape) and all(old in (new, 1) for old, new in zip(x.shape, shape, strict=True))
    _require(fits, f"cannot expand {x.shape} to {shape}")
    _require(not x.batched or shape[0] == x.shape[0], f"{shape} repeats the requests of {x.shape}")
    return x.with_shape(shape)


def _slice(call: Call, operands: Sequence[Value]) -> Value:
    (x,) = operands
    dim, start, stop, step = (call.number(name) for name in ("dim", "start", "stop", "step"))
    _require_axis(dim, x)
    _require(0 <= start < stop <= x.shape[dim] and step >= 1, f"cannot take {start}:{stop}:{step} of {x.shape[dim]}")
    return x.with_shape((*x.shape[:dim], -(-(stop - start) // step), *x.shape[dim + 1 :]))


def _cat(call: Call, operands: Sequence[Value]) -> Value:
    first, dim = operands[0], call.number("dim")
    _require_axis(dim, first)
    rest = [_without(value, dim) for value in operands]
    _require(rest.count(rest[0]) == len(rest), f"cannot join {_shapes(operands)} along dimension {dim}")
    length = sum(value.shape[dim] for value in operands)
    return first.with_shape((*first.shape[:dim], length, *first.shape[dim + 1 :]))


def _without(value: Value, dim: int) -> tuple[object, ...]:
    return (value.dtype, value.batched, len(value.shape), value.shape[:dim], value.shape[dim + 1 :])


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise BadGraph(sentence)


def _require_axis(dim: int, value: Value) -> None:
    inside = (1 if value.batched else 0) <= dim < len(value.shape)
    _require(inside, f"dimension {dim} of {value.shape} holds requests or does not exist")


def _require_parameters(*values: Value) -> None:
    _require(not any(value.batched for value in values), "a weight or bias may not depend on the request")


def _require_bias(outputs: int, bias: Sequence[Value]) -> None:
    _require(all(value.shape == (outputs,) for value in bias), f"takes a bias of {outputs}, got {_shapes(bias)}")


def _require_terms(terms: int, bias: Sequence[Value]) -> None:
    _require(terms + len(bias) <= MAX_TERMS, f"sums {terms + len(bias)} terms, at most {MAX_TERMS} can be judged")


def _shapes(values: Sequence[Value]) -> str:
    return " and ".join(str(list(value.shape)) for value in values)


_ARITHMETIC = frozenset(
    {
        Function.CONV2D,
        Function.LINEAR,
        Function.MATMUL,
        Function.ADD,
        Function.MUL,
        Function.RELU,
        Function.MAX_POOL2D,
        Function.AMAX,
        Function.ARGMAX,
    }
)
_RULES: dict[Function, Rule] = {
    Function.CONV2D: _conv2d,
    Function.LINEAR: _linear,
    Function.MATMUL: _matmul,
    Function.ADD: _pair,
    Function.MUL: _pair,
    Function.RELU: _relu,
    Function.MAX_POOL2D: _max_pool2d,
    Function.AMAX: _last_axis,
    Function.ARGMAX: _last_axis,
    Function.VIEW: _view,
    Function.PERMUTE: _permute,
    Function.EXPAND: _expand,
    Function.SLICE: _slice,
    Function.CAT: _cat,
}
