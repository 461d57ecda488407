"""The table of operators: whole, in the order of codes, and the page that is generated from it."""

from __future__ import annotations

import re
from pathlib import Path

from rollup.graph import Op
from rollup.judge.operators import OPERATORS
from rollup.judge.page import page

ROOT = Path(__file__).resolve().parents[3]


def test_operators__every_entry__stands_under_its_own_code() -> None:
    assert all(operator.op is op for op, operator in OPERATORS.items())
    assert list(OPERATORS) == sorted(OPERATORS)


def test_operators__codes__are_those_of_the_contracts() -> None:
    source = (ROOT / "contracts" / "libraries" / "ConstantsLib.sol").read_text()
    codes = {name: int(code) for name, code in re.findall(r"uint8 constant OP_(\w+) = (\d+);", source)}
    assert codes == {op.name: op.value for op in Op}


def test_operators__extras__are_named() -> None:
    for operator in OPERATORS.values():
        named = [name for name in operator.extras.split(",") if name]
        assert len(named) == operator.layout.extras, operator.op.name


def test_page__committed_one__is_what_the_table_says() -> None:
    assert (ROOT / "docs" / "operators.md").read_text() == page()
