"""Products of matrices, convolutions and attention: operators that sum products."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from executor.aten.common import cast, constant, expanded, last_two_swapped, pair_of, pairwise, ranked, view
from executor.aten.resampling import padded
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function, f32_bits
from rollup.errors import BadGraph


def matmul(emit: Emitter, args: Arguments) -> Operand:
    """Of any ranks, as torch.matmul: a vector is a row on the left and a column on the right."""
    a = args["self"]
    b = next(args[name] for name in ("other", "mat2", "vec", "vec2", "tensor") if name in args)
    shape: tuple[int, ...] = args["shape of result"]
    if len(emit.shape(a)) == 1:
        a = view(emit, a, (1, *emit.shape(a)))
    if len(emit.shape(b)) == 1:
        b = view(emit, b, (*emit.shape(b), 1))
    return view(emit, product(emit, a, b), shape)


def product(emit: Emitter, a: Operand, b: Operand) -> Operand:
    """Of matrices, or stacks of them that broadcast."""
    if len(emit.shape(b)) == 2 and isinstance(b, Tensor):
        return emit.call(Function.LINEAR, a, last_two_swapped(emit, b))
    rank = max(len(emit.shape(a)), len(emit.shape(b)), 3)
    result = emit.call(Function.MATMUL, ranked(emit, a, rank), ranked(emit, b, rank))
    shape = emit.shape(result)
    return view(emit, result, shape[1:]) if max(len(emit.shape(a)), len(emit.shape(b))) == 2 else result


def linear(emit: Emitter, args: Arguments) -> Operand:
    x, weight, bias = args["input"], args["weight"], args["bias"]
    return view(emit, _linear(emit, x, weight, bias), args["shape of result"])


def _linear(emit: Emitter, x: Operand, weight: Operand, bias: Operand | None) -> Operand:
    """x w^T + bias; what depends on the request may stand in any place."""
    if len(emit.shape(x)) == 1:
        x = view(emit, x, (1, *emit.shape(x)))
    if isinstance(weight, Tensor) and (bias is None or _is_bias(bias, emit.shape(weight)[0])):
        return emit.call(Function.LINEAR, x, weight, *_given(bias))
    result = product(emit, x, last_two_swapped(emit, weight))
    return result if bias is None else pairwise(emit, Function.ADD, result, bias)


def _is_bias(bias: Operand, width: int) -> bool:
    return isinstance(bias, Tensor) and tuple(bias.shape) == (width,)


def _given(*operands: Operand | None) -> list[Operand]:
    return [operand for operand in operands if operand is not None]


def addmm(emit: Emitter, args: Arguments) -> Operand:
    """beta self + alpha a b, for matrices, stacks of them and a matrix by a vector."""
    names = next(pair for pair in (("mat1", "mat2"), ("batch1", "batch2"), ("mat", "vec")) if pair[0] in args)
    a, b = (args[name] for name in names)
    if args["beta"] == 1 and args["alpha"] == 1 and isinstance(b, Tensor) and b.dim() == 2:
        return _linear(emit, a, last_two_swapped(emit, b), args["self"])
    result = matmul(emit, {"self": a, "other": b, "shape of result": args["shape of result"]})
    if args["beta"] == 0:
        return _times(emit, result, args["alpha"])
    return pairwise(emit, Function.ADD, _times(emit, args["self"], args["beta"]), _times(emit, result, args["alpha"]))


def _times(emit: Emitter, x: Operand, factor: float) -> Operand:
    return x if factor == 1 else pairwise(emit, Function.MUL, x, constant(factor, emit.dtype(x)))


def outer(emit: Emitter, args: Arguments) -> Operand:
    a, b = args["self"], args["vec2"]
    return pairwise(emit, Function.MUL, view(emit, a, (emit.shape(a)[0], 1)), ranked(emit, b, 2))


def bilinear(emit: Emitter, args: Arguments) -> Operand:
    """x1 w[o] x2 for each output o."""
    x1, x2, weight, bias = (args[name] for name in ("input1", "input2", "weight", "bias"))
    outputs, left, right = emit.shape(weight)
    outer = emit.shape(x1)[:-1]
    merged = view(emit, weight, (outputs * left, right))
    if isinstance(weight, Tensor) and isinstance(merged, Tensor):
        merged = emit.derived(weight, merged, "merged")
    pairs = view(emit, _linear(emit, view(emit, x2, (*outer, right)), merged, None), (*outer, outputs, left))
    result = view(emit, product(emit, pairs, view(emit, x1, (*outer, left, 1))), (*outer, outputs))
    return result if bias is None else pairwise(emit, Function.ADD, result, bias)


def convolution(emit: Emitter, args: Arguments) -> Operand:
    """conv1d, conv2d and what both become, transposed too; a signal is a picture of one row."""
    x, weight, bias = args["input"], args["weight"], args["bias"]
    flat = len(emit.shape(weight)) == 3
    if len(emit.shape(weight)) not in (3, 4):
        raise BadGraph(
            f"convolution with weights {emit.shape(weight)} is not supported, only over one or two dimensions"
        )
    # A picture by itself is a batch of one.
    x = ranked(emit, x, len(emit.shape(weight)))
    options = {name: _both(args[name], flat, rest) for name, rest in (("stride", 1), ("dilation", 1))}
    padding = args["padding"]
    if isinstance(padding, str):
        x, padding = _padded_by_name(emit, x, padding, emit.shape(weight)[2:], args["dilation"])
    options["padding"] = _both(padding, flat, 0)
    function = Function.CONV2D
    if args.get("transposed"):
        function = Function.CONV_TRANSPOSE2D
        options["output_padding"] = _both(args["output_padding"], flat, 0)
    if flat:
        x, weight = _with_row(emit, x), _with_row(emit, weight)
    result = emit.call(function, x, weight, *_given(bias), groups=args["groups"], **options)
    return view(emit, result, args["shape of result"])


def _both(value: int | Sequence[int], flat: bool, rest: int) -> tuple[int, int]:
    """Of height and width; `rest` along the only row of a signal."""
    pair = pair_of(value)
    return (rest, pair[-1]) if flat else pair


def _with_row(emit: Emitter, x: Operand) -> Operand:
    shape = emit.shape(x)
    row = view(emit, x, (*shape[:-1], 1, shape[-1]))
    return emit.derived(x, row, "row") if isinstance(x, Tensor) and isinstance(row, Tensor) else row


def _padded_by_name(
    emit: Emitter, x: Operand, name: str, kernel: Sequence[int], dilation: int | Sequence[int]
) -> tuple[Operand, Sequence[int]]:
    """ "valid" or "same", which may need one more on the right: the picture, and what padding is left to do."""
    rates = [dilation] * len(kernel) if isinstance(dilation, int) else list(dilation) * (len(kernel) // len(dilation))
    total = [rate * (size - 1) if name == "same" else 0 for rate, size in zip(rates, kernel, strict=True)]
    low = [size // 2 for size in total]
    if all(size % 2 == 0 for size in total):
        return x, low
    outer = len(emit.shape(x)) - len(total)
    sizes = [(0, 0)] * outer + [(before, size - before) for before, size in zip(low, total, strict=True)]
    return padded(emit, x, sizes, 0.0), [0] * len(total)


def transposed_convolution(emit: Emitter, args: Arguments) -> Operand:
    return convolution(emit, {**args, "transposed": True})


def attention(emit: Emitter, args: Arguments) -> Operand:
    """softmax(scale q k^T + mask) v: one call, which a fused kernel runs."""
    if args["dropout_p"]:
        raise BadGraph(f"attention with dropout {args['dropout_p']} is not supported: call eval() on the module first")
    query, key, value = args["query"], args["key"], args["value"]
    if args.get("enable_gqa"):
        key, value = (_repeated(emit, x, emit.shape(query)[-3]) for x in (key, value))
    rank = max(len(emit.shape(x)) for x in (query, key, value))
    query, key, value = (ranked(emit, x, rank) for x in (query, key, value))
    width = emit.shape(query)[-1]
    scale = width**-0.5 if args["scale"] is None else args["scale"]
    mask, causal = args["attn_mask"], bool(args["is_causal"])
    if causal:
        mask = torch.ones(emit.shape(query)[-2], emit.shape(key)[-2], dtype=torch.bool).tril()
    elif mask is not None:
        mask = _mask(emit, mask, emit.dtype(query), rank)
    return emit.call(Function.SDPA, query, key, value, *_given(mask), causal=int(causal), scale=f32_bits(scale))


def _mask(emit: Emitter, mask: Operand, dtype: torch.dtype, rank: int) -> Operand:
    if emit.dtype(mask) is not torch.bool:
        mask = cast(emit, mask, dtype)
    return mask if isinstance(mask, Tensor) and mask.dim() == 2 else ranked(emit, mask, rank)


def _repeated(emit: Emitter, x: Operand, heads: int) -> Operand:
    """Each head as often as the queries' heads need it."""
    *outer, own, length, width = emit.shape(x)
    if own == heads:
        return x
    wide = view(emit, x, (*outer, own, 1, length, width))
    return view(emit, expanded(emit, wide, (*outer, own, heads // own, length, width)), (*outer, heads, length, width))


_CONVOLUTIONS = ("conv1d.default", "conv2d.default", "conv1d.padding", "conv2d.padding", "convolution.default")
_TRANSPOSED = ("conv_transpose1d.default", "conv_transpose2d.input")
HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}.default": matmul for name in ("matmul", "mm", "bmm", "mv", "dot")},
    **{f"aten.{name}.default": addmm for name in ("addmm", "addmv", "baddbmm")},
    **{f"aten.{name}": convolution for name in _CONVOLUTIONS},
    **{f"aten.{name}": transposed_convolution for name in _TRANSPOSED},
    "aten.linear.default": linear,
    "aten.bilinear.default": bilinear,
    "aten.outer.default": outer,
    "aten.ger.default": outer,
    "aten.scaled_dot_product_attention.default": attention,
}
