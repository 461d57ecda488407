"""Sums that are more than one reduction, in primitive calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollup.call import Call, Function, Ref
from rollup.expansion.writer import Expand, Writer
from rollup.shapes.made import FLOATS
from rollup.tensor import DType


def _sum(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    """Of integers: counted in f32, which is exact below 2^24."""
    counted = writer.call(Function.SUM, writer.cast(operands[0], DType.F32), keepdim=call.number("keepdim"))
    return _whole(writer, counted)


def _cumsum(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    x, triangle = operands
    summed = writer.call(Function.LINEAR, writer.cast(x, DType.F32), triangle)
    return summed if writer.value(x).dtype in FLOATS else _whole(writer, summed)


def _whole(writer: Writer, counted: Ref) -> Ref:
    """As an integer. Rounded first: a sum a hair below one would be cut to the one before."""
    return writer.cast(writer.call(Function.ROUND, counted), DType.I64)


def _logsumexp(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    (x,) = operands
    most = writer.call(Function.AMAX, x, keepdim=1)
    powers = writer.call(Function.EXP, writer.call(Function.SUB, x, most))
    grown = writer.call(Function.LOG, writer.call(Function.SUM, powers, keepdim=1))
    result = writer.call(Function.ADD, most, grown)
    return result if call.number("keepdim") else writer.view(result, *writer.shape(x)[:-1])


RULES: Mapping[Function, Expand] = {
    Function.SUM: _sum,
    Function.CUMSUM: _cumsum,
    Function.LOGSUMEXP: _logsumexp,
}
