"""Shapes of what computes nothing: elements change their places."""

from __future__ import annotations

from collections.abc import Mapping

from rollup.call import Call, Function
from rollup.shapes.made import (
    Made,
    Rule,
    Specs,
    along,
    apart,
    dtype_of,
    require,
    require_axis,
    require_element,
    require_index,
    texts,
)
from rollup.tensor import TensorSpec


def _view(call: Call, specs: Specs) -> Made:
    (x,) = specs
    result = TensorSpec(x.dtype, call.option("shape"))
    require(result.elements == x.elements, f"cannot view {x.shape} as {result.shape}")
    # places.py counts elements instead of following dimensions.
    return Made(result, (apart(x),))


def _permute(call: Call, specs: Specs) -> Made:
    (x,) = specs
    dims = call.option("dims")
    require(sorted(dims) == list(range(len(x.shape))), f"{dims} does not order the dimensions of {x.shape}")
    flow = tuple(dims.index(axis) for axis in range(len(dims)))
    return Made(TensorSpec(x.dtype, tuple(x.shape[dim] for dim in dims)), (flow,))


def _expand(call: Call, specs: Specs) -> Made:
    (x,) = specs
    shape = call.option("shape")
    fits = len(shape) == len(x.shape) and all(old in (new, 1) for old, new in zip(x.shape, shape, strict=True))
    require(fits, f"cannot expand {x.shape} to {shape}")
    return Made(TensorSpec(x.dtype, shape), (along(x),))


def _slice(call: Call, specs: Specs) -> Made:
    (x,) = specs
    dim, start, stop, step = (call.number(name) for name in ("dim", "start", "stop", "step"))
    require_axis(dim, x)
    require(0 <= start < stop <= x.shape[dim] and step >= 1, f"cannot take {start}:{stop}:{step} of {x.shape[dim]}")
    return Made(_resized(x, dim, -(-(stop - start) // step)), (along(x, dim),))


def _cat(call: Call, specs: Specs) -> Made:
    first, dim = specs[0], call.number("dim")
    require_axis(dim, first)
    rest = [(spec.dtype, len(spec.shape), spec.shape[:dim], spec.shape[dim + 1 :]) for spec in specs]
    require(rest.count(rest[0]) == len(rest), f"cannot join {texts(specs)} along dimension {dim}, or dtypes differ")
    return Made(_resized(first, dim, sum(spec.shape[dim] for spec in specs)), tuple(along(spec, dim) for spec in specs))


def _flip(call: Call, specs: Specs) -> Made:
    (x,) = specs
    dims = call.option("dims")
    for dim in dims:
        require_axis(dim, x)
    require(len(set(dims)) == len(dims) >= 1, f"cannot turn round the dimensions {dims}")
    return Made(x, (along(x, *dims),))


def _pad(call: Call, specs: Specs) -> Made:
    (x,) = specs
    require_element(call.number("fill"), x.dtype)
    low, high = call.option("low"), call.option("high")
    require(len(low) == len(high) == len(x.shape), f"{low} and {high} do not pad every dimension of {x.shape}")
    shape = tuple(a + size + b for a, size, b in zip(low, x.shape, high, strict=True))
    require(min(shape, default=1) >= 1, f"{low} and {high} leave nothing of {x.shape}")
    padded = [axis for axis in range(len(shape)) if low[axis] or high[axis]]
    return Made(TensorSpec(x.dtype, shape), (along(x, *padded),))


def _embedding(_: Call, specs: Specs) -> Made:
    index, table = specs
    require_index(index)
    require(len(table.shape) == 2, f"takes a table [V,D], got {texts([table])}")
    return Made(TensorSpec(table.dtype, (*index.shape, table.shape[1])), (along(index), apart(table)))


def _index_select(call: Call, specs: Specs) -> Made:
    x, index = specs
    dim = call.number("dim")
    require_index(index)
    require_axis(dim, x)
    require(len(index.shape) == 1, f"takes an index of one dimension, got {texts([index])}")
    return Made(_resized(x, dim, index.shape[0]), (along(x, dim), (dim,)))


def _gather(call: Call, specs: Specs) -> Made:
    x, index = specs
    dim = call.number("dim")
    require_index(index)
    require_axis(dim, x)
    fits = len(index.shape) == len(x.shape) and _resized(x, dim, index.shape[dim]).shape == index.shape
    require(fits, f"takes an index that differs from {texts([x])} in dimension {dim} only, got {texts([index])}")
    return Made(TensorSpec(x.dtype, index.shape), (along(x, dim), along(index, dim)), broadcasts=False)


def _full(call: Call, _: Specs) -> Made:
    dtype = dtype_of(call.number("dtype"))
    require_element(call.number("fill"), dtype)
    return Made(TensorSpec(dtype, call.option("shape")), ())


def _resized(spec: TensorSpec, dim: int, size: int) -> TensorSpec:
    return TensorSpec(spec.dtype, (*spec.shape[:dim], size, *spec.shape[dim + 1 :]))


RULES: Mapping[Function, Rule] = {
    Function.VIEW: _view,
    Function.PERMUTE: _permute,
    Function.EXPAND: _expand,
    Function.SLICE: _slice,
    Function.CAT: _cat,
    Function.FLIP: _flip,
    Function.PAD: _pad,
    Function.EMBEDDING: _embedding,
    Function.INDEX_SELECT: _index_select,
    Function.GATHER: _gather,
    Function.FULL: _full,
}
