"""Floats as integers: decode, compare, round (PROTOCOL.md, 5). The Python twin of math/Float.sol.

binary32 is what is computed with: 16-bit floats are widened to it, exactly, on reading, and a result is rounded to the
format of its dtype but stays in binary32's bits. Bits in, bits out: no float of the host takes part, so nothing here
depends on a processor's rounding mode or on its flushing of subnormals.

A finite f32 is ± significand · 2^(scale - 150).
"""

from __future__ import annotations

from dataclasses import dataclass

from rollup.tensor import DType

INFINITY = 0x7F800000
# Below this magnitude (2^-126, in bits) an f32 is subnormal or zero.
LEAST_NORMAL = 0x00800000
SCALE_BIAS = 150
_SIGN = 0x80000000
_MAGNITUDE = 0x7FFFFFFF
_FRACTION = 0x007FFFFF


@dataclass(frozen=True)
class Format:
    """A binary format: bits of the significand, exponents of the last place of subnormals and of the first overflow."""

    digits: int
    least: int
    top: int

    @property
    def least_normal(self) -> int:
        """f32 bits of the least normal number: what is below it in magnitude may be flushed."""
        return self.least + self.digits - 1 + 127 << 23

    @property
    def neighbours(self) -> int:
        """f32 from one normal number of the format to the next."""
        return 1 << 24 - self.digits


FORMATS = {DType.F32: Format(24, -149, 128), DType.F16: Format(11, -24, 16), DType.BF16: Format(8, -133, 128)}


def widen(bits: int, dtype: DType) -> int:
    """f32 bits of a floating element; NaNs stay NaNs."""
    if dtype is DType.F32:
        return bits
    if dtype is DType.BF16:
        return bits << 16
    sign, field, fraction = bits >> 15 << 31, bits >> 10 & 0x1F, bits & 0x3FF
    if field == 0x1F:
        return sign | INFINITY | fraction << 13
    size = fraction | 0x400 if field else fraction
    return sign | round_to_f32(size, max(field, 1) - 25)


def magnitude(bits: int) -> int:
    """Bits without the sign: ordered as the magnitudes are."""
    return bits & _MAGNITUDE


def is_finite(bits: int) -> bool:
    return bits & _MAGNITUDE < INFINITY


def is_nan(bits: int) -> bool:
    return bits & _MAGNITUDE > INFINITY


def is_subnormal(bits: int) -> bool:
    """Whether not zero and below 2^-126 in magnitude: what honest hardware may flush to zero."""
    return 0 < bits & _MAGNITUDE < LEAST_NORMAL


def is_negative(bits: int) -> bool:
    return bits >= _SIGN


def significand(bits: int) -> int:
    """m = F + 2^23 · [E > 0], without sign, below 2^24."""
    fraction = bits & _FRACTION
    return fraction | LEAST_NORMAL if bits & INFINITY else fraction


def scale(bits: int) -> int:
    """ε = max(E, 1): the value is ± m · 2^(ε - 150)."""
    return (bits & INFINITY) >> 23 or 1


def ordinal(bits: int) -> int:
    """Place of a value on the line of all f32, -0 and +0 being one; NaN has none. Neighbours differ by 1."""
    return -(bits & _MAGNITUDE) if bits & _SIGN else bits


def round_to_f32(value: int, exponent: int) -> int:
    """RN of `value · 2^exponent`: bits of the nearest f32, ties to even, overflow to ±Inf, underflow to ±0."""
    sign = _SIGN if value < 0 else 0
    size = abs(value)
    top = size.bit_length() + exponent
    if size == 0 or top > 128:
        return sign | (INFINITY if size else 0)
    # The last place of the result: 24 bits below the first, or the least place there is.
    place = max(top - 24, -149)
    rounded = _shift_to_even(size, place - exponent)
    # A significand that carried into 2^24 makes the next exponent by itself.
    return sign | min((place + 149 << 23) + rounded, INFINITY)


def round_to(dtype: DType, value: int, exponent: int) -> int:
    """RN of `value · 2^exponent` to a floating dtype, in f32 bits: ties to even, overflow to ±Inf, underflow to ±0."""
    form = FORMATS[dtype]
    sign, size = _SIGN if value < 0 else 0, abs(value)
    top = size.bit_length() + exponent
    if top > form.top:
        return sign | INFINITY
    place = max(top - form.digits, form.least)
    rounded = _shift_to_even(size, place - exponent)
    if rounded.bit_length() + place > form.top:
        return sign | INFINITY
    return sign | round_to_f32(rounded, place)


def narrow(bits: int, dtype: DType) -> int:
    """f32 bits rounded to a floating dtype, in f32 bits; not for NaN."""
    if dtype is DType.F32 or not is_finite(bits):
        return bits
    return bits & _SIGN | round_to(dtype, significand(bits), scale(bits) - SCALE_BIAS)


def _shift_to_even(size: int, drop: int) -> int:
    if drop <= 0:
        return size << -drop
    kept, rest, half = size >> drop, size & (1 << drop) - 1, 1 << drop - 1
    return kept + (rest > half or (rest == half and kept & 1))
