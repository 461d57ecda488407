"""Scaled dot-product attention in primitive calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollup.call import Call, Function, Ref, f32_bits
from rollup.expansion.writer import Expand, Writer
from rollup.tensor import DType

# What masks out: finite, so that a trace stays finite, and so low that its exponential beside any score's is 0. Added
# to a score it does not overflow.
MASKED = -(2.0**127)


def _sdpa(writer: Writer, call: Call, operands: Sequence[Ref]) -> Ref:
    query, key, value, *mask = operands
    scores = writer.call(Function.MATMUL, query, writer.swapped(key))
    scores = writer.scaled(scores, call.real("scale"))
    for ref in mask:
        scores = _masked(writer, scores, ref)
    return writer.call(Function.MATMUL, writer.call(Function.SOFTMAX, scores), value)


def _masked(writer: Writer, scores: Ref, mask: Ref) -> Ref:
    if writer.value(mask).dtype is DType.BOOL:
        return writer.call(Function.WHERE, mask, scores, writer.constant(MASKED))
    finite = writer.call(Function.CLAMP, mask, low=f32_bits(MASKED), high=f32_bits(float("inf")))
    return writer.call(Function.ADD, scores, finite)


RULES: Mapping[Function, Expand] = {Function.SDPA: _sdpa}
