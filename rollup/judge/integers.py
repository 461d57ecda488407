"""Arithmetic on i64 and i32: exact. What would wrap cannot be judged, and acquits (PROTOCOL.md, 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rollup.graph import Op
from rollup.judge.finding import ACQUITTED, Finding, equal
from rollup.tensor import DType

_RANGES = {DType.I64: (-(2**63), 2**63), DType.I32: (-(2**31), 2**31), DType.U8: (0, 2**8)}
_EXACT: Mapping[Op, Callable[..., int]] = {
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
    Op.MAXIMUM: max,
    Op.MINIMUM: min,
    Op.NEG: lambda a: -a,
    Op.ABS: abs,
    Op.SIGN: lambda a: (a > 0) - (a < 0),
    Op.CLAMP: lambda a, low, high: min(max(a, low), high),
}


def find_integer(op: Op, value: int, operands: Sequence[int], dtype: DType, extras: Sequence[int] = ()) -> Finding:
    """Judges one element; `value` and `operands` are bits of `dtype`, `extras` numbers."""
    return find_number(value, _EXACT[op](*(number_of(bits, dtype) for bits in operands), *extras), dtype)


def find_number(value: int, exact: int, dtype: DType) -> Finding:
    """Judges bits of an integer dtype by the number that they should be; one that does not fit acquits."""
    low, high = _RANGES[dtype]
    return equal(value, exact % 2 ** (8 * dtype.width)) if low <= exact < high else ACQUITTED


def number_of(bits: int, dtype: DType) -> int:
    """Value of an element that is no float; whatever is not zero is a true bool."""
    if dtype is DType.BOOL:
        return int(bits != 0)
    low, high = _RANGES[dtype]
    return bits if bits < high else bits + 2 * low
