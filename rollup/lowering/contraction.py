"""Linear layers and products of matrices to steps; sums that are too long are cut into blocks and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import (
    MAX_CONTRACTION,
    Axes,
    Builder,
    Lower,
    Rows,
    blocks,
    derived,
    joined,
    spread,
    strides_of,
)
from rollup.lowering.rows import Precision, total
from rollup.tensor import DType, TensorSpec


@dataclass(frozen=True)
class Axis:
    """One axis of a contraction's result: its size, and the strides of a's rows, b's rows and the bias along it."""

    size: int
    a: int = 0
    b: int = 0
    bias: int = 0


def contract(
    builder: Builder, operands: Sequence[Operand], result: TensorSpec, terms: int, axes: Sequence[Axis]
) -> bool:
    """Products of rows of `terms` elements, and a bias if there are three operands. True if that is one step."""
    if terms <= MAX_CONTRACTION:
        _one(builder, operands, result, terms, axes)
        return True
    a, b, *bias = operands
    halves = [blocks(builder, Rows(x, x.spec.elements // terms, terms), MAX_CONTRACTION) for x in (a, b)]
    parts = []
    for (left, pieces), (right, _) in zip(*halves, strict=True):
        cut = [Axis(axis.size, axis.a * pieces, axis.b * pieces) for axis in axes]
        spec = derived(result.elements, pieces)
        parts.append(_one(builder, [left.x, right.x], spec, left.length, [*cut, Axis(pieces, 1, 1)]))
    rows = joined(builder, parts, result.elements)
    summed = total(builder, rows, derived(*result.shape) if bias else result, 1, Precision.DERIVED)
    if bias:
        dims = [axis.size for axis in axes]
        attributes = (*dims, *strides_of(dims), *(axis.bias for axis in axes))
        wide = [summed, builder.cast(bias[0], DType.F32)]
        added = builder.step(Op.ADD, derived(*result.shape), wide, Axes(attributes, len(dims)))
        builder.cast(added, result.dtype)
    return False


def _one(
    builder: Builder, operands: Sequence[Operand], result: TensorSpec, terms: int, axes: Sequence[Axis]
) -> Operand:
    strides = [[axis.a for axis in axes], [axis.b for axis in axes], [axis.bias for axis in axes]]
    if len(operands) == 2:
        strides[2] = [0] * len(axes)
    dims = [axis.size for axis in axes]
    attributes = (terms, *dims, *strides[0], *strides[1], *strides[2])
    return builder.step(Op.CONTRACT, result, operands, Axes(attributes, len(dims)))


def _linear(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    outputs, terms = operands[1].spec.shape
    rows = operands[0].spec.elements // terms
    return contract(builder, operands, result, terms, [Axis(rows, a=1), Axis(outputs, b=1, bias=1)])


def _matmul(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    a, b = operands
    *outer, rows, columns = result.shape
    terms = a.spec.shape[-1]
    left, right = ([stride // terms for stride in strides] for strides in _outer_strides(a, b, outer))
    axes = [Axis(size, left[place], right[place]) for place, size in enumerate(outer)]
    turned = _turned(builder, b)
    return contract(builder, [a, turned], result, terms, [*axes, Axis(rows, a=1), Axis(columns, b=1)])


def _outer_strides(a: Operand, b: Operand, outer: Sequence[int]) -> list[list[int]]:
    """Strides, in elements, of both operands along the dimensions before their matrices; 0 repeats."""
    wide = (*outer, 0, 0)
    return [list(spread(operand.spec.shape, wide)[:-2]) for operand in (a, b)]


def _turned(builder: Builder, b: Operand) -> Operand:
    """b with the axis that is summed innermost.

    Where b was made by turning just that way what it was made of, that is taken: nothing is moved twice.
    """
    *outer, terms, columns = b.spec.shape
    swapped = (*outer, columns, terms)
    strides = strides_of(b.spec.shape)
    step = builder.made_by(b)
    if step is not None and step.op is Op.STRIDED and step.rank >= 2:
        rank = step.rank
        dims, given = step.attributes[1 : 1 + rank], step.attributes[1 + rank :]
        back = (*given[:-2], given[-1], given[-2])
        whole = step.attributes[0] == 0 and dims == b.spec.shape and step.operands[0].spec.elements == b.spec.elements
        if whole and back == strides_of(swapped):
            return step.operands[0]
    return builder.strided(b, TensorSpec(b.spec.dtype, swapped), (*strides[:-2], strides[-1], strides[-2]))


RULES: Mapping[Function, Lower] = {
    Function.LINEAR: _linear,
    Function.MATMUL: _matmul,
}
