"""Exact dyadic rationals, `significand · 2^exponent`: sums, products and comparisons without rounding.

What any finite number of f32 additions and multiplications makes is such a number. Knows no bound and no operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rollup.judge import floats


@dataclass(frozen=True)
class Real:
    """significand · 2^exponent; the same value may have several forms, so compare with `Real.fraction`."""

    significand: int
    exponent: int

    @classmethod
    def of_f32(cls, bits: int) -> Real:
        """Value of a finite f32."""
        size = floats.significand(bits)
        return cls(-size if floats.is_negative(bits) else size, floats.scale(bits) - floats.SCALE_BIAS)

    def __add__(self, other: Real) -> Real:
        low = min(self.exponent, other.exponent)
        left = self.significand << self.exponent - low
        return Real(left + (other.significand << other.exponent - low), low)

    def __sub__(self, other: Real) -> Real:
        return self + Real(-other.significand, other.exponent)

    def __mul__(self, other: Real) -> Real:
        return Real(self.significand * other.significand, self.exponent + other.exponent)

    def __abs__(self) -> Real:
        return Real(abs(self.significand), self.exponent)

    def exceeds(self, other: Real) -> bool:
        return (self - other).significand > 0

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.significand) * Fraction(2) ** self.exponent

    @property
    def f32(self) -> int:
        """RN: bits of the nearest f32."""
        return floats.round_to_f32(self.significand, self.exponent)
