"""Writes docs/operators.md from the table of operators: `python -m rollup.judge.page > docs/operators.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rollup.judge.operator import Family, Operator
from rollup.judge.operators import OPERATORS

_INTRODUCTION = """# Operators

What the judge knows, generated from `rollup/judge/operators.py` by `python -m rollup.judge.page > docs/operators.md`.
Records, openings and the rule of judgement stand in [PROTOCOL.md](../PROTOCOL.md), sections 2.4, 3 and 5.

`e` is the flat index of the result's element, `r` the number of axes of the record. `t` is what honest hardware may add
to the exact result; `u = 2⁻²⁴`, `y*` is the exact result on the committed operands."""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    for family in Family:
        operators = [operator for operator in OPERATORS.values() if operator.family is family]
        if operators:
            yield f"\n## {family.value}\n"
            yield "| code | operator | operands | dtypes | attributes | meaning | bound | source |"
            yield "|---|---|---|---|---|---|---|---|"
            yield from (_row(operator) for operator in operators)


def _row(operator: Operator) -> str:
    attributes = "; ".join(text for text in (operator.layout.attributes, operator.extras) if text) or "–"
    cells = (
        str(operator.op.value),
        operator.op.name.lower(),
        operator.operands,
        operator.dtypes.text,
        attributes,
        operator.formula,
        operator.bound,
        operator.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
