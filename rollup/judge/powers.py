"""Powers of two elements (PROTOCOL.md, 5, "Rounded operators")."""

from __future__ import annotations

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge import transcendental as real
from rollup.judge.approx import ONE, Approx, Bound, Enclosure
from rollup.judge.dtypes import FLOATING
from rollup.judge.finding import ACQUITTED, Finding
from rollup.judge.operator import Case, Family, Operator
from rollup.judge.reads import nary
from rollup.judge.rounded import judged
from rollup.tensor import DType

COUNT = 16
# From here on a power that is made as a reciprocal may overflow on its way: its divisor is subnormal.
_OVERFLOWING = {DType.F32: Approx.make(1, 126), DType.F16: Approx.make(1, 14), DType.BF16: Approx.make(1, 126)}


def is_odd(bits: int) -> bool | None:
    """Whether a finite f32 is an odd integer; None if it is no integer. Zero is even."""
    size, below = floats.significand(bits), floats.SCALE_BIAS - floats.scale(bits)
    if below <= 0:
        return below == 0 and size & 1 == 1
    if below >= 32 or size & (1 << below) - 1:
        return None if size else False
    return size >> below & 1 == 1


def power_of(a: int, b: int, dtype: DType) -> Enclosure | None:
    """`a^b` of finite f32 bits; None for a base of zero, and for a negative one where b is no integer.

    Torch makes many powers of 16-bit floats as products and roots that it rounds to 16 bits on the way.
    """
    odd = is_odd(b)
    base, exponent = Approx.of_float(a), Approx.of_float(b)
    if not base or (base.mantissa < 0 and odd is None):
        return None
    size = real.power(abs(base), exponent) if exponent else ONE
    bound = Bound.counted(size * (1 + abs(exponent) / 2), COUNT, ONE)
    rest = bound.rest + size if floats.is_subnormal(a) else bound.rest
    if dtype is not DType.F32:
        rest = rest + size.scaled(2 - floats.FORMATS[dtype].digits)
    bound = Bound(bound.scale, bound.sound, rest)
    return Enclosure(-size if base.mantissa < 0 and odd else size, bound)


def _find(case: Case) -> Finding:
    a, b = case.operand_f32(1), case.operand_f32(2)
    if not (floats.is_finite(a) and floats.is_finite(b)):
        return ACQUITTED
    enclosure = power_of(a, b, case.dtype)
    if enclosure is None:
        return ACQUITTED
    if not floats.is_finite(case.value_f32) and not abs(enclosure.centre) < _OVERFLOWING[case.dtype]:
        return ACQUITTED
    return judged(case, enclosure, (a, b))


OPERATORS = (
    Operator(
        Op.POW,
        Family.TRANSCENDENTAL,
        nary(2),
        FLOATING,
        "a, b",
        "`a^b`, `a ≠ 0`; `a < 0` where b is an integer",
        "`t = 16·u·abs(y*)·(1 + abs(b)/2) + 2⁻¹²⁶`; to 16 bits also `4·v·abs(y*)`, "
        "`v` the dtype's own u; an infinite y is no fault from `2¹²⁶` (f16: `2¹⁴`) on",
        "CUDA C++ Programming Guide: powf 4 ulp; repeated products and reciprocals for small integers b (inductor)",
        _find,
    ),
)
