"""Operators that make one element of many: sums, means, spreads, norms, the greatest and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from executor.aten.common import axis_of, cast, constant, moved, pairwise, rows_of, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph

_OF_FLOATS = frozenset({Function.AMAX, Function.ARGMAX})


def reduced(
    emit: Emitter,
    function: Function,
    x: Operand,
    dims: int | Sequence[int] | None,
    keepdim: bool,
    **options: int,
) -> Operand:
    """`function` over `dims` (all, if there are none), which go last and are merged first.

    Integers are compared as f32, which is exact below 2^24.
    """
    if function in _OF_FLOATS and not emit.dtype(x).is_floating_point:
        found = reduced(emit, function, cast(emit, x, torch.float32), dims, keepdim, **options)
        return found if function is Function.ARGMAX else cast(emit, found, emit.dtype(x))
    shape = emit.shape(x)
    rank = len(shape)
    wanted = [dims] if isinstance(dims, int) else list(dims or range(rank))
    axes = sorted({axis_of(dim, rank) for dim in wanted})
    kept = [axis for axis in range(rank) if axis not in axes]
    result_shape = [1 if axis in axes else shape[axis] for axis in range(rank) if keepdim or axis in kept]
    if axes == [rank - 1] and rank > 1:
        return emit.call(function, x, keepdim=int(keepdim), **options)
    # A dimension of one adds nothing to a row, and the leading one keeps requests apart.
    over = [axis for axis in axes if shape[axis] > 1] or axes[-1:]
    if len(over) == rank:
        x, over = view(emit, x, (1, *shape)), [axis + 1 for axis in over]
    return view(emit, emit.call(function, rows_of(emit, x, over), keepdim=0, **options), result_shape)


def simple(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """sum, mean, amax: over the dimensions in `dim`, in the dtype of the result."""
    x = args["self"]
    if args.get("dtype") is not None:
        x = cast(emit, x, args["dtype"])
    return reduced(emit, function, x, args.get("dim"), bool(args.get("keepdim")))


def amin(emit: Emitter, args: Arguments) -> Operand:
    """-max(-x)."""
    greatest = reduced(
        emit, Function.AMAX, emit.call(Function.NEG, args["self"]), args.get("dim"), bool(args.get("keepdim"))
    )
    return emit.call(Function.NEG, greatest)


def argmax(emit: Emitter, args: Arguments) -> Operand:
    return _where_greatest(emit, args["self"], args["dim"], args["keepdim"])


def argmin(emit: Emitter, args: Arguments) -> Operand:
    return _where_greatest(emit, emit.call(Function.NEG, args["self"]), args["dim"], args["keepdim"])


def _where_greatest(emit: Emitter, x: Operand, dim: int | None, keepdim: bool) -> Operand:
    return reduced(emit, Function.ARGMAX, x, dim, keepdim)


def max_dim(emit: Emitter, args: Arguments) -> tuple[Operand, Operand]:
    """The greatest, and an index of it."""
    x, dim, keepdim = args["self"], args["dim"], args["keepdim"]
    return reduced(emit, Function.AMAX, x, dim, keepdim), _where_greatest(emit, x, dim, keepdim)


def min_dim(emit: Emitter, args: Arguments) -> tuple[Operand, Operand]:
    negated = {**args, "self": emit.call(Function.NEG, args["self"])}
    greatest, place = max_dim(emit, negated)
    return emit.call(Function.NEG, greatest), place


def spread(function: Function, emit: Emitter, args: Arguments) -> Operand:
    """var, std."""
    return reduced(
        emit, function, args["self"], args.get("dim"), bool(args.get("keepdim")), correction=_correction(args)
    )


def spread_and_mean(function: Function, emit: Emitter, args: Arguments) -> tuple[Operand, Operand]:
    keepdim = bool(args.get("keepdim"))
    return spread(function, emit, args), reduced(emit, Function.MEAN, args["self"], args.get("dim"), keepdim)


def _correction(args: Arguments) -> int:
    if "unbiased" in args:
        return int(args["unbiased"])
    correction = args.get("correction")
    if correction is None:
        return 1
    if correction != int(correction):
        raise BadGraph(f"a correction of {correction} is not supported, only whole ones")
    return int(correction)


def norm(emit: Emitter, args: Arguments) -> Operand:
    """Of vectors: the 2-norm is one call, the others are made of sums, powers and maxima."""
    order = args.get("ord", args.get("p"))
    order = 2.0 if order is None else float(order)
    x = cast(emit, args["self"], args["dtype of result"])
    dims, keepdim = args.get("dim"), bool(args.get("keepdim"))
    if order == 2.0:
        return reduced(emit, Function.VECTOR_NORM, x, dims, keepdim)
    size = emit.call(Function.ABS, x)
    if order == float("inf"):
        return reduced(emit, Function.AMAX, size, dims, keepdim)
    if order == 1.0:
        return reduced(emit, Function.SUM, size, dims, keepdim)
    if order <= 0:
        raise BadGraph(f"a norm of order {order} is not supported")
    powers = pairwise(emit, Function.POW, size, constant(order, emit.dtype(x)))
    total = reduced(emit, Function.SUM, powers, dims, keepdim)
    return pairwise(emit, Function.POW, total, constant(1 / order, emit.dtype(x)))


def distances(emit: Emitter, args: Arguments) -> Operand:
    """cdist: the norm of the difference of each row of one with each row of the other."""
    a, b = args["x1"], args["x2"]
    (*outer_a, rows_a, width), (*outer_b, rows_b, _) = emit.shape(a), emit.shape(b)
    apart = pairwise(
        emit,
        Function.SUB,
        view(emit, a, (*outer_a, rows_a, 1, width)),
        view(emit, b, (*outer_b, 1, rows_b, width)),
    )
    return norm(emit, {**args, "self": apart, "dim": [-1]})


def logsumexp(emit: Emitter, args: Arguments) -> Operand:
    return reduced(emit, Function.LOGSUMEXP, args["self"], args["dim"], args["keepdim"])


def cumsum(emit: Emitter, args: Arguments) -> Operand:
    """A product with a triangle of ones."""
    x = cast(emit, args["self"], args["dtype of result"])
    rank = len(emit.shape(x))
    dim = axis_of(args["dim"], rank)
    size = emit.shape(x)[dim]
    last = moved(emit, x, dim, rank - 1)
    return moved(emit, emit.call(Function.CUMSUM, last, torch.ones(size, size).tril()), rank - 1, dim)


def any_(emit: Emitter, args: Arguments) -> Operand:
    """Whether one is not zero: the greatest of zeros and ones is above zero."""
    truth = cast(emit, cast(emit, args["self"], torch.bool), torch.float32)
    greatest = reduced(emit, Function.AMAX, truth, args.get("dim"), bool(args.get("keepdim")))
    return cast(emit, greatest, torch.bool)


def all_(emit: Emitter, args: Arguments) -> Operand:
    zeros = emit.call(Function.LOGICAL_NOT, cast(emit, args["self"], torch.bool))
    return emit.call(Function.LOGICAL_NOT, any_(emit, {**args, "self": zeros}))


_SPREADS = (("var", Function.VAR), ("std", Function.STD))
HANDLERS: dict[str, Handler] = {
    **{f"aten.sum.{kind}": partial(simple, Function.SUM) for kind in ("default", "dim_IntList")},
    **{f"aten.mean.{kind}": partial(simple, Function.MEAN) for kind in ("default", "dim")},
    **{f"aten.{name}.default": partial(simple, Function.AMAX) for name in ("amax", "max")},
    **{f"aten.{name}.default": amin for name in ("amin", "min")},
    **{
        f"aten.{name}.{kind}": partial(spread, function)
        for name, function in _SPREADS
        for kind in ("default", "dim", "correction")
    },
    **{
        f"aten.{name}_mean.{kind}": partial(spread_and_mean, function)
        for name, function in _SPREADS
        for kind in ("default", "dim", "correction")
    },
    **{f"aten.norm.{kind}": norm for kind in ("Scalar", "ScalarOpt_dim", "ScalarOpt_dtype", "ScalarOpt_dim_dtype")},
    **{f"aten.any.{kind}": any_ for kind in ("default", "dim", "dims")},
    **{f"aten.all.{kind}": all_ for kind in ("default", "dim", "dims")},
    "aten.argmax.default": argmax,
    "aten.argmin.default": argmin,
    "aten.max.dim": max_dim,
    "aten.min.dim": min_dim,
    "aten.linalg_vector_norm.default": norm,
    **{f"aten.{name}.default": distances for name in ("cdist", "_cdist_forward")},
    "aten.logsumexp.default": logsumexp,
    "aten.cumsum.default": cumsum,
}
