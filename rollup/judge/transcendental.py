"""exp, log, tanh, erf, sqrt, sin, cos and their kin on real numbers, each within 2^-60 of itself (PROTOCOL.md, 5).

The Python twin of math/{Exponential,Logarithm,Circular,ErrorFunction,Root}.sol: the same integers. Fixed point has
120 fraction bits, `Q`; every `>>` rounds down, so it errs by less than one unit, 2^-120. Each function says how its
argument is reduced, how long its series is and what is left out. Knows no bound and no format.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, isqrt

from rollup.judge.approx import BITS, ONE, ZERO, Approx

Q = 120
# Beyond this magnitude exp answers as at it: no float is anywhere near.
SATURATION = 16
# Below 2^-24 three terms of a series are enough.
_SMALL = -24
_LN2 = 0xB17217F7D1CF79ABC9E3B39803F2F7
_INV_LN2 = 0x171547652B82FE177
_HALF_PI = 0x1921FB54442D18469898CC51701B83A
_INV_HALF_PI = 0xA2F9836E4E44152A
_SQRT2 = 0x5A827999FCEF32422CBEC4D9BAA55F50
_TWO_OVER_ROOT_PI = Approx(0x48375D410A6DB446B8EA453FB5FF61A2, -126)
# 6.5², where 1 - erf is below 2^-64.
_ERF_END = Approx.make(169, -2)
_ERF_SMALL = -12
_ERF_PLACES = 100
_ERF_ARGUMENT_PLACES = 72
_ERF_ENOUGH = 68

_EXP = [(1 << Q) // factorial(i) for i in range(14)]
_ATANH = [(1 << Q) // (2 * i + 1) for i in range(16)]
_SIN = [(1 << Q) // factorial(2 * i + 1) for i in range(12)]
_COS = [(1 << Q) // factorial(2 * i) for i in range(12)]


def exp(a: Approx) -> Approx:
    """e^a = 2^k · (e^s)^8, k the integer nearest to a / ln 2, s = (a - k ln 2) / 8, so |s| < 0.0434.

    Series to s^13: what is left out is below s^14 / 14! < 2^-99, eight times that after three squarings. ln 2 errs by
    2^-121, k times: below 2^-104 for every argument. Together within 2^-95 for |a| <= 2^9.
    """
    if _magnitude(a) > SATURATION:
        a = Approx.make(-1 if a.mantissa < 0 else 1, SATURATION)
    t = _fixed(a)
    k = (t * _INV_LN2 + (1 << Q + 63)) >> Q + 64
    s = t - k * _LN2 >> 3
    power = _series(_EXP, s)
    for _ in range(3):
        power = power * power >> Q
    return Approx.make(power, k - Q)


def expm1(a: Approx) -> Approx:
    """e^a - 1. Below 2^-24 a + a²/2 + a³/6, leaving out a³/24 < 2^-76 of it; above, exp errs by 2^-95 / 2^-24 of it."""
    if _magnitude(a) <= _SMALL:
        return a * (1 + (a * (1 + a / 3)).scaled(-1))
    return exp(a) - 1


def tanh(a: Approx) -> Approx:
    """(e^2a - 1) / (e^2a + 1), which errs by at most twice what expm1 does."""
    above = expm1(a.scaled(1))
    return above / (above + 2)


def sigmoid(a: Approx) -> Approx:
    """1 / (1 + e^-a)."""
    return 1 / (1 + exp(-a))


def log(a: Approx) -> Approx:
    """ln a for a > 0: k ln 2 + 2 artanh(s), a = z · 2^k, z in [1/√2, √2], s = (z - 1) / (z + 1), so s² < 0.02945.

    Series to s^31: what is left out is below (s²)^16 / 33 < 2^-86 of it. s and the product err by 2^-120, and a float
    that is not 1 has |s| > 2^-26: within 2^-85.
    """
    one = 1 << (BITS if a.mantissa > _SQRT2 else BITS - 1)
    k = a.exponent + one.bit_length() - 1
    above = (abs(a.mantissa - one) << Q) // (a.mantissa + one)
    s = -above if a.mantissa < one else above
    return Approx.make(k * _LN2 + (s * _series(_ATANH, s * s >> Q) >> Q - 1), -Q)


def log1p(a: Approx) -> Approx:
    """ln(1 + a) for a > -1. Below 2^-24 a - a²/2 + a³/3, leaving out a³/4 < 2^-74 of it; above, 1 + a is exact."""
    if _magnitude(a) <= _SMALL:
        return a * (1 - (a * (1 - a.scaled(1) / 3)).scaled(-1))
    return log(1 + a)


def power(a: Approx, b: Approx) -> Approx:
    """a^b = e^(b ln a) for a > 0: where a float can hold it |b ln a| < 2^7, so it errs by 2^-85 · 2^7."""
    return exp(b * log(a))


def sqrt(a: Approx) -> Approx:
    """√a for a >= 0: the integer root of an even power of two times the mantissa, cut at 127 bits."""
    if not a:
        return ZERO
    shift = BITS - 1 + (a.exponent & 1)
    return Approx(isqrt(a.mantissa << shift), (a.exponent - shift) // 2)


def erf(a: Approx) -> Approx:
    """2/√π · a · e^-a² · Σ (2a²)^n / (2n + 1)!!: positive terms, nothing cancels.

    From |a| = 6.5 on ±1, within 2^-64. Below 2^-12 2/√π · (a - a³/3 + a⁵/10), leaving out a⁶/42 < 2^-77 of it. The
    sum ends where a term is below 2^-68 of it: terms then fall by half and more. 2a² is cut at 2^-72, which moves the
    sum by less than that; terms are cut at 2^-100, at most 200 of them.
    """
    square = a * a
    if not square < _ERF_END:
        return -ONE if a.mantissa < 0 else ONE
    if _magnitude(a) <= _ERF_SMALL:
        return _TWO_OVER_ROOT_PI * a * (1 - square * (ONE / 3 - square / 10))
    q = _shifted(square.mantissa, square.exponent + 1 + _ERF_ARGUMENT_PLACES)
    total = term = 1 << _ERF_PLACES
    odd = 3
    while term > total >> _ERF_ENOUGH:
        term = term * q // odd >> _ERF_ARGUMENT_PLACES
        total += term
        odd += 2
    return _TWO_OVER_ROOT_PI * a * exp(-square) * Approx.make(total, -_ERF_PLACES)


def sin(a: Approx) -> Approx:
    """sin a for |a| <= 2^16. Below 2^-24 a - a³/6, leaving out a⁴/120 of it; above as `_turned`."""
    if _magnitude(a) <= _SMALL:
        return a * (1 - a * a / 6)
    return _turned(a, 0)


def cos(a: Approx) -> Approx:
    """cos a for |a| <= 2^16, as `_turned`."""
    return _turned(a, 1)


def _turned(a: Approx, quarters: int) -> Approx:
    """sin(a + quarters · π/2): with k the integer nearest to a / (π/2), r = a - k π/2, |r| < 0.786, ± sin r or cos r.

    Series to r^23 and r^22: what is left out is below (r²)^12 / 24! < 2^-87. π/2 errs by 2^-121, k < 2^16 times: r by
    2^-104, and no float up to 2^16 but 0 is closer than 2^-28 to a multiple of π/2: within 2^-75.
    """
    t = _fixed(a)
    k = (t * _INV_HALF_PI + (1 << Q + 63)) >> Q + 64
    r = t - k * _HALF_PI
    square = r * r >> Q
    quadrant = k + quarters & 3
    size = _alternating(_COS, square) if quadrant & 1 else r * _alternating(_SIN, square) >> Q
    return Approx.make(-size if quadrant & 2 else size, -Q)


def _magnitude(a: Approx) -> int:
    """The least n with |a| < 2^n; for zero a small one."""
    return a.exponent + BITS if a else -(2**30)


def _fixed(a: Approx) -> int:
    return _shifted(a.mantissa, a.exponent + Q)


def _shifted(value: int, by: int) -> int:
    return value << by if by >= 0 else value >> -by


def _series(coefficients: Sequence[int], x: int) -> int:
    """Σ cᵢ xⁱ, cut down at every step; |x| < 0.05, so that what the steps cut adds up to less than two units."""
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = coefficient + (value * x >> Q)
    return value


def _alternating(coefficients: Sequence[int], x: int) -> int:
    """Σ (-1)ⁱ cᵢ xⁱ for 0 <= x < 0.62, cut at every step: less than three units together."""
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = coefficient - (value * x >> Q)
    return value
