"""ATen's movement operators as calls of a program: nothing is computed, elements change their places."""

from __future__ import annotations

from collections.abc import Sequence

from executor.emitter import Arguments, Emitter, Handler
from rollup.call import Function, Ref
from rollup.errors import BadGraph


def axis_of(dim: int, rank: int) -> int:
    return dim + rank if dim < 0 else dim


def view(emit: Emitter, x: Ref, shape: Sequence[int]) -> Ref:
    return emit.call(Function.VIEW, x, shape=shape)


def permuted(emit: Emitter, x: Ref, dims: Sequence[int]) -> Ref:
    return emit.call(Function.PERMUTE, x, dims=dims)


def reshape(emit: Emitter, args: Arguments) -> Ref:
    """Every change of shape that keeps the order of elements; ATen has inferred the result."""
    return view(emit, args["self"], args["shape of result"])


def permute(emit: Emitter, args: Arguments) -> Ref:
    rank = len(emit.shape(args["self"]))
    return permuted(emit, args["self"], [axis_of(dim, rank) for dim in args["dims"]])


def transpose(emit: Emitter, args: Arguments) -> Ref:
    rank = len(emit.shape(args["self"]))
    order = list(range(rank))
    first, second = (axis_of(dim, rank) for dim in (args.get("dim0", 0), args.get("dim1", rank - 1)))
    order[first], order[second] = order[second], order[first]
    return permuted(emit, args["self"], order)


def expand(emit: Emitter, args: Arguments) -> Ref:
    shape, x = args["shape of result"], args["self"]
    if len(shape) > len(emit.shape(x)):
        x = view(emit, x, (1,) * (len(shape) - len(emit.shape(x))) + emit.shape(x))
    return emit.call(Function.EXPAND, x, shape=shape)


def slice_(emit: Emitter, args: Arguments) -> Ref:
    shape = emit.shape(args["self"])
    dim = axis_of(args["dim"], len(shape))
    start, stop, _ = slice(args["start"], args["end"]).indices(shape[dim])
    options = {"dim": (dim,), "start": (start,), "stop": (stop,), "step": (args["step"],)}
    return emit.call(Function.SLICE, args["self"], **options)


def select(emit: Emitter, args: Arguments) -> Ref:
    shape = emit.shape(args["self"])
    dim = axis_of(args["dim"], len(shape))
    index = axis_of(args["index"], shape[dim])
    options = {"dim": (dim,), "start": (index,), "stop": (index + 1,), "step": (1,)}
    return view(emit, emit.call(Function.SLICE, args["self"], **options), args["shape of result"])


def cat(emit: Emitter, args: Arguments) -> Ref:
    tensors = args["tensors"]
    return emit.call(Function.CAT, *tensors, dim=(axis_of(args["dim"], len(emit.shape(tensors[0]))),))


def same(_: Emitter, args: Arguments) -> Ref:
    """Copies, and dropout, which does nothing in evaluation."""
    if args.get("train"):
        raise BadGraph("dropout in training mode is not supported: call eval() on the module first")
    ref = args.get("self", args.get("input"))
    assert isinstance(ref, Ref)
    return ref


MOVEMENT: dict[str, Handler] = {
    "aten.permute.default": permute,
    "aten.transpose.int": transpose,
    "aten.t.default": transpose,
    "aten.expand.default": expand,
    "aten.slice.Tensor": slice_,
    "aten.select.int": select,
    "aten.cat.default": cat,
    **dict.fromkeys(
        (
            "aten.view.default",
            "aten.reshape.default",
            "aten._unsafe_view.default",
            "aten.flatten.using_ints",
            "aten.unflatten.int",
            "aten.squeeze.default",
            "aten.squeeze.dim",
            "aten.squeeze.dims",
            "aten.unsqueeze.default",
        ),
        reshape,
    ),
    **dict.fromkeys(
        (
            "aten.clone.default",
            "aten.contiguous.default",
            "aten.detach.default",
            "aten.alias.default",
            "aten.lift_fresh_copy.default",
            "aten.dropout.default",
        ),
        same,
    ),
}
