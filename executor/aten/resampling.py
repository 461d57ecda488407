"""Pictures made larger or smaller: padding of every mode, and upsampling.

Every way of upsampling is linear in each dimension: its weights are what PyTorch makes of unit pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from executor.aten.common import moved
from executor.emitter import Arguments, Emitter, Handler, Operand
from rollup.call import Function, f32_bits
from rollup.errors import BadGraph


def padded(emit: Emitter, x: Operand, sizes: Sequence[tuple[int, int]], fill: float) -> Operand:
    """`sizes`: how much is added before and after each dimension; negative ones crop."""
    bits = f32_bits(fill) if emit.dtype(x).is_floating_point else int(fill)
    low, high = [before for before, _ in sizes], [after for _, after in sizes]
    return emit.call(Function.PAD, x, fill=bits, low=low, high=high)


def pad(emit: Emitter, args: Arguments) -> Operand:
    """ATen lists the last dimension first."""
    x: Operand = args["self"]
    pairs: Sequence[int] = args["pad"] if "pad" in args else args["padding"]
    mode = args.get("mode", "constant")
    around = [(pairs[place], pairs[place + 1]) for place in range(0, len(pairs), 2)]
    sizes = [(0, 0)] * (len(emit.shape(x)) - len(around)) + around[::-1]
    if mode == "constant":
        return padded(emit, x, sizes, args.get("value") or 0.0)
    for dim, (before, after) in enumerate(sizes):
        if before or after:
            x = emit.call(Function.INDEX_SELECT, x, _border(emit.shape(x)[dim], before, after, mode), dim=dim)
    return x


def _border(size: int, before: int, after: int, mode: str) -> Tensor:
    """Which element stands at each place of a padded dimension."""
    places = torch.arange(-before, size + after)
    if mode == "replicate":
        return places.clamp(0, size - 1)
    if mode == "circular":
        return places % size
    if mode == "reflect":
        period = max(2 * (size - 1), 1)
        return size - 1 - (places % period - (size - 1)).abs()
    raise BadGraph(f"padding by {mode!r} is not supported")


def named_pad(mode: str, emit: Emitter, args: Arguments) -> Operand:
    return pad(emit, {**args, "mode": mode})


def upsample(mode: str, emit: Emitter, args: Arguments) -> Operand:
    """Of pictures [N,C,H,W], or of signals [N,C,L]."""
    x = args["self"] if "self" in args else args["input"]
    sizes, wanted = emit.shape(x)[2:], args["shape of result"][2:]
    corners = bool(args.get("align_corners"))
    scales = _scales(args, len(sizes))
    lengths = list(zip(sizes, wanted, strict=True))
    matrices = [_matrix(mode, *pair, corners, scale) for pair, scale in zip(lengths, scales, strict=True)]
    by_size = [_matrix(mode, *pair, corners, None) for pair in lengths]
    fused = all(torch.equal(*pair) for pair in zip(matrices, by_size, strict=True))
    if mode.startswith("nearest"):
        return _nearest(emit, x, [matrix.argmax(1) for matrix in matrices], mode, fused)
    if len(sizes) == 2 and mode in _FUSED and fused:
        return emit.call(_FUSED[mode], x, *matrices, corners=int(corners))
    # The kernel is told sizes only: other weights are applied one dimension at a time.
    x = emit.call(Function.LINEAR, x, matrices[-1])
    return x if len(sizes) == 1 else moved(emit, emit.call(Function.LINEAR, moved(emit, x, 2, 3), matrices[0]), 3, 2)


def _nearest(emit: Emitter, x: Operand, places: Sequence[Tensor], mode: str, fused: bool) -> Operand:
    """`places`: the element that stands at each place of each dimension."""
    if len(places) == 2 and fused:
        return emit.call(Function.UPSAMPLE_NEAREST2D, x, *places, exact=int(mode == "nearest-exact"))
    for dim, index in enumerate(places):
        x = emit.call(Function.INDEX_SELECT, x, index, dim=2 + dim)
    return x


_FUSED = {"bilinear": Function.UPSAMPLE_BILINEAR2D, "bicubic": Function.UPSAMPLE_BICUBIC2D}


def _scales(args: Arguments, count: int) -> Sequence[float | None]:
    """Factors along each dimension, where the module gave any."""
    if args.get("scale_factors"):
        return tuple(args["scale_factors"])
    return (args.get("scales"),) if count == 1 else (args.get("scales_h"), args.get("scales_w"))


def _matrix(mode: str, size: int, wanted: int, corners: bool, scale: float | None) -> Tensor:
    """Weights [wanted, size] along one dimension, from the kernel's own picture of each unit column."""
    # Two columns, for a kernel mistakes pictures of one for another layout of memory.
    units = torch.eye(size)[None, :, :, None].expand(1, size, size, 2).contiguous()
    factors = None if scale is None else [scale, 1.0]
    result = _KERNELS[mode](units, [wanted, 2], corners, factors)
    return result[0, :, :, 0].T.contiguous()


def _nearest_kernel(operator: Any, units: Tensor, sizes: list[int], _: bool, factors: list[float] | None) -> Tensor:
    result: Tensor = operator(units, sizes, *(factors or (None, None)))
    return result


def _smooth_kernel(
    operator: Any, units: Tensor, sizes: list[int], corners: bool, factors: list[float] | None
) -> Tensor:
    result: Tensor = operator(units, sizes, corners, *(factors or (None, None)))
    return result


_ATEN: Any = torch.ops.aten
_KERNELS = {
    "nearest": partial(_nearest_kernel, _ATEN.upsample_nearest2d.default),
    "nearest-exact": partial(_nearest_kernel, _ATEN._upsample_nearest_exact2d.default),
    "bilinear": partial(_smooth_kernel, _ATEN.upsample_bilinear2d.default),
    "bicubic": partial(_smooth_kernel, _ATEN.upsample_bicubic2d.default),
    "bilinear-aa": partial(_smooth_kernel, _ATEN._upsample_bilinear2d_aa.default),
    "bicubic-aa": partial(_smooth_kernel, _ATEN._upsample_bicubic2d_aa.default),
}


_MODES = {
    "upsample_nearest1d": "nearest",
    "upsample_nearest2d": "nearest",
    "_upsample_nearest_exact1d": "nearest-exact",
    "_upsample_nearest_exact2d": "nearest-exact",
    "upsample_linear1d": "bilinear",
    "upsample_bilinear2d": "bilinear",
    "upsample_bicubic2d": "bicubic",
    "_upsample_bilinear2d_aa": "bilinear-aa",
    "_upsample_bicubic2d_aa": "bicubic-aa",
}
HANDLERS: dict[str, Handler] = {
    **{f"aten.{name}.{kind}": partial(upsample, mode) for name, mode in _MODES.items() for kind in ("vec", "default")},
    **{f"aten.reflection_pad{n}d.default": partial(named_pad, "reflect") for n in (1, 2, 3)},
    **{f"aten.replication_pad{n}d.default": partial(named_pad, "replicate") for n in (1, 2, 3)},
    "aten.pad.default": pad,
    "aten.constant_pad_nd.default": pad,
}
