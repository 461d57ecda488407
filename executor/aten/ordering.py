"""Operators that put a row in order: sort, top-k, medians, places among boundaries.

An element's rank is how many of its row come before it, by comparison of all with all; of equals the first comes first.
Nothing is rounded, so what is judged of an order is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import torch
from torch import Tensor

from executor.aten.common import axis_of, cast, moved, pairwise, promoted, view
from executor.aten.common import operand as operand_of
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function
from rollup.errors import BadGraph

# Bools of one comparison of all with all.
MAX_PAIRS = 2**24


def require_pairs(what: str, count: int) -> None:
    """Raises BadGraph where a comparison of all with all is too large to keep."""
    if count > MAX_PAIRS:
        raise BadGraph(f"{what} by {count:,} comparisons is not supported, at most {MAX_PAIRS:,}")


def equal_places(emit: Emitter, index: Operand, size: int) -> Operand:
    """bool [.., size, n] of i64 [.., n]: whether the n-th entry names that place."""
    shape = emit.shape(index)
    require_pairs(f"a look-up of {shape} in {size} places", prod(shape) * size)
    row = view(emit, index, (*shape[:-1], 1, shape[-1]))
    return pairwise(emit, Function.EQ, row, torch.arange(size, dtype=emit.dtype(index))[:, None])


def _ranks(emit: Emitter, x: Operand, descending: bool) -> Operand:
    """i64 [.., K]: how many of the row come before each of its elements."""
    *outer, size = emit.shape(x)
    require_pairs(f"an order of rows of {size} elements", prod(outer) * size**2)
    own, others = view(emit, x, (*outer, size, 1)), view(emit, x, (*outer, 1, size))
    ahead = pairwise(emit, Function.GT if descending else Function.LT, others, own)
    first = pairwise(
        emit,
        Function.LOGICAL_AND,
        pairwise(emit, Function.EQ, others, own),
        torch.ones(size, size, dtype=torch.bool).tril(-1),
    )
    return emit.call(Function.SUM, pairwise(emit, Function.LOGICAL_OR, ahead, first), keepdim=0)


def _of_ranks(emit: Emitter, x: Operand, dim: int, wanted: Tensor, descending: bool) -> tuple[Operand, Operand]:
    """Elements of those ranks along `dim`, and where they stand."""
    rank = len(emit.shape(x))
    dim = axis_of(dim, rank)
    row = moved(emit, x, dim, rank - 1)
    ranks = _ranks(emit, row, descending)
    *outer, size = emit.shape(ranks)
    hits = pairwise(emit, Function.EQ, view(emit, ranks, (*outer, 1, size)), wanted[:, None])
    places = emit.call(Function.ARGMAX, cast(emit, hits, torch.float32), keepdim=0)
    values = emit.call(Function.GATHER, row, places, dim=rank - 1)
    return moved(emit, values, rank - 1, dim), moved(emit, places, rank - 1, dim)


def sort(emit: Emitter, args: Arguments) -> tuple[Operand, Operand]:
    x = args["self"]
    size = emit.shape(x)[axis_of(args["dim"], len(emit.shape(x)))]
    return _of_ranks(emit, x, args["dim"], torch.arange(size), bool(args["descending"]))


def topk(emit: Emitter, args: Arguments) -> tuple[Operand, Operand]:
    """In order, whether or not that was asked for."""
    return _of_ranks(emit, args["self"], args["dim"], torch.arange(args["k"]), bool(args["largest"]))


def kth(emit: Emitter, args: Arguments) -> tuple[Operand, ...]:
    return _one_of_rank(emit, args, args["k"] - 1)


def median(emit: Emitter, args: Arguments) -> tuple[Operand, ...]:
    """The lower one of two."""
    x = args["self"]
    return _one_of_rank(emit, args, (emit.shape(x)[axis_of(args["dim"], len(emit.shape(x)))] - 1) // 2)


def _one_of_rank(emit: Emitter, args: Arguments, rank: int) -> tuple[Operand, ...]:
    found = _of_ranks(emit, args["self"], args["dim"], torch.tensor([rank]), False)
    return tuple(view(emit, part, shape) for part, shape in zip(found, args["shapes of results"], strict=True))


def median_of_all(emit: Emitter, args: Arguments) -> Operand:
    x = args["self"]
    size = prod(emit.shape(x))
    found, _ = _of_ranks(emit, view(emit, x, (1, size)), 1, torch.tensor([(size - 1) // 2]), False)
    return view(emit, found, args["shape of result"])


def among(sequence: str, values: str, emit: Emitter, args: Arguments) -> Operand:
    """bucketize, searchsorted: how many boundaries lie below a value, or (`right`) not above it."""
    edges, x = args[sequence], args[values]
    right = bool(args["right"]) or args.get("side") == "right"
    if len(emit.shape(edges)) != 1 or args.get("sorter") is not None:
        raise BadGraph("searchsorted in boundaries of several rows, or in no order, is not supported")
    dtype = promoted(emit, edges, x)
    edges, x = operand_of(emit, edges, dtype), operand_of(emit, x, dtype)
    shape: Sequence[int] = emit.shape(x)
    require_pairs("a search", prod(shape) * emit.shape(edges)[0])
    below = pairwise(emit, Function.LE if right else Function.LT, edges, view(emit, x, (*shape, 1)))
    return view(emit, cast(emit, emit.call(Function.SUM, below, keepdim=0), args["dtype of result"]), shape)


HANDLERS: dict[str, Handler] = {
    **{f"aten.sort.{kind}": sort for kind in ("default", "stable")},
    "aten.topk.default": topk,
    "aten.kthvalue.default": kth,
    "aten.median.dim": median,
    "aten.median.default": median_of_all,
    "aten.bucketize.Tensor": partial(among, "boundaries", "self"),
    "aten.searchsorted.Tensor": partial(among, "sorted_sequence", "self"),
}
