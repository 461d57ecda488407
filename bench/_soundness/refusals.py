"""Settings by which a process computes with less than the profile promises: a runner refuses, or switches them off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from executor.runner import Unfit, profile

_BACKENDS: Any = torch.backends
# Which NNPACK setting holds, torch tells in no other place.
_NATIVE: Any = torch._C


def refusals() -> dict[str, bool]:
    """By setting: whether no f32 run takes place under it."""
    return {name: _is_refused(setting) for name, setting in SETTINGS.items()}


def _is_refused(setting: Callable[[], Any]) -> bool:
    with setting():
        try:
            with profile():
                return not _is_lax()
        except Unfit:
            return True


def _is_lax() -> bool:
    """Whether convolutions may still be Winograd's or in TF32."""
    winograd: bool = _NATIVE._get_nnpack_enabled()
    return winograd or bool(_BACKENDS.cudnn.enabled and _BACKENDS.cudnn.allow_tf32)


@contextmanager
def _attribute(holder: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _winograd() -> Iterator[None]:
    _BACKENDS.nnpack.set_flags(True)
    yield


@contextmanager
def _precision(name: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


SETTINGS: dict[str, Callable[[], Any]] = {
    "tf32 matmul": lambda: _attribute(_BACKENDS.cuda.matmul, "fp32_precision", "tf32"),
    "tf32 everywhere": lambda: _attribute(_BACKENDS, "fp32_precision", "tf32"),
    "bf16 convolution": lambda: _attribute(_BACKENDS.mkldnn.conv, "fp32_precision", "bf16"),
    "matmul precision medium": lambda: _precision("medium"),
    "winograd": _winograd,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "f64 by default": lambda: _default(torch.float64),
    "sums in f16": lambda: _attribute(_BACKENDS.cuda.matmul, "allow_fp16_accumulation", True),
}
