"""Norms to steps: mean and reciprocal deviation of each row are derived, the last step is the kernel's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import Axes, Builder, Lower, Rows, derived
from rollup.lowering.rows import Finish, Precision, Spread, rows_of, spread_of, total
from rollup.tensor import TensorSpec

# Which of the operands that a norm may leave out are there.
HAS_MEAN, HAS_GAIN, HAS_BIAS = 1, 2, 4


def _norm(
    builder: Builder,
    result: TensorSpec,
    dims: Sequence[int],
    read: Sequence[tuple[Operand, Sequence[int]] | None],
    terms: int,
) -> bool:
    """The last step. `read`: x, mean, deviation, gain, bias, each with its strides over `dims`, None if left out."""
    there = [pair for pair in read if pair is not None]
    masks = zip((read[1], read[3], read[4]), (HAS_MEAN, HAS_GAIN, HAS_BIAS), strict=True)
    presence = sum(mask for pair, mask in masks if pair is not None)
    strides = [stride for _, pair_strides in there for stride in pair_strides]
    attributes = (*dims, *strides, presence, terms)
    builder.step(Op.NORM, result, [operand for operand, _ in there], Axes(attributes, len(dims)))
    return True


def _weights(operands: Sequence[Operand], strides: Sequence[int]) -> list[tuple[Operand, Sequence[int]] | None]:
    """Gain and bias, or None for what is left out."""
    there: list[tuple[Operand, Sequence[int]] | None] = [(operand, strides) for operand in operands]
    return there + [None] * (2 - len(there))


def _statistics(builder: Builder, rows: Rows, eps: int) -> tuple[Operand, Operand]:
    """Mean and 1 / sqrt(variance + eps) of each row."""
    mean = total(builder, rows, derived(rows.count), rows.length, Precision.DERIVED)
    spread = Spread(rows.length, Finish.RSQRT, Precision.DERIVED, eps)
    return mean, spread_of(builder, rows, mean, derived(rows.count), spread)


def _layer_norm(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = rows_of(operands[0])
    mean, deviation = _statistics(builder, rows, call.number("eps"))
    read = [(rows.x, (rows.length, 1)), (mean, (1, 0)), (deviation, (1, 0)), *_weights(operands[1:], (0, 1))]
    return _norm(builder, result, (rows.count, rows.length), read, rows.length)


def _rms_norm(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    rows = rows_of(operands[0])
    spread = Spread(rows.length, Finish.RSQRT, Precision.DERIVED, call.number("eps"))
    deviation = spread_of(builder, rows, None, derived(rows.count), spread)
    read = [(rows.x, (rows.length, 1)), None, (deviation, (1, 0)), *_weights(operands[1:], (0, 1))]
    return _norm(builder, result, (rows.count, rows.length), read, rows.length)


def _group_norm(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    batch, channels, *rest = operands[0].spec.shape
    groups, size = call.number("groups"), prod(rest)
    inner = channels // groups
    rows = Rows(operands[0], batch * groups, inner * size)
    mean, deviation = _statistics(builder, rows, call.number("eps"))
    row = (groups, 1, 0, 0)
    x = (rows.x, (channels * size, inner * size, size, 1))
    read = [x, (mean, row), (deviation, row), *_weights(operands[1:], (0, inner, 1, 0))]
    return _norm(builder, result, (batch, groups, inner, size), read, rows.length)


def _batch_norm(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    # The variance is the kernel's; steps read its reciprocal deviation, a constant.
    x, mean, _variance, deviation, *weights = operands
    batch, channels, *rest = x.spec.shape
    size = prod(rest)
    channel = (0, 1, 0)
    read = [(x, (channels * size, size, 1)), (mean, channel), (deviation, channel), *_weights(weights, channel)]
    return _norm(builder, result, (batch, channels, size), read, 1)


RULES: Mapping[Function, Lower] = {
    Function.LAYER_NORM: _layer_norm,
    Function.RMS_NORM: _rms_norm,
    Function.GROUP_NORM: _group_norm,
    Function.BATCH_NORM: _batch_norm,
}
