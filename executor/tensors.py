"""Between torch tensors and canonical bytes: big-endian, row-major, and nothing else."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rollup.errors import BadGraph
from rollup.tensor import DType, TensorSpec
from rollup.tensor import Tensor as Committed

_TORCH = {DType.F32: torch.float32, DType.I64: torch.int64, DType.I32: torch.int32, DType.U8: torch.uint8}
_DTYPES = {dtype: code for code, dtype in _TORCH.items()}


def spec_of(tensor: Tensor) -> TensorSpec:
    """Raises BadGraph for a dtype that no profile takes."""
    if tensor.dtype not in _DTYPES:
        raise BadGraph(f"{tensor.dtype} is none of {sorted(str(dtype) for dtype in _DTYPES)}")
    return TensorSpec(_DTYPES[tensor.dtype], tuple(tensor.shape))


def canonical_bytes(tensor: Tensor) -> bytes:
    """Big-endian bytes of a tensor, on whatever device it lies."""
    array = tensor.detach().cpu().contiguous().numpy()
    return array.astype(array.dtype.newbyteorder(">"), copy=False).tobytes()


def to_canonical(tensor: Tensor) -> Committed:
    return Committed(spec_of(tensor), canonical_bytes(tensor))


def from_bytes(spec: TensorSpec, data: bytes) -> Tensor:
    """Raises BadGraph for a dtype that no profile takes."""
    if spec.dtype not in _TORCH:
        raise BadGraph(f"{spec.dtype.name.lower()} is none of {sorted(code.name.lower() for code in _TORCH)}")
    array = np.frombuffer(data, dtype=spec.dtype.numpy)
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=True)).reshape(spec.shape)


def from_canonical(tensor: Committed) -> Tensor:
    return from_bytes(tensor.spec, tensor.data)


def f32_of_bits(bits: int) -> float:
    """Value of a registered band."""
    return float(np.array(bits, dtype=np.uint32).view(np.float32))


def bits_of_f32_above(value: float) -> int:
    """Bits of the least f32 that is not below `value`, for a band that must not shrink."""
    rounded = np.float32(value)
    if float(rounded) < value:
        rounded = np.nextafter(rounded, np.float32(np.inf), dtype=np.float32)
    return int(rounded.view(np.uint32))
