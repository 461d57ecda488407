"""The operators that can be judged: the one table from which judge, prover and docs/operators.md take them.

To add one: an entry in its family's tuple, a function in the family's contract, a file of vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollup.graph import Op
from rollup.judge import (
    cast,
    choice,
    contraction,
    functions,
    movement,
    order,
    pointwise,
    powers,
    rows,
    tails,
    unary,
)
from rollup.judge.operator import Operator


def _table(operators: Iterable[Operator]) -> Mapping[Op, Operator]:
    return {operator.op: operator for operator in sorted(operators, key=lambda operator: operator.op)}


FAMILIES = (contraction, movement, order, pointwise, unary, choice, cast, functions, powers, tails, rows)
OPERATORS = _table(operator for family in FAMILIES for operator in family.OPERATORS)
