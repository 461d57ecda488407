"""What rounded operators share: error models, and what a flushed operand may do (PROTOCOL.md, 5).

A model's formulas are written for any numbers that can be added, multiplied, divided and made positive: the judge's
own `Approx`, and whole tensors of float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rollup.judge import floats
from rollup.judge.approx import Approx, Bound, Enclosure
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.operator import Case

# Arguments: the operand and the exact result; `Approx` both, or float64 tensors both.
Formula = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class ErrorModel:
    """`t = count · S + rest`: `scale` gives S in units of 2^-24, `rest` is in units of 2^-126."""

    count: int
    scale: Formula
    rest: Formula = lambda x, y: 1 + 0 * x

    def bound(self, x: Approx, y: Approx) -> Bound:
        return Bound.counted(self.scale(x, y), self.count, self.rest(x, y))


def judged(case: Case, enclosure: Enclosure, operands: Sequence[int]) -> Finding:
    """Judges the committed element, computed from `operands` (f32 bits, finite).

    Hardware may take a subnormal operand for zero: then a result that is not finite is no fault.
    """
    value = case.value_f32
    if not floats.is_finite(value) and any(floats.is_subnormal(bits) for bits in operands):
        return ACQUITTED
    return enclosure.find(case.dtype, value, case.factor)
