"""The reference that the judge is tested against: fractions and numpy's own rounding, written independently of it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

INF = 0x7F800000
NAN = 0x7FC00000
# All f32, with the values that break things drawn often.
SPECIAL = (0, 1, 2, 0x007FFFFF, 0x00800000, 0x00800001, 0x3F800000, 0x3F800001, 0x7E967699, 0x7F7FFFFF, 0x34000000)
any_bits = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([s | sign for s in SPECIAL for sign in (0, 1 << 31)]))
finite_bits = any_bits.filter(lambda bits: bits & INF != INF)


def bits(value: float | np.floating[Any]) -> int:
    return int(np.float32(value).view(np.uint32))


def all_bits(values: np.ndarray) -> list[int]:
    return [int(word) for word in np.ascontiguousarray(values, np.float32).view(np.uint32)]


def exact(word: int) -> Fraction:
    """Value of a finite f32, by numpy's decoding and Python's exact conversion of doubles."""
    return Fraction(float(np.uint32(word).view(np.float32)))


def exact_sum(pairs: Iterable[tuple[int, int]]) -> Fraction:
    return sum((exact(a) * exact(b) for a, b in pairs), Fraction(0))


def nearest(value: Fraction) -> int:
    """RN by search: of the two neighbouring f32 the nearer, ties to the even one."""
    low, high = 0, INF
    size = abs(value)
    limit = Fraction(2**24 - 1) * 2**104 + Fraction(2) ** 103
    if size >= limit:
        return (1 << 31 if value < 0 else 0) | INF
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if exact(middle) <= size else (low, middle)
    above = exact(high) if high < INF else Fraction(2) ** 128
    to_low, to_high = size - exact(low), above - size
    best = low if to_low < to_high or (to_low == to_high and low % 2 == 0) else high
    return (1 << 31 if value < 0 else 0) | best
