"""Exact sums over a row of floats, in one window of fixed point (PROTOCOL.md, 5, "Rows").

A hint names the greatest exponent of the row; what lies far below it is cut, and the cut is said. Rows are f32 bits.
The twin of operators/{RowSum,Deviations,ExpSum}.sol: the same integers. Knows no bound. None where an element is not
finite, or the hint is below its exponent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

from rollup.judge import floats
from rollup.judge.approx import Approx

# Exponents below the hint that are still exact: sums of 2^13 floats stay below 2^127 units, those of squares 2^254.
SUM_SPAN = 90
DEVIATION_SPAN = 95
# A float below the window is less than this many units.
_DROPPED = 24
# Two cut operands move a deviation by less than 2 units, so its square by less than 2^123: it is below 2^120 units.
_SQUARE_CUT = 123
# Fraction bits of an exponent's argument, and of the sum of exponentials.
_ARGUMENT_BITS = 120
_EXPSUM_BITS = 214
# Beyond e^16 a greatest element is not the greatest; below e^-256 nothing is left of 2^-214.
_GREATEST = 16 << _ARGUMENT_BITS
_LEAST = -(256 << _ARGUMENT_BITS)
_MINUS_INFINITY = floats.INFINITY | 1 << 31
# ln 2 in units of 2^-120, its inverse in units of 2^-64, and 2^120 / i!.
_LN2 = 0xB17217F7D1CF79ABC9E3B39803F2F7
_INVERSE_LN2 = 0x171547652B82FE177
_SERIES = [(1 << _ARGUMENT_BITS) // factorial(i) for i in range(10)]


@dataclass(frozen=True)
class RowSum:
    """`total` is the row's exact sum within `cut`; `mass` is at least the sum of the magnitudes."""

    total: Approx
    mass: Approx
    cut: Approx


def hint_of(row: Sequence[int]) -> int:
    """The hint that cuts least: the greatest exponent of a row that is not empty."""
    return max(floats.scale(bits) for bits in row)


def sum_of(row: Sequence[int], hint: int) -> RowSum | None:
    """Sum of a row of at most 2^13 floats."""
    if not _holds(row, hint):
        return None
    base = hint - SUM_SPAN
    positive = negative = 0
    for bits in row:
        shift = floats.scale(bits) - base
        if shift < 0:
            continue
        if floats.is_negative(bits):
            negative += floats.significand(bits) << shift
        else:
            positive += floats.significand(bits) << shift
    unit, cut = base - floats.SCALE_BIAS, len(row) << _DROPPED
    return RowSum(
        Approx.make(positive - negative, unit), Approx.make(positive + negative + cut, unit), Approx.make(cut, unit)
    )


def squares_of(row: Sequence[int], mean: int, hint: int) -> tuple[Approx, Approx] | None:
    """Least and greatest sum of (a - mean)^2 over a row of at most 2^13 floats; the hint covers the mean as well."""
    if not _holds((*row, mean), hint):
        return None
    base = hint - DEVIATION_SPAN
    centre = _cut_to(mean, base)
    total = sum((_cut_to(bits, base) - centre) ** 2 for bits in row)
    slack, unit = len(row) << _SQUARE_CUT, 2 * (base - floats.SCALE_BIAS)
    return Approx.make(max(total - slack, 0), unit), Approx.make(total + slack, unit)


def exponentials_of(row: Sequence[int], top: int) -> Approx | None:
    """Sum of e^(a - top), within 2^-60 of itself and 2^-214 for each element; e^-Inf is 0.

    None too where an element exceeds `top` by more than 16.
    """
    if not floats.is_finite(top):
        return None
    centre, total = _argument(top), 0
    for bits in row:
        if bits == _MINUS_INFINITY:
            continue
        if not floats.is_finite(bits):
            return None
        apart = _argument(bits) - centre
        if apart > _GREATEST:
            return None
        if apart >= _LEAST:
            size, exponent = _power_of_e(apart)
            shift = exponent + _EXPSUM_BITS - _ARGUMENT_BITS
            total += size << shift if shift >= 0 else size >> -shift
    return Approx.make(total, -_EXPSUM_BITS)


def _power_of_e(t: int) -> tuple[int, int]:
    """e^(t / 2^120) = p · 2^(k - 120), p in 2^119 .. 2^121, within 2^-60 of itself.

    2^k · (e^s)^8, k the integer nearest to t / ln 2, s = (t - k ln 2) / 8, so |s| < 0.0434. Series to s^9: what is left
    out is below s^10 / 10! < 2^-67, eight times that after three squarings.
    """
    k = (t * _INVERSE_LN2 + (1 << _ARGUMENT_BITS + 63)) >> _ARGUMENT_BITS + 64
    s = t - k * _LN2 >> 3
    power = 0
    for coefficient in reversed(_SERIES):
        power = coefficient + (power * s >> _ARGUMENT_BITS)
    for _ in range(3):
        power = power * power >> _ARGUMENT_BITS
    return power, k


def _holds(row: Sequence[int], hint: int) -> bool:
    return hint < 255 and all(floats.is_finite(bits) and floats.scale(bits) <= hint for bits in row)


def _cut_to(bits: int, base: int) -> int:
    """A float in units of 2^(base - 150), cut towards zero."""
    shift, size = floats.scale(bits) - base, floats.significand(bits)
    size = size << shift if shift >= 0 else size >> -shift
    return -size if floats.is_negative(bits) else size


def _argument(bits: int) -> int:
    """A float in units of 2^-120, cut towards zero."""
    return _cut_to(bits, floats.SCALE_BIAS - _ARGUMENT_BITS)
