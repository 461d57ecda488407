"""Which elements a fault proof must open, for each operator: the one place that says it, for judge and prover.

A record that contradicts itself (dims that do not multiply up, an index outside an operand) raises BadGraph: nothing
can be proven about it. Knows no values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.tensor import DType

PATCHES_ATTRIBUTES = 16


@dataclass(frozen=True)
class Run:
    """`count` consecutive elements from `first` of the tensor in `slot` (0 the result, 1.. the operands)."""

    slot: int
    first: int
    count: int


def elements_needed(step: Step, element: int) -> tuple[Run, ...]:
    """The runs of a step fault's openings, in order; the first is the result's element itself.

    Raises BadGraph if the step's record contradicts itself at this element.
    """
    if not 0 <= element < step.result.elements:
        raise BadGraph(f"element {element} is outside a result of {step.result.elements}")
    runs = (Run(0, element, 1), *_RUNS[step.op](step, element))
    for run in runs[1:]:
        elements = step.operands[run.slot - 1].spec.elements
        if not (run.count >= 1 and run.first >= 0 and run.first + run.count <= elements):
            raise BadGraph(f"{run.count} elements from {run.first} are outside operand {run.slot} of {elements}")
    return runs


def elements_linked(step: Step, element: int) -> Run:
    """The run of a link fault's first opening: the traced element, or the row of logits under a label.

    Raises BadGraph if the last step's record contradicts itself at this element.
    """
    runs = elements_needed(step, element) if step.op is Op.ARGMAX else (Run(0, element, 1),)
    return runs[-1]


def _contract(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) in (2, 3), 1 + 4 * step.rank)
    _require_f32(step)
    length = step.attributes[0]
    index = _unravel(step, step.attributes[1 : 1 + step.rank], element)
    row_a, row_b, bias = (_dot(index, step.attributes[1 + (axis + 1) * step.rank :]) for axis in range(3))
    rows = (Run(1, row_a * length, length), Run(2, row_b * length, length))
    return (*rows, Run(3, bias, 1)) if len(step.operands) == 3 else rows


def _pair(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) == 2, 3 * step.rank)
    _require_f32(step)
    index = _unravel(step, step.attributes[: step.rank], element)
    return tuple(Run(1 + side, _dot(index, step.attributes[(1 + side) * step.rank :]), 1) for side in range(2))


def _relu(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) == 1, 0)
    _require_f32(step)
    return _row(step, element, 1)


def _amax(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) == 1, 1)
    _require_f32(step)
    return _row(step, element, step.attributes[0])


def _argmax(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) == 1, 1)
    if step.result.dtype is not DType.I64 or step.operands[0].spec.dtype is not DType.F32:
        raise BadGraph("argmax takes f32 and gives i64")
    return _row(step, element, step.attributes[0])


def _row(step: Step, element: int, length: int) -> tuple[Run, ...]:
    """Row `element` of an operand that is all rows of `length`."""
    if length < 1 or step.result.elements * length != step.operands[0].spec.elements:
        raise BadGraph(f"rows of {length} do not make {step.operands[0].spec.elements} elements")
    return (Run(1, element * length, length),)


def _strided(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) == 1, 1 + 2 * step.rank)
    index = _unravel(step, step.attributes[1 : 1 + step.rank], element)
    return _moved(step, Run(1, step.attributes[0] + _dot(index, step.attributes[1 + step.rank :]), 1))


def _cat(step: Step, element: int) -> tuple[Run, ...]:
    _require(step, len(step.operands) >= 1, 1 + len(step.operands))
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
    _require(step, len(step.operands) == 1, PATCHES_ATTRIBUTES)
    fill, n, c, h, w, groups, kh, kw, sh, sw, ph, pw, dh, dw, oh, ow = step.attributes
    if min(n, c, h, w, groups, kh, kw, sh, sw, dh, dw, oh, ow) < 1 or min(fill, ph, pw) < 0 or c % groups:
        raise BadGraph(f"patches cannot have the attributes {step.attributes}")
    if max(step.attributes) >= 2**32:
        raise BadGraph(f"{max(step.attributes)} is above what patches can have")
    _require_product(step, (n, c // groups, groups, kh, kw, oh, ow))
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


_RUNS: dict[Op, Callable[[Step, int], tuple[Run, ...]]] = {
    Op.CONTRACT: _contract,
    Op.ADD: _pair,
    Op.MUL: _pair,
    Op.RELU: _relu,
    Op.AMAX: _amax,
    Op.ARGMAX: _argmax,
    Op.STRIDED: _strided,
    Op.CAT: _cat,
    Op.PATCHES: _patches,
}


def _require(step: Step, operands_fit: bool, attributes: int) -> None:
    if not operands_fit or len(step.attributes) != attributes:
        raise BadGraph(
            f"{step.op.name} has {len(step.operands)} operands and {len(step.attributes)} attributes, not {attributes}"
        )


def _require_f32(step: Step) -> None:
    if any(spec.dtype is not DType.F32 for spec in (step.result, *(operand.spec for operand in step.operands))):
        raise BadGraph(f"{step.op.name} takes and gives f32")


def _require_product(step: Step, dims: Sequence[int]) -> None:
    if any(dim < 1 for dim in dims) or prod(dims) != step.result.elements:
        raise BadGraph(f"dims {tuple(dims)} do not multiply up to {step.result.elements}")


def _unravel(step: Step, dims: Sequence[int], element: int) -> list[int]:
    """Row-major index of `element` over `dims`."""
    _require_product(step, dims)
    index = []
    for dim in reversed(dims):
        element, place = divmod(element, dim)
        index.append(place)
    return index[::-1]


def _dot(index: Sequence[int], strides: Sequence[int]) -> int:
    """Sum of products over the axes of `index`; what `strides` holds beyond them belongs to the next operand."""
    return sum(place * stride for place, stride in zip(index, strides, strict=False))
