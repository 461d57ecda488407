"""Tensors as JSON: canonical bytes and, for small ones, their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from api.schemas import OutputJson, to_hex
from rollup.tensor import DType, Tensor, TensorSpec

# Values are decoded for tensors up to so many elements; inline outputs are always smaller.
MAX_VALUES = 1024


def output_state(spec: TensorSpec, output: bytes) -> OutputJson:
    """`output`: canonical bytes, the 32-byte root of a larger tensor, or empty where only the shape is told."""
    shape = OutputJson(dtype=spec.dtype.name.lower(), shape=list(spec.shape))
    if not output:
        return shape
    if len(output) != spec.byte_length:
        return shape.model_copy(update={"root": to_hex(output)})
    values = [number(value) for value in decoded(Tensor(spec, output))[:MAX_VALUES].tolist()]
    return shape.model_copy(update={"data": to_hex(output), "values": values})


def decoded(tensor: Tensor) -> Any:
    """Elements as a flat numpy array; bf16 widened to f32, which loses nothing."""
    raw = np.frombuffer(tensor.data, tensor.spec.dtype.numpy)
    if tensor.spec.dtype is DType.F16:
        return raw.view(">f2")
    if tensor.spec.dtype is DType.BF16:
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw


def number(value: float | int) -> float | int | str:
    if isinstance(value, int) or np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def f32(bits: int) -> float:
    return float(np.array([bits], np.uint32).view(np.float32)[0])
