"""Rows to steps: reductions of any width, softmax. Rows that are too wide are cut into blocks, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import MAX_ROW, Axes, Builder, Lower, Rows, blocks, derived, joined
from rollup.tensor import TensorSpec


class Precision(IntEnum):
    """How exact a sum is: as kernels compute it, or as only derived steps do (PROTOCOL.md, section 5)."""

    KERNEL = 0
    DERIVED = 1


class Finish(IntEnum):
    """What a spread does last."""

    NONE = 0
    SQRT = 1
    RSQRT = 2


@dataclass(frozen=True)
class Spread:
    """Attributes of a spread but for its row: (sum / divisor + eps), finished."""

    divisor: int
    finish: Finish
    precision: Precision
    eps: int = 0


def rows_of(x: Operand) -> Rows:
    """The last dimension."""
    length = x.spec.shape[-1]
    return Rows(x, x.spec.elements // length, length)


def amax(builder: Builder, rows: Rows, result: TensorSpec) -> Operand:
    if rows.length <= MAX_ROW:
        return builder.step(Op.AMAX, result, [rows.x], Axes((rows.length,)))

    def one(part: Rows, pieces: int) -> Operand:
        return amax(builder, part, TensorSpec(result.dtype, (rows.count, pieces)))

    return amax(builder, _blockwise(builder, rows, one), result)


def total(builder: Builder, rows: Rows, result: TensorSpec, divisor: int, precision: Precision) -> Operand:
    """Sum over `divisor`."""
    if rows.length <= MAX_ROW:
        return builder.step(Op.SUM, result, [rows.x], Axes((rows.length, divisor, precision)))

    def one(part: Rows, pieces: int) -> Operand:
        return total(builder, part, derived(rows.count, pieces), 1, Precision.DERIVED)

    return total(builder, _blockwise(builder, rows, one), result, divisor, Precision.DERIVED)


def spread_of(builder: Builder, rows: Rows, mean: Operand | None, result: TensorSpec, spread: Spread) -> Operand:
    """Sum of (x - mean)^2 over the divisor, plus eps, finished; `mean` has an element a row, or is zero."""
    if rows.length <= MAX_ROW:
        operands = [rows.x] if mean is None else [rows.x, mean]
        attributes = (rows.length, spread.divisor, spread.eps, spread.finish, spread.precision)
        return builder.step(Op.SPREAD, result, operands, Axes(attributes))

    def one(part: Rows, pieces: int) -> Operand:
        plain = Spread(1, Finish.NONE, Precision.DERIVED)
        means = None if mean is None else _repeated(builder, mean, rows.count, pieces)
        return spread_of(builder, part, means, derived(rows.count, pieces), plain)

    return _finished(builder, _blockwise(builder, rows, one), result, spread)


def _finished(builder: Builder, squares: Rows, result: TensorSpec, spread: Spread) -> Operand:
    """What a spread does after its sum, in steps of their own."""
    count = squares.count
    last = spread.finish is Finish.NONE and spread.eps == 0
    value = total(builder, squares, result if last else derived(count), spread.divisor, Precision.DERIVED)
    if spread.eps:
        eps = builder.full(derived(1), spread.eps)
        spec = result if spread.finish is Finish.NONE else derived(count)
        value = builder.step(Op.ADD, spec, [value, eps], Axes((count, 1, 0), 1))
    if spread.finish is Finish.NONE:
        return value
    return builder.step(Op.SQRT if spread.finish is Finish.SQRT else Op.RSQRT, result, [value])


def expsum(builder: Builder, rows: Rows, most: Operand) -> Operand:
    """Sum of e^(x - most), an element a row."""
    if rows.length <= MAX_ROW:
        return builder.step(Op.EXPSUM, derived(rows.count), [rows.x, most], Axes((rows.length, Precision.DERIVED)))

    def one(part: Rows, pieces: int) -> Operand:
        return expsum(builder, part, _repeated(builder, most, rows.count, pieces))

    return total(builder, _blockwise(builder, rows, one), derived(rows.count), 1, Precision.DERIVED)


def _blockwise(builder: Builder, rows: Rows, one: Callable[[Rows, int], Operand]) -> Rows:
    """What `one` makes of each block, as rows; it takes blocks of one length and how many of them a row has."""
    return joined(builder, [one(part, pieces) for part, pieces in blocks(builder, rows, MAX_ROW)], rows.count)


def _repeated(builder: Builder, x: Operand, count: int, times: int) -> Operand:
    """Each of `count` elements `times` times."""
    return builder.strided(x, TensorSpec(x.spec.dtype, (count, times)), (1, 0))


def _softmax(op: Op) -> Lower:
    def lower_softmax(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
        rows = rows_of(operands[0])
        most = amax(builder, rows, TensorSpec(result.dtype, (rows.count,)))
        scale = expsum(builder, rows, most)
        attributes = (rows.count, rows.length, *(rows.length, 1), *(1, 0), *(1, 0), rows.length)
        builder.step(op, result, [rows.x, most, scale], Axes(attributes, 2))
        return True

    return lower_softmax


def _amax(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    amax(builder, rows_of(operands[0]), result)
    return True


def _argmax(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    # Two elements are read of a row, however wide.
    builder.step(Op.ARGMAX, result, operands, Axes((operands[0].spec.shape[-1],)))
    return True


def _sum(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = rows_of(operands[0])
    divisor = rows.length if call.function is Function.MEAN else 1
    total(builder, rows, result, divisor, Precision.KERNEL)
    return rows.length <= MAX_ROW


def _variance(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = rows_of(operands[0])
    mean = total(builder, rows, derived(rows.count), rows.length, Precision.DERIVED)
    finish = Finish.SQRT if call.function is Function.STD else Finish.NONE
    spread = Spread(rows.length - call.number("correction"), finish, Precision.KERNEL)
    spread_of(builder, rows, mean, result, spread)
    return rows.length <= MAX_ROW


def _vector_norm(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = rows_of(operands[0])
    spread_of(builder, rows, None, result, Spread(1, Finish.SQRT, Precision.KERNEL))
    return rows.length <= MAX_ROW


RULES: Mapping[Function, Lower] = {
    Function.SOFTMAX: _softmax(Op.SOFTMAX),
    Function.LOG_SOFTMAX: _softmax(Op.LOG_SOFTMAX),
    Function.AMAX: _amax,
    Function.ARGMAX: _argmax,
    Function.SUM: _sum,
    Function.MEAN: _sum,
    Function.VAR: _variance,
    Function.STD: _variance,
    Function.VECTOR_NORM: _vector_norm,
}
