"""Writes docs/models.md, and the table of models in README.md, from the zoo: `python -m tests.zoo.page`.

The zoo's test compares every row with what capture makes of the model, so that the page cannot age.
"""

from __future__ import annotations

import re
from collections import Counter
from math import prod
from pathlib import Path

from executor.capture import Captured, capture
from rollup.graph import Op
from rollup.lowering import Lowered, lower
from tests.zoo import ZOO, others, pictures, sequences, tables, texts
from tests.zoo.specimen import Specimen

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "models.md"
README = ROOT / "README.md"
# Operators that only move elements are in every model.
MOVES = {Op.STRIDED, Op.CAT, Op.PATCHES, Op.PAD, Op.GATHER}
MARKS = ("<!-- models, by python -m tests.zoo.page -->", "<!-- /models -->")
KINDS = {"texts": texts, "pictures": pictures, "sequences": sequences, "tables": tables, "others": others}
REFUSED = (
    "orders and look-ups of more than 2^24 comparisons",
    "results whose size depends on the request (boolean indexing, nonzero)",
    "integer division but by constants, bitwise operators but shifts and low-bit masks",
    "inverses, determinants and decompositions of matrices",
    "gamma and Bessel functions, inverse error functions",
    "random operators",
    "float64, complex128",
    "several outputs",
    "modules that keep state between requests",
    "packed sequences",
)

_INTRODUCTION = """# Models

What the tests capture, run and judge, written by `python -m tests.zoo.page`. A graph's steps are what the judge reads;
operators that only move elements are left out. Sizes are those of one request; programs run at any batch.

| model | request | weights | steps | operators |
|---|---|---|---|---|"""


def row(specimen: Specimen, captured: Captured, lowered: Lowered) -> str:
    """One model's line."""
    inputs = ", ".join(f"{spec.dtype.name.lower()} {list(spec.shape)}" for spec in captured.program.inputs)
    numbers = sum(prod(weight.spec.shape) for weight in captured.program.weights)
    steps = lowered.graph.steps
    used = Counter(step.op for step in steps if step.op not in MOVES)
    names = ", ".join(f"{op.name.lower()} {count}" for op, count in sorted(used.items()))
    return f"| {specimen.name} | {inputs} | {numbers:,} | {len(steps):,} | {names} |"


def page() -> str:
    """The whole of docs/models.md. Captures every model, which takes a minute."""
    rows = []
    for specimen in ZOO.values():
        captured = capture(specimen.module, specimen.request())
        rows.append(row(specimen, captured, lower(captured.program)))
    refused = "\n".join(f"- {what}" for what in REFUSED)
    end = "## What cannot be judged\n\nCapture refuses it by name, with the place in the module that made it:\n\n"
    return "\n".join((_INTRODUCTION, *rows, "", end)) + refused + "\n"


def readme_table() -> str:
    """The README's lines, marks included."""
    lines = [f"| {kind} | {', '.join(each.name for each in module.SPECIMENS)} |" for kind, module in KINDS.items()]
    lines.append(f"| refused, by name and place | {'; '.join(REFUSED)} |")
    return "\n".join((MARKS[0], "| works | |", "|---|---|", *lines, MARKS[1]))


def table_in(text: str) -> str:
    """What a README holds between the marks, marks included."""
    found = re.search(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", text, re.DOTALL)
    return found.group() if found else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(table_in(text), readme_table()), encoding="utf-8")
