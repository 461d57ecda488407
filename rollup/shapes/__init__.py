"""The result of each call from its operands: shape, dtype and where requests lie in it, or why there is none.

One module a family; `made` holds what they share, `places` keeps requests apart. Knows nothing of steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollup.call import Call, Function, Value
from rollup.shapes import contraction, fused, movement, pointwise, recurrent, rows, windows
from rollup.shapes.made import Rule
from rollup.shapes.places import place_of

RULES: Mapping[Function, Rule] = {
    **contraction.RULES,
    **pointwise.RULES,
    **rows.RULES,
    **windows.RULES,
    **movement.RULES,
    **fused.RULES,
    **recurrent.RULES,
}


def result_of(call: Call, operands: Sequence[Value]) -> Value:
    """Value that `call` makes. Raises BadGraph, or BadEncoding for a result that no header can describe."""
    call.require_signature()
    made = RULES[call.function](call, [operand.spec for operand in operands])
    if not any(operand.batched for operand in operands):
        return Value(made.spec, batched=False)
    return Value(made.spec, batched=True, place=place_of(call, made, operands))
