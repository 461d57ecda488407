"""Each operator run literally by the table of PROTOCOL.md, 3, in numpy float32: slow, plain, and without the judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rollup.graph import Op, Step

Array = np.ndarray[Any, np.dtype[Any]]


def run_step(step: Step, operands: Sequence[Array]) -> Array:
    """The step's result, in its shape; operands as native-endian arrays of any shape."""
    flat = [np.ascontiguousarray(operand).reshape(-1) for operand in operands]
    result = _OPERATORS[step.op](step, flat)
    return np.asarray(result, np.int64 if step.op is Op.ARGMAX else flat[-1].dtype).reshape(step.result.shape)


def _contract(step: Step, operands: list[Array]) -> Array:
    length, index, (row_a, row_b, bias) = step.attributes[0], *_axes(step, 1, 3)
    a, b = operands[0].reshape(-1, length), operands[1].reshape(-1, length)
    result = np.array([_sum(a[i] * b[j]) for i, j in zip(row_a, row_b, strict=True)], np.float32)
    return result + (operands[2][bias] if len(operands) == 3 else np.zeros(len(index), np.float32))


def _sum(terms: Array) -> Any:
    """Term after term: a dot product's order is its kernel's, which differs by machine, and so would the vectors."""
    return np.add.accumulate(terms)[-1]


def _pair(step: Step, operands: list[Array]) -> Array:
    _, (place_a, place_b) = _axes(step, 0, 2)
    a, b = operands[0][place_a], operands[1][place_b]
    return np.asarray(a + b if step.op is Op.ADD else a * b)


def _relu(step: Step, operands: list[Array]) -> Array:
    return np.maximum(operands[0], np.float32(0))


def _rows(step: Step, operands: list[Array]) -> Array:
    rows = operands[0].reshape(-1, step.attributes[0])
    return np.asarray(rows.max(axis=1) if step.op is Op.AMAX else rows.argmax(axis=1))


def _strided(step: Step, operands: list[Array]) -> Array:
    _, (places,) = _axes(step, 1, 1)
    return np.asarray(operands[0][step.attributes[0] + places])


def _cat(step: Step, operands: list[Array]) -> Array:
    inner, *lengths = step.attributes
    blocks = [operand.reshape(-1, length, inner) for operand, length in zip(operands, lengths, strict=True)]
    return np.concatenate(blocks, axis=1)


def _patches(step: Step, operands: list[Array]) -> Array:
    fill, n, c, h, w, groups, kh, kw, sh, sw, ph, pw, dh, dw, oh, ow, uh, uw = step.attributes
    ground = np.array([fill], np.uint32).view(np.float32)[0] if operands[0].dtype == np.float32 else 0
    picture = operands[0].reshape(n, c, h, w)
    # Zeros between and after the picture's rows and columns, as far as any window reaches.
    high, wide = ((o - 1) * s + (k - 1) * d + 1 for o, s, k, d in ((oh, sh, kh, dh), (ow, sw, kw, dw)))
    ground_plan = np.full((n, c, max(high, ph + h * uh), max(wide, pw + w * uw)), ground, picture.dtype)
    ground_plan[:, :, ph : ph + h * uh : uh, pw : pw + w * uw : uw] = picture
    windows = [
        ground_plan[:, :, y * sh : y * sh + (kh - 1) * dh + 1 : dh, x * sw : x * sw + (kw - 1) * dw + 1 : dw]
        for y in range(oh)
        for x in range(ow)
    ]
    stacked = np.stack(windows, axis=1).reshape(n, oh * ow, groups, c // groups * kh * kw)
    return stacked.transpose(0, 2, 1, 3)


def _pad(step: Step, operands: list[Array]) -> Array:
    dims, sizes, low = (step.attributes[1 + part * step.rank :][: step.rank] for part in range(3))
    ground = np.array([step.attributes[0]], np.uint32).view(np.float32)[0]
    result = np.full(dims, ground, operands[0].dtype)
    for index, value in np.ndenumerate(operands[0].reshape(sizes)):
        place = tuple(np.add(index, low))
        if all(0 <= at < dim for at, dim in zip(place, dims, strict=True)):
            result[place] = value
    return result


def _gather(step: Step, operands: list[Array]) -> Array:
    _, (places, sources) = _axes(step, 0, 2)
    return np.asarray(operands[1][sources + operands[0][places] * step.attributes[-2]])


_OPERATORS = {
    Op.CONTRACT: _contract,
    Op.ADD: _pair,
    Op.MUL: _pair,
    Op.RELU: _relu,
    Op.AMAX: _rows,
    Op.ARGMAX: _rows,
    Op.STRIDED: _strided,
    Op.CAT: _cat,
    Op.PATCHES: _patches,
    Op.PAD: _pad,
    Op.GATHER: _gather,
}


def _axes(step: Step, before: int, operands: int) -> tuple[Array, list[Array]]:
    """Flat indices of the result, and for each operand the place `Σ iₐ·sₐ` of every element."""
    dims = step.attributes[before : before + step.rank]
    count = int(np.prod(dims, dtype=np.int64))
    grid = np.indices(dims).reshape(step.rank, count) if step.rank else np.zeros((0, 1), np.int64)
    strides = [step.attributes[before + (1 + i) * step.rank :][: step.rank] for i in range(operands)]
    return np.arange(count), [np.array(s, np.int64) @ grid if step.rank else np.zeros(1, np.int64) for s in strides]
