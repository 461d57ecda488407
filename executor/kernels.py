"""What no torch function does in one call: functions of a program as straight code takes them, arguments in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def variance(x: Tensor, correction: int, keepdim: bool) -> Tensor:
    return torch.var(x, -1, correction=correction, keepdim=keepdim)


def deviation(x: Tensor, correction: int, keepdim: bool) -> Tensor:
    return torch.std(x, -1, correction=correction, keepdim=keepdim)


def gelu_by_tanh(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


def cat_of_batch(tensors: Sequence[Tensor], dim: int, axis: int, outer: int) -> Tensor:
    """Side by side along `dim`. Dimension `axis` holds the requests, as [outer, N, rest]; what does not depend on a
    request is repeated for each of them.
    """
    size = max(tensor.shape[axis] for tensor in tensors)
    wide = [tensor if tensor.shape[axis] == size else _repeated(tensor, axis, outer, size) for tensor in tensors]
    return torch.cat(wide, dim)


def _repeated(tensor: Tensor, axis: int, outer: int, size: int) -> Tensor:
    before, own, after = tensor.shape[:axis], tensor.shape[axis], tensor.shape[axis + 1 :]
    alone = tensor.reshape(*before, outer, 1, own // outer, *after)
    return alone.expand(*before, outer, size // own, own // outer, *after).reshape(*before, size, *after)


def filled(shape: Sequence[int], fill: float, dtype: torch.dtype) -> Tensor:
    return torch.full(tuple(shape), fill, dtype=dtype)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool, scale: float) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, mask, 0.0, causal, scale=scale)


def recurrent(kernel: Any, states: int, operands: Sequence[Tensor], options: tuple[int, int, int]) -> Tensor:
    """A fused recurrent layer of sequences [N,T,I]; `options`: layers, both directions, packed."""
    layers, bidirectional, packed = options
    x, parameters = operands[0], list(operands[1 + states :])
    starts = [state.expand(x.shape[0], -1, -1).transpose(0, 1).contiguous() for state in operands[1 : 1 + states]]
    has_biases = len(parameters) == 4 * layers * (1 + bidirectional)
    start = starts if states == 2 else starts[0]
    result = kernel(x, start, parameters, has_biases, layers, 0.0, False, bool(bidirectional), True)
    output: Tensor = result[0]
    if not packed:
        return output
    return torch.cat([output.flatten(1), *(state.transpose(0, 1).flatten(1) for state in result[1:])], 1)
