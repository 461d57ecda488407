"""Resized pictures and pools over counts in primitive calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollup.call import Call, Function, Ref
from rollup.expansion.writer import Expand, Writer


def _nearest(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    x, rows, columns = operands
    return writer.call(Function.INDEX_SELECT, writer.call(Function.INDEX_SELECT, x, rows, dim=2), columns, dim=3)


def _interpolated(writer: Writer, _: Call, operands: Sequence[Ref]) -> Ref:
    """Width first, then height: each a product with a constant matrix."""
    x, rows, columns = operands
    wide = writer.swapped(writer.call(Function.LINEAR, x, columns))
    return writer.swapped(writer.call(Function.LINEAR, wide, rows))


def _avg_pool2d(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    x, counts = operands
    return writer.call(Function.DIV, writer.copy(replace(call, operands=(x,))), counts)


RULES: Mapping[Function, Expand] = {
    Function.UPSAMPLE_NEAREST2D: _nearest,
    Function.UPSAMPLE_BILINEAR2D: _interpolated,
    Function.UPSAMPLE_BICUBIC2D: _interpolated,
    Function.AVG_POOL2D: _avg_pool2d,
}
