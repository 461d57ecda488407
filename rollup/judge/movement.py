"""Strided, cat and patches: equal bits, for every dtype; two NaNs acquit (PROTOCOL.md, 5)."""

from __future__ import annotations

from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.tensor import DType

# Bits of +Inf, sign cleared, by floating dtype: what is above is NaN.
_INFINITIES = {DType.F32: (0x7FFFFFFF, 0x7F800000), DType.F16: (0x7FFF, 0x7C00), DType.BF16: (0x7FFF, 0x7F80)}


def find_moved(value: int, source: int, dtype: DType) -> Finding:
    """Judges one moved element; `value` and `source` are its bits."""
    if value == source or (_is_nan(value, dtype) and _is_nan(source, dtype)):
        return ACQUITTED
    return CERTAIN


def _is_nan(bits: int, dtype: DType) -> bool:
    if dtype not in _INFINITIES:
        return False
    mask, infinity = _INFINITIES[dtype]
    return bits & mask > infinity
