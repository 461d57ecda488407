"""Where the requests of a batch lie in each result; None as soon as a call would mix them.

A place is followed through every call by the flows of its operands (made.py), and through views by counting elements.
Whatever is not certainly apart is mixed: such a program is run one request at a time, never wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from rollup.call import Call, Function, Place, Value
from rollup.shapes.made import Flow, Made


def place_of(call: Call, made: Made, operands: Sequence[Value]) -> Place | None:
    """Where requests lie in what `call` makes of operands of which at least one is batched."""
    if call.function is Function.VIEW:
        return _viewed(operands[0], made.spec.shape)
    flows = list(zip(operands, made.flows, strict=True))
    places = {_carried(value, flow, made) for value, flow in flows if value.batched}
    place = places.pop()
    if places or place is None:
        return None
    repeats = made.broadcasts or call.function is Function.CAT
    for value, flow in flows:
        if not value.batched and place.axis in flow:
            alike = value.shape[flow.index(place.axis)] == 1 or call.function is Function.CAT
            if not (repeats and alike):
                return None
    return place


def _carried(value: Value, flow: Flow, made: Made) -> Place | None:
    """Where the requests of one operand come to lie."""
    if value.place is None:
        return None
    axis = flow[value.place.axis]
    if axis is None or made.spec.shape[axis] != value.shape[value.place.axis]:
        return None
    return Place(axis, value.place.outer)


def _viewed(value: Value, shape: tuple[int, ...]) -> Place | None:
    """The same `outer` blocks of elements, cut in another way.

    Of several places the best is a dimension that holds nothing but requests; then one that they begin, unless it is
    the last, which is what most functions read across; then the first.
    """
    if value.place is None:
        return None
    outer = value.outer
    places = [
        Place(axis, outer // prod(shape[:axis]))
        for axis, size in enumerate(shape)
        if outer % prod(shape[:axis]) == 0 and prod(shape[:axis]) * size % outer == 0
    ]
    alone = [place for place in places if shape[place.axis] == 1]
    begun = [place for place in places if place.outer == 1 and place.axis < len(shape) - 1]
    return next(iter([*alone, *begun, *places]), None)
