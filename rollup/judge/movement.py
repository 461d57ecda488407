"""Strided, cat and patches: equal bits, for every dtype; two NaNs acquit (PROTOCOL.md, 5)."""

from __future__ import annotations

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import Layout, Run, dot, require, require_product, unravel
from rollup.tensor import DType

PATCHES_ATTRIBUTES = 16
# Bits of +Inf, sign cleared, by floating dtype: what is above is NaN.
_INFINITIES = {DType.F32: (0x7FFFFFFF, 0x7F800000), DType.F16: (0x7FFF, 0x7C00), DType.BF16: (0x7FFF, 0x7F80)}


def find_case(case: Case) -> Finding:
    """Judges one moved element; only patches reads something that is not opened: its fill."""
    source = case.operand(1) if len(case.values) > 1 else case.step.attributes[0]
    return find_moved(case.value, source, case.dtype)


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
    return _moved(step, Run(1, step.attributes[0] + dot(index, step.attributes[1 + step.rank :]), 1))


def _cat(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) >= 1, 1 + len(step.operands))
    inner, *lengths = step.attributes
    if min(inner, *lengths) < 1 or step.result.elements % (sum(lengths) * inner):
        raise BadGraph(f"lengths {lengths} times {inner} do not divide {step.result.elements}")
    outer, place = divmod(element // inner, sum(lengths))
    for operand, length in enumerate(lengths):
        if place < length:
            return _moved(step, Run(1 + operand, (outer * length + place) * inner + element % inner, 1))
        place -= length
    raise AssertionError("a remainder is below the sum of the lengths")


def _patches(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) == 1, PATCHES_ATTRIBUTES)
    fill, n, c, h, w, groups, kh, kw, sh, sw, ph, pw, dh, dw, oh, ow = step.attributes
    if min(n, c, h, w, groups, kh, kw, sh, sw, dh, dw, oh, ow) < 1 or min(fill, ph, pw) < 0 or c % groups:
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
    row = window // ow * sh - ph + kernel // kw % kh * dh
    column = window % ow * sw - pw + kernel % kw * dw
    if not (0 <= row < h and 0 <= column < w):
        # Outside the picture the fill is read, for which nothing needs to be opened.
        if step.result.dtype is not DType.F32:
            raise BadGraph(f"the fill of patches is a f32, not a {step.result.dtype.name}")
        return ()
    return _moved(step, Run(1, ((picture * c + channel) * h + row) * w + column, 1))


def _moved(step: Step, source: Run) -> tuple[Run, ...]:
    if step.operands[source.slot - 1].spec.dtype is not step.result.dtype:
        raise BadGraph(f"{step.op.name} does not change the dtype")
    return (source,)


def _operator(op: Op, layout: Layout, operands: str, formula: str) -> Operator:
    bound = "equal bits, two NaNs excepted"
    return Operator(op, Family.STEP, layout, operands, formula, bound, "nothing is computed", find_case)


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
        Layout("fill, N, C, H, W, groups, kH, kW, sH, sW, pH, pW, dH, dW, oH, oW", _patches),
        "a",
        "result `[N, groups, oH·oW, C/groups·kH·kW]`; `a[n, c, y·sH − pH + i·dH, x·sW − pW + j·dW]`, "
        "outside the picture the f32 with bits `fill`",
    ),
)
