"""Between torch tensors and canonical bytes: big-endian, row-major, and nothing else."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rollup.errors import BadGraph
from rollup.tensor import DType, TensorSpec
from rollup.tensor import Tensor as Committed

_TORCH = {
    DType.F32: torch.float32,
    DType.F16: torch.float16,
    DType.BF16: torch.bfloat16,
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.U8: torch.uint8,
    DType.BOOL: torch.bool,
}
# What canonical bytes hold of them, for numpy has no bfloat16.
_BITS = {DType.F16: torch.int16, DType.BF16: torch.int16, DType.BOOL: torch.uint8}
_DTYPES = {dtype: code for code, dtype in _TORCH.items()}


def torch_dtype(dtype: DType) -> torch.dtype:
    return _TORCH[dtype]


def spec_of(tensor: Tensor) -> TensorSpec:
    """Raises BadGraph for a dtype that no profile takes."""
    if tensor.dtype not in _DTYPES:
        raise BadGraph(f"{tensor.dtype} is none of {sorted(str(dtype) for dtype in _DTYPES)}")
    return TensorSpec(_DTYPES[tensor.dtype], tuple(tensor.shape))


def canonical_bytes(tensor: Tensor) -> bytes:
    """Big-endian bytes of a tensor, on whatever device it lies. Raises BadGraph for a dtype that no profile takes."""
    bits = _BITS.get(spec_of(tensor).dtype)
    held = tensor.detach().cpu().contiguous()
    array = (held if bits is None else held.view(bits)).numpy()
    return array.astype(array.dtype.newbyteorder(">"), copy=False).tobytes()


def to_canonical(tensor: Tensor) -> Committed:
    return Committed(spec_of(tensor), canonical_bytes(tensor))


def from_bytes(spec: TensorSpec, data: bytes) -> Tensor:
    """The tensor of canonical bytes; a bool is any byte that is not zero."""
    array = np.frombuffer(data, dtype=spec.dtype.numpy)
    held = torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=True)).reshape(spec.shape)
    if spec.dtype is DType.BOOL:
        return held != 0
    return held.view(_TORCH[spec.dtype]) if spec.dtype in _BITS else held


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
