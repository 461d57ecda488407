"""Strided, cat, patches, pad and gather: equal bits, for every dtype; two NaNs acquit (PROTOCOL.md, 5)."""

from __future__ import annotations

from math import prod

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import FLOATS, LOOKED_UP, MOVED, Dtypes
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.judge.operator import Case, Family, Means, Operator, anything
from rollup.judge.reads import Layout, Run, Values, dot, require, require_product, unravel
from rollup.tensor import DType

PATCHES_ATTRIBUTES = 18
# Bits of +Inf, sign cleared, by floating dtype: what is above is NaN.
_INFINITIES = {DType.F32: (0x7FFFFFFF, 0x7F800000), DType.F16: (0x7FFF, 0x7C00), DType.BF16: (0x7FFF, 0x7F80)}


def find_case(case: Case) -> Finding:
    """Judges one moved element; patches and pad may read something that is not opened: their fill."""
    if len(case.values) == 1:
        return find_filled(case.value, case.step.attributes[0], case.dtype)
    return find_moved(case.value, case.operand(len(case.values) - 1), case.dtype)


def find_filled(value: int, fill: int, dtype: DType) -> Finding:
    """Judges one element outside the operand: `fill` is f32 bits, rounded to a floating dtype, or an integer."""
    if dtype not in FLOATS:
        return find_moved(value, fill % (1 << 8 * dtype.width), dtype)
    rounded = fill if floats.is_nan(fill) else floats.narrow(fill, dtype)
    return find_moved(floats.widen(value, dtype), rounded, DType.F32)


def find_moved(value: int, source: int, dtype: DType) -> Finding:
    """Judges one moved element; `value` and `source` are its bits."""
    if value == source or (_is_nan(value, dtype) and _is_nan(source, dtype)):
        return ACQUITTED
    return CERTAIN


def _is_nan(bits: int, dtype: DType) -> bool:
    if dtype not in _INFINITIES:
        return False
    mask, infinity = _INFINITIES[dtype]
    return bits & mask > infinity


def _strided(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 1, 1 + 2 * step.rank)
    index = unravel(step, step.attributes[1 : 1 + step.rank], element)
    return (Run(1, step.attributes[0] + dot(index, step.attributes[1 + step.rank :]), 1),)


