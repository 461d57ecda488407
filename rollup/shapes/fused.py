"""Shapes of fused functions; those of recurrent ones stand in recurrent.py."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from rollup.call import Call, Function
from rollup.shapes.made import (
    FLOATS,
    Made,
    Rule,
    Specs,
    along,
    apart,
    broadcast,
    require,
    require_dtypes,
    require_flag,
    require_index,
    texts,
)
from rollup.tensor import DType, TensorSpec


def _sdpa(call: Call, specs: Specs) -> Made:
    query, key, value, *mask = specs
    require_dtypes(specs[:3], FLOATS)
    require(isfinite(call.real("scale")), f"a scale is finite, got {call.real('scale')}")
    require(
        min(len(spec.shape) for spec in specs[:3]) >= 2, f"takes [..,T,E], [..,S,E] and [..,S,V], got {texts(specs)}"
    )
    fits = query.shape[-1] == key.shape[-1] and key.shape[-2] == value.shape[-2]
    require(fits, f"takes [..,T,E], [..,S,E] and [..,S,V], got {texts(specs)}")
    outer = broadcast([spec.shape[:-2] for spec in specs[:3]])
    times, keys = query.shape[-2], key.shape[-2]
    _require_mask(call, query, mask, (*outer, times, keys))
    shape = (*outer, times, value.shape[-1])
    rank = len(shape)
    crossed = (
        (query, (len(query.shape) - 1,)),
        (key, (len(key.shape) - 2, len(key.shape) - 1)),
        (value, (len(value.shape) - 2,)),
        *((spec, (len(spec.shape) - 1,)) for spec in mask),
    )
    return Made(TensorSpec(query.dtype, shape), tuple(along(spec, *axes, result_rank=rank) for spec, axes in crossed))


def _require_mask(call: Call, query: TensorSpec, mask: Specs, scores: tuple[int, ...]) -> None:
    for spec in mask:
        require(
            spec.dtype in (DType.BOOL, query.dtype), f"takes a mask of bool or its own dtype, got {spec.dtype.name}"
        )
        fits = broadcast([spec.shape, scores]) == scores and len(spec.shape) >= 2
        require(fits, f"takes a mask that broadcasts to {list(scores)}, got {texts([spec])}")
    if require_flag(call, "causal"):
        fits = len(mask) == 1 and mask[0] == TensorSpec(DType.BOOL, scores[-2:])
        require(fits, f"takes the bool lower triangle {list(scores[-2:])} as its mask, got {texts(mask) or 'none'}")


def _nearest(call: Call, specs: Specs) -> Made:
    x, rows, columns = specs
    require_flag(call, "exact")
    fits = len(x.shape) == 4 and len(rows.shape) == len(columns.shape) == 1
    require(fits, f"takes [N,C,H,W] and two indices of one dimension, got {texts(specs)}")
    for index in (rows, columns):
        require_index(index)
    spec = TensorSpec(x.dtype, (*x.shape[:2], rows.shape[0], columns.shape[0]))
    return Made(spec, (along(x, 2, 3), apart(rows), apart(columns)))


def _interpolated(call: Call, specs: Specs) -> Made:
    x, rows, columns = specs
    require_dtypes(specs, FLOATS)
    require_flag(call, "corners")
    fits = len(x.shape) == 4 and len(rows.shape) == len(columns.shape) == 2
    fits = fits and (rows.shape[1], columns.shape[1]) == x.shape[2:]
    require(fits, f"takes [N,C,H,W], [oH,H] and [oW,W], got {texts(specs)}")
    spec = TensorSpec(x.dtype, (*x.shape[:2], rows.shape[0], columns.shape[0]))
    return Made(spec, (along(x, 2, 3), apart(rows), apart(columns)))


def _cumsum(_: Call, specs: Specs) -> Made:
    x, triangle = specs
    fits = len(x.shape) >= 1 and triangle == TensorSpec(DType.F32, (x.shape[-1], x.shape[-1]))
    require(fits, f"takes rows and a f32 triangle [K,K], got {texts(specs)}")
    dtype = x.dtype if x.dtype in FLOATS else DType.I64
    return Made(TensorSpec(dtype, x.shape), (along(x, len(x.shape) - 1), apart(triangle)))


def _activation(*options: str) -> Rule:
    """Floats element by element, with finite options."""

    def rule(call: Call, specs: Specs) -> Made:
        (x,) = specs
        require_dtypes(specs, FLOATS)
        for name in options:
            require(isfinite(call.real(name)), f"option {name} is finite, got {call.real(name)}")
        return Made(x, (along(x),))

    return rule


def _softplus(call: Call, specs: Specs) -> Made:
    require(call.real("beta") > 0, f"beta is above 0, got {call.real('beta')}")
    return _activation("beta", "threshold")(call, specs)


RULES: Mapping[Function, Rule] = {
    Function.SDPA: _sdpa,
    Function.UPSAMPLE_NEAREST2D: _nearest,
    Function.UPSAMPLE_BILINEAR2D: _interpolated,
    Function.UPSAMPLE_BICUBIC2D: _interpolated,
    Function.CUMSUM: _cumsum,
    **dict.fromkeys((Function.HARDSIGMOID, Function.HARDSWISH, Function.MISH, Function.LOG_SIGMOID), _activation()),
    Function.LEAKY_RELU: _activation("slope"),
    Function.ELU: _activation("alpha", "scale", "input_scale"),
    Function.SOFTPLUS: _softplus,
}
