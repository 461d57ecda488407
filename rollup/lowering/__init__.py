"""Program to graph: each call becomes the steps that the judge reads, for one request (PROTOCOL.md, section 3).

Deterministic: the same program has one graph root, so a stored program is checked by lowering it again. Fused calls
are written out first (rollup/expansion). One module a family; knows nothing of how a step is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollup.call import Function
from rollup.errors import BadGraph
from rollup.expansion import expand
from rollup.graph import MAX_STEPS, Graph
from rollup.lowering import contraction, movement, norms, pointwise, rows, windows
from rollup.lowering.builder import MINUS_INFINITY, Builder, Lower, strides_of
from rollup.lowering.limits import require_provable
from rollup.program import Program

__all__ = ["MINUS_INFINITY", "Lowered", "lower", "strides_of"]

RULES: Mapping[Function, Lower] = {
    **contraction.RULES,
    **pointwise.RULES,
    **rows.RULES,
    **norms.RULES,
    **windows.RULES,
    **movement.RULES,
}


@dataclass(frozen=True)
class Lowered:
    """A program's graph.

    `program` is the expanded one; `results[i]` is the step whose result is that of its call i, and `covered[i]` says
    whether that step's bound holds for the call's kernel. Where it does not, as for all steps between, a trace holds
    what is derived from the steps before.
    """

    program: Program
    graph: Graph
    results: tuple[int, ...]
    covered: tuple[bool, ...]


def lower(program: Program) -> Lowered:
    """Graph of `program` at batch 1. Raises BadGraph for more steps than a graph may have, or steps too wide."""
    program = expand(program)
    builder = Builder(program)
    for call, value in zip(program.calls, program.results, strict=True):
        builder.lower(RULES[call.function], call, value.spec)
    if len(builder.steps) > MAX_STEPS:
        raise BadGraph(f"the program lowers to {len(builder.steps)} steps, at most {MAX_STEPS}")
    require_provable(builder.steps)
    weights = tuple(weight.spec for weight in program.weights)
    graph = Graph(program.inputs, weights, tuple(builder.steps))
    return Lowered(program, graph, tuple(builder.results), tuple(builder.covered))
