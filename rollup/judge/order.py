"""Amax and argmax: exact but for flushed subnormals (PROTOCOL.md, 5). −Inf is a value; NaN and +Inf acquit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding, between
from rollup.types import Verdict

_SIGN_64 = 2**63


def signed_64(bits: int) -> int:
    """An i64 element as a number."""
    return (bits ^ _SIGN_64) - _SIGN_64


def find_amax(value: int, row: Sequence[int]) -> Finding:
    """Judges one element (f32 bits) of an amax over a row."""
    if not _is_ordered(row):
        return ACQUITTED
    greatest = max(row, key=floats.ordinal)
    if floats.is_subnormal(greatest):
        return between(value, min(greatest, 0, key=floats.ordinal), max(greatest, 0, key=floats.ordinal))
    return between(value, greatest, greatest)


def find_argmax(value: int, row: Sequence[int]) -> Finding:
    """Judges one element (i64 bits) of an argmax over a row of f32 bits."""
    index = signed_64(value)
    if not _is_ordered(row):
        return ACQUITTED
    if not 0 <= index < len(row):
        return CERTAIN
    greatest = max(row, key=floats.ordinal)
    both_flushed = max(floats.magnitude(greatest), floats.magnitude(row[index])) < floats.LEAST_NORMAL
    steps = floats.ordinal(greatest) - floats.ordinal(row[index])
    if steps == 0 or both_flushed:
        return ACQUITTED
    return Finding(Verdict.BEYOND_SOUND, Fraction(steps))


def _is_ordered(row: Sequence[int]) -> bool:
    return all(floats.is_finite(bits) or bits == floats.INFINITY | 1 << 31 for bits in row)
