"""Layouts: which elements of its operands one element of a step's result is made of (PROTOCOL.md, 3).

A layout says how attributes are laid out and what is read; operators share them. A record that contradicts itself
raises BadGraph. Knows no values, except where a layout's `late` reads depend on what was already opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from rollup.errors import BadGraph
from rollup.graph import MAX_ROW, Step


@dataclass(frozen=True)
class Run:
    """`count` consecutive elements from `first` of the tensor in `slot` (0 the result, 1.. the operands)."""

    slot: int
    first: int
    count: int


# Bit patterns of opened elements, one sequence per run; the result's own comes first.
Values = Sequence[Sequence[int]]
Reads = Callable[[Step, int], tuple[Run, ...]]
# (step, element, values opened so far, the proof's hint) -> what is opened after them.
LateReads = Callable[[Step, int, Values, int], tuple[Run, ...]]


@dataclass(frozen=True)
class Layout:
    """What an element reads. `attributes` is for people; the last `extras` attributes are the operator's own.

    `late` names runs that depend on the values of the first ones, or on the proof's hint; most layouts have none.
    """

    attributes: str
    reads: Reads
    extras: int = 0
    late: LateReads | None = None

    def extras_of(self, step: Step) -> tuple[int, ...]:
        """The operator's own attributes: what is left of them once the layout's are taken."""
        return step.attributes[len(step.attributes) - self.extras :]


def nary(least: int, extras: int = 0, most: int | None = None) -> Layout:
    """One element of each of `least` to `most` operands: dims[r], strides[r] of each operand, then extras."""
    most = least if most is None else most

    def reads(step: Step, element: int) -> tuple[Run, ...]:
        operands = len(step.operands)
        require(step, least <= operands <= most, (1 + operands) * step.rank + extras)
        index = unravel(step, step.attributes[: step.rank], element)
        return tuple(Run(slot, dot(index, step.attributes[slot * step.rank :]), 1) for slot in range(1, operands + 1))

    return Layout("dims[r], strides[r] of each operand", reads, extras)


def unary(extras: int = 0) -> Layout:
    """The element of the same place in an operand of as many elements."""

    def reads(step: Step, element: int) -> tuple[Run, ...]:
        require(step, len(step.operands) == 1, extras)
        return (row_of(step, element, 1),)

    return Layout("", reads, extras)


def rows(least: int = 1, most: int = 1, extras: int = 0) -> Layout:
    """Row `element` of an operand that is all rows of K, at most MAX_ROW; of a second operand, if any, its element."""

    def reads(step: Step, element: int) -> tuple[Run, ...]:
        operands = len(step.operands)
        require(step, least <= operands <= most, 1 + extras)
        if step.attributes[0] > MAX_ROW:
            raise BadGraph(f"a row of {step.attributes[0]} is too wide for one proof, at most {MAX_ROW}")
        row = row_of(step, element, step.attributes[0])
        if operands == 1:
            return (row,)
        if step.operands[1].spec.elements != step.result.elements:
            raise BadGraph(f"{step.operands[1].spec.elements} elements are not one for each of {step.result.elements}")
        return row, Run(2, element, 1)

    return Layout("K", reads, extras)


def row_of(step: Step, element: int, length: int) -> Run:
    """Row `element` of a first operand that is all rows of `length`."""
    if length < 1 or step.result.elements * length != step.operands[0].spec.elements:
        raise BadGraph(f"rows of {length} do not make {step.operands[0].spec.elements} elements")
    return Run(1, element * length, length)


def require(step: Step, operands_fit: bool, attributes: int) -> None:
    """Raises BadGraph unless the step has `attributes` attributes and operands that fit."""
    if not operands_fit or len(step.attributes) != attributes:
        raise BadGraph(
            f"{step.op.name} has {len(step.operands)} operands and {len(step.attributes)} attributes, not {attributes}"
        )


def require_product(step: Step, dims: Sequence[int]) -> None:
    """Raises BadGraph unless the dims multiply up to the elements of the result."""
    if any(dim < 1 for dim in dims) or prod(dims) != step.result.elements:
        raise BadGraph(f"dims {tuple(dims)} do not multiply up to {step.result.elements}")


def unravel(step: Step, dims: Sequence[int], element: int) -> list[int]:
    """Row-major index of `element` over `dims`."""
    require_product(step, dims)
    index = []
    for dim in reversed(dims):
        element, place = divmod(element, dim)
        index.append(place)
    return index[::-1]


def dot(index: Sequence[int], strides: Sequence[int]) -> int:
    """Sum of products over the axes of `index`; what `strides` holds beyond them belongs to the next operand."""
    return sum(place * stride for place, stride in zip(index, strides, strict=False))
