"""Real numbers of 127 bits, and whether a committed float is outside what may be made of one (PROTOCOL.md, 5).

The Python twin of math/Approx.sol and math/Bound.sol: the same integers come out of every operation.
Operations cut their exact result towards zero: one that is not zero errs by less than 2^-125 of itself, a sum too,
whatever it cancels. Knows no operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rollup.judge import floats
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.tensor import DType
from rollup.types import Verdict

BITS = 127
FACTOR_ONE = 256
# Of the scale: covers what an enclosure errs by.
_OWN_ERROR = -24


@dataclass(frozen=True)
class Approx:
    """mantissa · 2^exponent; the mantissa is 0 (then the exponent too) or of magnitude 2^126 .. 2^127 - 1."""

    mantissa: int
    exponent: int

    @classmethod
    def make(cls, mantissa: int, exponent: int) -> Approx:
        """`mantissa · 2^exponent`, cut to 127 bits."""
        if mantissa == 0:
            return ZERO
        shift = mantissa.bit_length() - BITS
        size = abs(mantissa) >> shift if shift > 0 else abs(mantissa) << -shift
        return cls(-size if mantissa < 0 else size, exponent + shift)

    @classmethod
    def of_float(cls, bits: int) -> Approx:
        """Value of a finite f32, exactly."""
        size = floats.significand(bits)
        return cls.make(-size if floats.is_negative(bits) else size, floats.scale(bits) - floats.SCALE_BIAS)

    def __bool__(self) -> bool:
        return self.mantissa != 0

    def __neg__(self) -> Approx:
        return Approx(-self.mantissa, self.exponent)

    def __abs__(self) -> Approx:
        return Approx(abs(self.mantissa), self.exponent)

    def __add__(self, other: Approx | int) -> Approx:
        other = _number(other)
        if not self or not other:
            return self if self else other
        great, small = (self, other) if self.exponent >= other.exponent else (other, self)
        apart = great.exponent - small.exponent
        if apart >= BITS:
            return great
        return Approx.make((great.mantissa << apart) + small.mantissa, small.exponent)

    def __sub__(self, other: Approx | int) -> Approx:
        return self + -_number(other)

    def __mul__(self, other: Approx | int) -> Approx:
        other = _number(other)
        return Approx.make(self.mantissa * other.mantissa, self.exponent + other.exponent)

    def __truediv__(self, other: Approx | int) -> Approx:
        """Raises ZeroDivisionError for a divisor of zero."""
        other = _number(other)
        size = (abs(self.mantissa) << BITS) // abs(other.mantissa)
        sign = -1 if (self.mantissa < 0) != (other.mantissa < 0) else 1
        return Approx.make(sign * size, self.exponent - other.exponent - BITS)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Approx:
        return _number(other) - self

    def __rtruediv__(self, other: int) -> Approx:
        return _number(other) / self

    def __lt__(self, other: Approx | int) -> bool:
        return (self - other).mantissa < 0

    def scaled(self, by: int) -> Approx:
        """`self · 2^by`, exactly."""
        return Approx(self.mantissa, self.exponent + by) if self else self

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.mantissa) * Fraction(2) ** self.exponent


ZERO = Approx(0, 0)
ONE = Approx.make(1, 0)


def _number(value: Approx | int) -> Approx:
    return value if isinstance(value, Approx) else Approx.make(value, 0)


@dataclass(frozen=True)
class Bound:
    """What honest hardware may add to an exact result.

    `scale` S is what a calibrated factor multiplies, at least 2^-24 of every term that the result is made of; `sound`
    is t without `rest`, which is allowed whatever the factor (flushing).
    """

    scale: Approx
    sound: Approx
    rest: Approx

    @classmethod
    def counted(cls, scale: Approx, count: Approx | int, rest: Approx) -> Bound:
        """`count` times `scale`, which is given in units of 2^-24, and `rest`, in units of 2^-126."""
        scale = scale.scaled(-24)
        return cls(scale, scale * count, rest.scaled(-126))

    def reach(self, factor: int) -> Approx:
        """t by `factor` (1/256; zero for the sound bound), with what the enclosure itself errs by."""
        allowed = self.sound
        if factor:
            calibrated = self.scale * Approx.make(factor, -8)
            allowed = self.sound if self.sound < calibrated else calibrated
        return allowed + self.scale.scaled(_OWN_ERROR) + self.rest


@dataclass(frozen=True)
class Enclosure:
    """The exact result of an element, within 2^-48 of the terms it is made of, and what may be added to it."""

    centre: Approx
    bound: Bound

    def is_outside(self, dtype: DType, value: int, factor: int) -> bool:
        """Whether `value` (an f32, whatever `dtype` it was read from) is a fault under `factor`."""
        reach = self.bound.reach(factor)
        low, high = nearest(dtype, self.centre - reach), nearest(dtype, self.centre + reach)
        if not floats.is_finite(value):
            return floats.is_finite(low) and floats.is_finite(high)
        # A result below the least normal number may be flushed.
        if floats.magnitude(value) == 0:
            least = floats.FORMATS[dtype].least_normal
            low, high = (0 if floats.magnitude(end) < least else end for end in (low, high))
        return not floats.ordinal(low) <= floats.ordinal(value) <= floats.ordinal(high)

    def find(self, dtype: DType, value: int, factor: int) -> Finding:
        """Judges a committed element of `dtype` (f32, f16 or bf16), given as the f32 of its value."""
        if self.is_outside(dtype, value, 0):
            return Finding(Verdict.BEYOND_SOUND, self._excess(value))
        if factor and self.is_outside(dtype, value, factor):
            return Finding(Verdict.BEYOND_CALIBRATED, self._excess(value))
        return Finding(Verdict.NO_FAULT, self._excess(value)) if floats.is_finite(value) else ACQUITTED

    def _excess(self, value: int) -> Fraction:
        """Distance from the centre in units of the sound bound."""
        if not floats.is_finite(value):
            return CERTAIN.excess
        reach = self.bound.reach(0).fraction
        distance = abs(Approx.of_float(value).fraction - self.centre.fraction)
        return distance / reach if reach else distance


def nearest(dtype: DType, value: Approx) -> int:
    """RN to `dtype` (f32, f16, bf16): the f32 of that value, ties to even, subnormals kept, overflow to infinity."""
    return floats.round_to(dtype, value.mantissa, value.exponent)
