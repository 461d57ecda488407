"""Operators that go along a row: products of all, running products and extremes.

By halves and by doubling steps, so that a row of K takes log K of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from executor.aten.common import axis_of, cast, joined, moved, rows_of, sliced, view
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function


def product(emit: Emitter, args: Arguments) -> Operand:
    """Over one dimension, or over all."""
    x = cast(emit, args["self"], args["dtype of result"])
    rank = len(emit.shape(x))
    dims = [axis_of(args["dim"], rank)] if args.get("dim") is not None else range(rank)
    row = rows_of(emit, x, list(dims))
    dim = len(emit.shape(row)) - 1
    while (size := emit.shape(row)[dim]) > 1:
        half = size // 2
        low, high = sliced(emit, row, dim, slice(0, half)), sliced(emit, row, dim, slice(half, 2 * half))
        parts: list[Operand] = [emit.call(Function.MUL, low, high)]
        if size % 2:
            parts.append(sliced(emit, row, dim, slice(size - 1, size)))
        row = joined(emit, parts, dim)
    return view(emit, row, args["shape of result"])


Join = Callable[[Emitter, Operand, Operand], Operand]


def by(function: Function) -> Join:
    return lambda emit, later, earlier: emit.call(function, later, earlier)


def log_of_both(emit: Emitter, a: Operand, b: Operand) -> Operand:
    """log(e^a + e^b), which never overflows."""
    apart = emit.call(Function.ABS, emit.call(Function.SUB, a, b))
    rest = emit.call(Function.LOG1P, emit.call(Function.EXP, emit.call(Function.NEG, apart)))
    return emit.call(Function.ADD, emit.call(Function.MAXIMUM, a, b), rest)


def running(join: Join, emit: Emitter, args: Arguments) -> Operand:
    """Each element joined with all before it."""
    x = cast(emit, args["self"], args["dtype of result"])
    rank = len(emit.shape(x))
    dim = axis_of(args["dim"], rank)
    row = moved(emit, x, dim, rank - 1)
    size, step = emit.shape(row)[-1], 1
    while step < size:
        earlier = sliced(emit, row, rank - 1, slice(0, size - step))
        later = sliced(emit, row, rank - 1, slice(step, size))
        first = sliced(emit, row, rank - 1, slice(0, step))
        row = joined(emit, [first, join(emit, later, earlier)], rank - 1)
        step *= 2
    return moved(emit, row, rank - 1, dim)


HANDLERS: dict[str, Handler] = {
    **{f"aten.prod.{kind}": product for kind in ("default", "dim_int")},
    "aten.cumprod.default": partial(running, by(Function.MUL)),
    "aten.cummax.default": partial(running, by(Function.MAXIMUM)),
    "aten.cummin.default": partial(running, by(Function.MINIMUM)),
    "aten.logcumsumexp.default": partial(running, log_of_both),
}
