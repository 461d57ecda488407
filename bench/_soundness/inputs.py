"""Inputs that honest hardware finds hard: what every harness run is fed with, kind by kind.

Floats are crafted; integers (tokens, labels) are only made flat, since any other could mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

UNIT_ROUNDOFF = 2.0**-24
SHIFT = 1000.0


def _natural(x: Tensor, _: torch.Generator) -> Tensor:
    return x


def _denormal(x: Tensor, generator: torch.Generator) -> Tensor:
    """Magnitudes spread from the smallest subnormal to well above the smallest normal."""
    exponents = torch.randint(-149, -100, x.shape, generator=generator).double()
    return (torch.sign(x.double() - x.double().mean()) * 2.0**exponents * (1 + x.double().abs() % 1)).to(x.dtype)


def _large(x: Tensor, generator: torch.Generator) -> Tensor:
    """Magnitudes spread over twenty powers of ten, up to where products of two nearly overflow."""
    return x * 10.0 ** (torch.rand(x.shape, generator=generator) * 20 - 2)


def _flat(x: Tensor, generator: torch.Generator) -> Tensor:
    """One value everywhere, that f32 cannot hold exactly when scaled: every term of a sum is rounded the same way."""
    return torch.full_like(x, float(torch.rand((), generator=generator)) + 0.1)


def _shifted(x: Tensor, _: torch.Generator) -> Tensor:
    """A mean a thousand times the deviation."""
    spread = x.std() if x.numel() > 1 else torch.ones(())
    return (x - x.mean()) / spread.clamp(min=1e-30) + SHIFT


def _ordered(x: Tensor, generator: torch.Generator) -> Tensor:
    """Against the order of summation: a one, then what a sum that has reached one rounds away, term by term."""
    small = UNIT_ROUNDOFF * (0.5 + 0.5 * torch.rand(x.shape, generator=generator))
    small[..., 0] = 1.0
    return small.to(x.dtype)


def _cancelling(x: Tensor, generator: torch.Generator) -> Tensor:
    """Neighbours that cancel but for a part in a million: the sum is far smaller than what is summed."""
    signs = torch.ones(x.shape[-1])
    signs[1::2] = -1.0
    base = x.flatten()[0].abs() + 0.3
    return (base * signs * (1 + 1e-6 * torch.rand(x.shape, generator=generator))).to(x.dtype)


KINDS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "natural": _natural,
    "denormal": _denormal,
    "large": _large,
    "flat": _flat,
    "shifted": _shifted,
    "ordered": _ordered,
    "cancelling": _cancelling,
}


def crafted(kind: str, x: Tensor, seed: int) -> Tensor:
    """`x`, or what takes its place, in its shape and dtype."""
    if kind == "flat" and not x.is_floating_point() and x.numel():
        return x.flatten()[0].expand(x.shape).contiguous()
    if not x.is_floating_point() or kind == "natural":
        return x
    return KINDS[kind](x, torch.Generator().manual_seed(seed)).contiguous()