def _cat(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) >= 1, 1 + len(step.operands))
    inner, *lengths = step.attributes
    if min(inner, *lengths) < 1 or step.result.elements % (sum(lengths) * inner):
        raise BadGraph(f"lengths {lengths} times {inner} do not divide {step.result.elements}")
    outer, place = divmod(element // inner, sum(lengths))
    for operand, length in enumerate(lengths):
        if place < length:
            return (Run(1 + operand, (outer * length + place) * inner + element % inner, 1),)
        place -= length
    raise AssertionError("a remainder is below the sum of the lengths")


def _patches(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 1, PATCHES_ATTRIBUTES)
    fill, n, c, h, w, groups, kh, kw, sh, sw, ph, pw, dh, dw, oh, ow, uh, uw = step.attributes
    if min(n, c, h, w, groups, kh, kw, sh, sw, dh, dw, oh, ow, uh, uw) < 1 or min(fill, ph, pw) < 0 or c % groups:
        raise BadGraph(f"patches cannot have the attributes {step.attributes}")
    if max(step.attributes) >= 2**32:
        raise BadGraph(f"{max(step.attributes)} is above what patches can have")
    require_product(step, (n, c // groups, groups, kh, kw, oh, ow))
    if n * c * h * w != step.operands[0].spec.elements:
        raise BadGraph(f"{n} x {c} x {h} x {w} is not a picture of {step.operands[0].spec.elements} elements")
    rest, kernel = divmod(element, c // groups * kh * kw)
    rest, window = divmod(rest, oh * ow)
    picture, group = divmod(rest, groups)
    channel = group * (c // groups) + kernel // (kh * kw)
    row, between_rows = divmod(window // ow * sh - ph + kernel // kw % kh * dh, uh)
    column, between_columns = divmod(window % ow * sw - pw + kernel % kw * dw, uw)
    if between_rows or between_columns or not (0 <= row < h and 0 <= column < w):
        return ()
    return (Run(1, ((picture * c + channel) * h + row) * w + column, 1),)


def _pad(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 1, 1 + 3 * step.rank)
    dims, sizes, low = (step.attributes[1 + part * step.rank : 1 + (part + 1) * step.rank] for part in range(3))
    index = unravel(step, dims, element)
    if min(sizes, default=1) < 1 or prod(sizes) != step.operands[0].spec.elements:
        raise BadGraph(f"sizes {sizes} do not multiply up to {step.operands[0].spec.elements}")
    first = 0
    for place, size, before in zip(index, sizes, low, strict=True):
        if not 0 <= place - before < size:
            return ()
        first = first * size + place - before
    return (Run(1, first, 1),)


def _gather(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 2, 3 * step.rank + 2)
    index = unravel(step, step.attributes[: step.rank], element)
    return (Run(1, dot(index, step.attributes[step.rank :]), 1),)


def _gathered(step: Step, element: int, values: Values, _hint: int) -> tuple[Run, ...]:
    """The data under the index that was opened. Raises BadGraph if that lies outside the looked-up axis."""
    stride, size = step.attributes[3 * step.rank :]
    sign = 1 << 8 * step.operands[0].spec.dtype.width - 1
    looked_up = (values[1][0] ^ sign) - sign
    if not 0 <= looked_up < size:
        raise BadGraph(f"index {looked_up} is outside an axis of {size}")
    index = unravel(step, step.attributes[: step.rank], element)
    return (Run(2, dot(index, step.attributes[2 * step.rank :]) + looked_up * stride, 1),)


def _is_fill(step: Step, _: tuple[int, ...]) -> bool:
    """Of floats, the bits of a f32."""
    return step.result.dtype not in FLOATS or 0 <= step.attributes[0] < 2**32


def _operator(
    op: Op, layout: Layout, operands: str, formula: str, dtypes: Dtypes = MOVED, means: Means = anything
) -> Operator:
    bound, source = "equal bits, two NaNs excepted", "nothing is computed"
    return Operator(op, Family.STEP, layout, dtypes, operands, formula, bound, source, find_case, means=means)


OPERATORS = (
    _operator(
        Op.STRIDED,
        Layout("offset, dims[r], sa[r]", _strided),
        "a",
        "`a[offset + Σ iₐ·sa]`: view, flatten, permute, expand, slice, flip",
    ),
    _operator(
        Op.CAT,
        Layout("inner, len₀ …", _cat),
        "a₀ …",
        "with `L = Σ len`: `o = e / (L·inner)`, `l = (e / inner) mod L` falls in operand j at `l'`; "
        "`aⱼ[(o·lenⱼ + l')·inner + e mod inner]`",
    ),
    _operator(
        Op.PATCHES,
        Layout("fill, N, C, H, W, groups, kH, kW, sH, sW, pH, pW, dH, dW, oH, oW, uH, uW", _patches),
        "a",
        "result `[N, groups, oH·oW, C/groups·kH·kW]`; `a[n, c, p / uH, q / uW]`, `p = y·sH − pH + i·dH`, "
        "`q = x·sW − pW + j·dW`; `fill` outside the picture and where `p mod uH` or `q mod uW` is not 0",
    ),
    _operator(
        Op.PAD,
        Layout("fill, dims[r], sizes[r], low[r]", _pad),
        "a",
        "`a` at the indices `iₐ − lowₐ`, if each lies in `0..sizeₐ`; else `fill`",
        means=_is_fill,
    ),
    _operator(
        Op.GATHER,
        Layout("dims[r], si[r], sa[r], stride, size", _gather, late=_gathered),
        "index, a",
        "with `j = index[Σ iₐ·si]`: `a[Σ iₐ·sa + j·stride]`; `j` outside `0..size` cannot be judged",
        LOOKED_UP,
        lambda step, _: step.attributes[-1] >= 1,
    ),
)
