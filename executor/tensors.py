"""Between torch tensors and canonical bytes: big-endian, row-major, and nothing else."""

from __future__ import annotations

from math import isfinite

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
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
# Elements that are compared at once.
_COMPARED = 2**14
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


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors on the CPU hold the same bytes in the same order, whatever their shapes. NaN equals its own
    bits."""
    if a.dtype is not b.dtype or a.numel() != b.numel():
        return False
    # Of two shapes, one has to be laid out as the other; numpy compares several times as fast as torch.
    first = a if a.shape == b.shape else a.reshape(b.shape)
    return np.array_equal(bits_of(first).numpy(), bits_of(b).numpy())


def has_bytes(tensor: Tensor, data: bytes) -> bool:
    """Whether `data` are the canonical bytes of a tensor on the CPU. NaN equals its own bits."""
    bits = bits_of(tensor.contiguous()).numpy().reshape(-1)
    if bits.nbytes != len(data):
        return False
    order = bits.dtype.newbyteorder(">")
    # By blocks that stay in a processor's cache from when they are turned round until they are compared.
    blocks = range(0, bits.size, _COMPARED)
    return all(
        data.startswith(bits[start : start + _COMPARED].astype(order, copy=False).data, start * bits.itemsize)
        for start in blocks
    )


def bits_of(tensor: Tensor) -> Tensor:
    """The same memory as integers of the same width."""
    return tensor.view(_WORDS[tensor.element_size()])


def is_true(mask: Tensor) -> bool:
    """Whether all of a bool tensor holds; torch's own `all` takes twenty times as long."""
    # What is said of one place along an axis that was only expanded is said of all.
    once = tuple(slice(None) if stride else slice(1) for stride in mask.stride())
    return bool(mask[once].view(torch.uint8).amin())


def is_finite(tensor: Tensor) -> bool:
    """Whether no element is NaN or infinite; integers never are."""
    if not tensor.is_floating_point():
        return True
    # No sum that has such a term is finite.
    return isfinite(tensor.sum().item()) or is_true(tensor.isfinite())


def f32_of_bits(bits: int) -> float:
    """Value of a registered band."""
    return float(np.array(bits, dtype=np.uint32).view(np.float32))


def bits_of_f32_above(value: float) -> int:
    """Bits of the least f32 that is not below `value`, for a band that must not shrink."""
    rounded = np.float32(value)
    if float(rounded) < value:
        rounded = np.nextafter(rounded, np.float32(np.inf), dtype=np.float32)
    return int(rounded.view(np.uint32))
