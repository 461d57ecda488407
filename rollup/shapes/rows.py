"""Shapes of what reads whole rows: the last dimension, or the channels of a group."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from rollup.call import Call, Function
from rollup.shapes.made import (
    FLOATS,
    Flow,
    Made,
    Rule,
    Specs,
    along,
    apart,
    require,
    require_dtypes,
    require_flag,
    texts,
)
from rollup.tensor import DType, TensorSpec

_ANY = frozenset(DType)


def _across(specs: Specs) -> tuple[Flow, ...]:
    """Rows of the first operand are apart; the others are weights."""
    x, *weights = specs
    return (along(x, len(x.shape) - 1), *(apart(weight) for weight in weights))


def _require_rows(specs: Specs) -> None:
    require(len(specs[0].shape) >= 1, f"takes rows, got {texts(specs[:1])}")


def _softmax(_: Call, specs: Specs) -> Made:
    require_dtypes(specs, FLOATS)
    _require_rows(specs)
    return Made(specs[0], _across(specs))


def _reduction(allowed: frozenset[DType], result: DType | None = None) -> Rule:
    def rule(call: Call, specs: Specs) -> Made:
        require_dtypes(specs, allowed)
        _require_rows(specs)
        (x,) = specs
        shape = x.shape[:-1] + (1,) * require_flag(call, "keepdim")
        return Made(TensorSpec(result or x.dtype, shape), _across(specs))

    return rule


def _sum(call: Call, specs: Specs) -> Made:
    return _reduction(_ANY, None if specs[0].dtype in FLOATS else DType.I64)(call, specs)


def _variance(call: Call, specs: Specs) -> Made:
    made = _reduction(FLOATS)(call, specs)
    terms, correction = specs[0].shape[-1], call.number("correction")
    require(0 <= correction < terms, f"cannot divide by {terms} - {correction}")
    return made


def _layer_norm(call: Call, specs: Specs) -> Made:
    require_dtypes(specs, FLOATS)
    _require_rows(specs)
    _require_eps(call)
    x, *weights = specs
    _require_sizes(weights, x.shape[-1])
    return Made(x, _across(specs))


def _group_norm(call: Call, specs: Specs) -> Made:
    require_dtypes(specs, FLOATS)
    _require_eps(call)
    x, *weights = specs
    groups = call.number("groups")
    fits = len(x.shape) >= 2 and groups >= 1 and x.shape[1] % groups == 0
    require(fits, f"{groups} groups do not divide the channels of {texts([x])}")
    _require_sizes(weights, x.shape[1])
    return Made(x, (along(x, *range(1, len(x.shape))), *(apart(weight) for weight in weights)))


def _batch_norm(call: Call, specs: Specs) -> Made:
    require_dtypes(specs, FLOATS)
    _require_eps(call)
    x, *weights = specs
    require(len(x.shape) >= 2, f"takes [N,C,..], got {texts([x])}")
    _require_sizes(weights, x.shape[1])
    return Made(x, (along(x, 1), *(apart(weight) for weight in weights)))


def _require_eps(call: Call) -> None:
    eps = call.real("eps")
    require(isfinite(eps) and eps >= 0, f"eps is not negative, got {eps}")


def _require_sizes(weights: Specs, size: int) -> None:
    require(all(weight.shape == (size,) for weight in weights), f"takes weights of {size}, got {texts(weights)}")


RULES: Mapping[Function, Rule] = {
    Function.SOFTMAX: _softmax,
    Function.LOG_SOFTMAX: _softmax,
    Function.LAYER_NORM: _layer_norm,
    Function.RMS_NORM: _layer_norm,
    Function.GROUP_NORM: _group_norm,
    Function.BATCH_NORM: _batch_norm,
    Function.SUM: _sum,
    Function.MEAN: _reduction(FLOATS),
    Function.VAR: _variance,
    Function.STD: _variance,
    Function.VECTOR_NORM: _reduction(FLOATS),
    Function.AMAX: _reduction(FLOATS),
    Function.ARGMAX: _reduction(FLOATS, DType.I64),
    Function.LOGSUMEXP: _reduction(FLOATS),
}
