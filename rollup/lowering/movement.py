"""Movement to steps: one each; a constant may need an operand made first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from rollup.call import Call, Function
from rollup.graph import Op, Operand
from rollup.lowering.builder import Axes, Builder, Lower, spread, strides_of
from rollup.tensor import TensorSpec


def _view(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    builder.strided(operands[0], result, (1,), (result.elements,))
    return True


def _permute(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    strides = strides_of(operands[0].spec.shape)
    builder.strided(operands[0], result, [strides[dim] for dim in call.option("dims")])
    return True


def _expand(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    builder.strided(operands[0], result, spread(operands[0].spec.shape, result.shape))
    return True


def _slice(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    strides = list(strides_of(operands[0].spec.shape))
    dim = call.number("dim")
    offset = call.number("start") * strides[dim]
    strides[dim] *= call.number("step")
    builder.strided(operands[0], result, strides, offset=offset)
    return True


def _flip(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    strides = list(strides_of(result.shape))
    offset = 0
    for dim in call.option("dims"):
        offset += (result.shape[dim] - 1) * strides[dim]
        strides[dim] = -strides[dim]
    builder.strided(operands[0], result, strides, offset=offset)
    return True


def _cat(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    dim = call.number("dim")
    lengths = [operand.spec.shape[dim] for operand in operands]
    builder.step(Op.CAT, result, operands, Axes((prod(result.shape[dim + 1 :]), *lengths)))
    return True


def _pad(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    sizes = operands[0].spec.shape
    attributes = (call.number("fill"), *result.shape, *sizes, *call.option("low"))
    builder.step(Op.PAD, result, operands, Axes(attributes, len(sizes)))
    return True


def _full(builder: Builder, call: Call, _: Sequence[Operand], result: TensorSpec) -> bool:
    builder.full(result, call.number("fill"))
    return True


def _embedding(builder: Builder, _: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    index, table = operands
    rows, width = table.spec.shape
    attributes = (index.spec.elements, width, *(1, 0), *(0, 1), width, rows)
    builder.step(Op.GATHER, result, operands, Axes(attributes, 2))
    return True


def _index_select(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    x, dim = operands[0].spec.shape, call.number("dim")
    outer, inner = prod(x[:dim]), prod(x[dim + 1 :])
    attributes = (outer, result.shape[dim], inner, *(0, 1, 0), *(x[dim] * inner, 0, 1), inner, x[dim])
    builder.step(Op.GATHER, result, operands[::-1], Axes(attributes, 3))
    return True


def _gather(builder: Builder, call: Call, operands: Sequence[Operand], result: TensorSpec) -> bool:
    x, dim = operands[0].spec.shape, call.number("dim")
    strides = list(strides_of(x))
    along, strides[dim] = strides[dim], 0
    attributes = (*result.shape, *strides_of(result.shape), *strides, along, x[dim])
    builder.step(Op.GATHER, result, operands[::-1], Axes(attributes, len(x)))
    return True


RULES: Mapping[Function, Lower] = {
    Function.VIEW: _view,
    Function.PERMUTE: _permute,
    Function.EXPAND: _expand,
    Function.SLICE: _slice,
    Function.CAT: _cat,
    Function.FLIP: _flip,
    Function.PAD: _pad,
    Function.FULL: _full,
    Function.EMBEDDING: _embedding,
    Function.INDEX_SELECT: _index_select,
    Function.GATHER: _gather,
}
