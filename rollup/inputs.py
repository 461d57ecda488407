"""Inline inputs of a request: lengths, ranges and roots, as ModelRegistry.commitInputs sees them; without torch.

Knows nothing of requests. What is refused here would be logged empty on chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rollup.errors import BadInput
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import BundleRoot, InputSpec

_F32_SIGN = 2**31


def split_inputs(specs: Sequence[InputSpec], data: bytes) -> list[Tensor]:
    """The input tensors whose canonical bytes stand one after another in `data`, each inside its range.

    Raises BadInput for a wrong length, and for the first element that is out of range, which every NaN is.
    """
    shapes = [TensorSpec.from_header(spec.header) for spec in specs]
    expected = sum(shape.byte_length for shape in shapes)
    if len(data) != expected:
        raise BadInput(f"inputs have {len(data)} bytes, the model takes {expected}")
    tensors, start, first = [], 0, 0
    for spec, shape in zip(specs, shapes, strict=True):
        tensors.append(Tensor(shape, data[start : start + shape.byte_length]))
        _require_within(spec, tensors[-1], first)
        start, first = start + shape.byte_length, first + shape.elements
    return tensors


def inputs_root(tensors: Sequence[Tensor]) -> BundleRoot:
    return Bundle([tensor.root for tensor in tensors]).root


def first_outside(spec: InputSpec, tensor: Tensor) -> int | None:
    """Flat index of the first element of an input that is out of its range, as every NaN is; None if none is."""
    return _first_outside(spec, tensor.spec.dtype, tensor.data)


def is_within(spec: InputSpec, dtype: DType, element: bytes) -> bool:
    """Whether one element, canonical bytes, lies in an input's range."""
    return _first_outside(spec, dtype, element) is None


def _first_outside(spec: InputSpec, dtype: DType, data: bytes) -> int | None:
    values = _ordered(dtype, np.frombuffer(data, _RAW[dtype]))
    least, greatest = (int(_ordered(dtype, np.array([end], np.int64))[0]) for end in (spec.lo, spec.hi))
    outside = np.flatnonzero((values < least) | (values > greatest))
    return int(outside[0]) if outside.size else None


def _require_within(spec: InputSpec, tensor: Tensor, first: int) -> None:
    place, dtype = first_outside(spec, tensor), tensor.spec.dtype
    if place is not None:
        shown = np.frombuffer(tensor.data, dtype.numpy)[place]
        lo, hi = _shown(dtype, spec.lo), _shown(dtype, spec.hi)
        raise BadInput(f"input element {first + place} is {shown}, outside {lo} to {hi}")


# Bits of the dtypes that ranges exist for, big-endian.
_RAW = {DType.F32: ">u4", DType.I64: ">i8", DType.I32: ">i4", DType.U8: "u1", DType.BOOL: "u1"}


def _ordered(dtype: DType, raw: Any) -> Any:
    """Integers that are ordered as the elements are; the bits of a f32 order as sign and magnitude."""
    values = raw.astype(np.int64)
    return np.where(values < _F32_SIGN, values, _F32_SIGN - values) if dtype is DType.F32 else values


def _shown(dtype: DType, end: int) -> object:
    return np.array([end], np.uint32).view(np.float32)[0] if dtype is DType.F32 else end
