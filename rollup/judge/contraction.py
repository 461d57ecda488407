"""Contractions: a window of exact arithmetic, and the bound on what floating point may add (PROTOCOL.md, 5).

`Σ a·b (+ bias)`, for any order of summation, fused multiply-add and flushing of subnormals, on floats of any dtype and
under any profile. Source of the bound:
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1. Returns None when unsure: a non-finite
operand, a hint below an exponent, too many terms, a unit too small for what flushing may add.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.dtypes import FLOATING
from rollup.judge.finding import ACQUITTED, CERTAIN, Finding
from rollup.judge.operator import Case, Family, Operator, Read
from rollup.judge.promise import F32_DIGITS, PLAIN, Promise, cut, promise_of
from rollup.judge.reads import Layout, Run, Values, dot, require, unravel
from rollup.numerics import Arithmetic, Profile
from rollup.tensor import DType
from rollup.types import Verdict

# n < 2^16, so that n · 2^-24 stays far below 1 in the bound.
MAX_TERMS = 2**16 - 1
# Positive and negative sums stay below 2^128 units.
WINDOW_BITS = 80
# A dropped term is less than this many units.
DROPPED = 2**47
MAX_TINY = 2**160
FACTOR_ONE = 256
ONE = 0x3F800000
# Exponents of products; above, what the window drops exceeds every float.
LEAST_HINT, GREATEST_HINT = 2, 508
_PRODUCT_BIAS = 2 * floats.SCALE_BIAS
# Below this window what flushing may add is no longer small in units; above it, the window's cut is still smaller.
_LEAST_BASE = 40


@dataclass(frozen=True)
class Bounds:
    """Enclosure `lo .. hi` of the exact sum, and the bounds on it, all in units of 2^exponent.

    `mass` encloses the sum of magnitudes from above; `calibrated` is None for a step without a factor.
    """

    exponent: int
    lo: int
    hi: int
    mass: int
    sound: int
    calibrated: int | None

    def is_outside(self, value: int, bound: int, dtype: DType = DType.F32) -> bool:
        """Whether `value` (f32 bits) of `dtype` is a fault under `bound`."""
        if not floats.is_finite(value):
            return floats.is_finite(floats.round_to(dtype, self.mass + bound, self.exponent))
        place = floats.ordinal(value)
        least = floats.round_to(dtype, self.lo - bound, self.exponent)
        greatest = floats.round_to(dtype, self.hi + bound, self.exponent)
        return place < floats.ordinal(least) or place > floats.ordinal(greatest)

    def excess(self, value: int) -> Fraction:
        """Distance of a finite f32 from the enclosure, in units of the sound bound."""
        size = -floats.significand(value) if floats.is_negative(value) else floats.significand(value)
        shift = floats.scale(value) - floats.SCALE_BIAS - self.exponent
        place = Fraction(size << shift) if shift >= 0 else Fraction(size, 1 << -shift)
        return max(self.lo - place, place - self.hi, Fraction(0)) / self.sound


def window_bits(terms: int) -> int:
    """R = 80 - ceil(log2 n): how far below the hint terms are still exact."""
    return WINDOW_BITS - (terms - 1).bit_length()


def hint_of(row_a: Sequence[int], row_b: Sequence[int], bias: Sequence[int] = ()) -> int:
    """The hint with which a prover loses least: the greatest exponent, or where flushing outweighs the window's cut."""
    pairs = [*zip(row_a, row_b, strict=True), *((value, ONE) for value in bias)]
    top = max(floats.scale(a) + floats.scale(b) for a, b in pairs)
    return max(top, _LEAST_BASE + window_bits(len(pairs)))


def bounds(
    row_a: Sequence[int],
    row_b: Sequence[int],
    bias: Sequence[int],
    hint: int,
    factor: int,
    promise: Promise = PLAIN,
) -> Bounds | None:
    """Enclosure and bounds of a contraction over f32 bits; None when unsure.

    `bias` has one value or none; `factor` is in 1/256, zero for none.
    """
    terms = len(row_a) + len(bias)
    if terms > MAX_TERMS or not LEAST_HINT <= hint <= GREATEST_HINT:
        return None
    base = hint - window_bits(terms)
    sums = _sums([*zip(row_a, row_b, strict=True), *((value, ONE) for value in bias)], hint, base)
    tiny = _tiny(terms, base)
    if sums is None or tiny >= MAX_TINY:
        return None
    positive, negative, subnormal = sums
    dropped = terms * DROPPED
    mass = positive + negative + dropped
    slack = subnormal + tiny
    rest = (1 << promise.digits) - promise.count(terms)
    rounding = _ceil(promise.count(terms) * mass, rest)
    if promise.digits == F32_DIGITS:
        # No partial sum of any order is larger than what the terms of one sign add up to.
        greatest = max(positive, negative) + dropped
        rounding = min(rounding, _ceil(mass + (terms - 1) * greatest, (1 << F32_DIGITS) - terms))
    return Bounds(
        exponent=base - _PRODUCT_BIAS,
        lo=positive - negative - dropped,
        hi=positive - negative + dropped,
        mass=mass,
        sound=rounding + slack,
        calibrated=min(rounding, _ceil(factor * mass, FACTOR_ONE * rest)) + slack if factor else None,
    )


@dataclass(frozen=True)
class Element:
    """A committed value of `dtype` and what it was computed from: f32 bits, all. `bias` has one value or none."""

    value: int
    row_a: Sequence[int]
    row_b: Sequence[int]
    bias: Sequence[int] = ()
    dtype: DType = DType.F32
    promise: Promise = PLAIN


def find(element: Element, hint: int, factor: int) -> Finding:
    """Judges one committed element of a contraction."""
    value, dtype = element.value, element.dtype
    limits = bounds(element.row_a, element.row_b, element.bias, hint, factor, element.promise)
    if limits is None:
        return ACQUITTED
    if limits.is_outside(value, limits.sound, dtype):
        verdict = Verdict.BEYOND_SOUND
    elif limits.calibrated is not None and limits.is_outside(value, limits.calibrated, dtype):
        verdict = Verdict.BEYOND_CALIBRATED
    else:
        verdict = Verdict.NO_FAULT
    if not floats.is_finite(value):
        return Finding(verdict, CERTAIN.excess if verdict else Fraction(0))
    return Finding(verdict, limits.excess(value))


def _sums(pairs: Iterable[tuple[int, int]], hint: int, base: int) -> tuple[int, int, int] | None:
    """Positive, negative and subnormal sums in units; None if a value is not finite or an exponent above the hint."""
    positive = negative = subnormal = 0
    for a, b in pairs:
        exponent = floats.scale(a) + floats.scale(b)
        if exponent > hint or not (floats.is_finite(a) and floats.is_finite(b)):
            return None
        size = floats.significand(a) * floats.significand(b)
        shift = exponent - base
        if shift >= 0:
            if (a ^ b) >> 31:
                negative += size << shift
            else:
                positive += size << shift
        if floats.is_subnormal(a) or floats.is_subnormal(b):
            subnormal += size << shift if shift >= 0 else _ceil(size, 1 << -shift)
    return positive, negative, subnormal


def _tiny(terms: int, base: int) -> int:
    """ceil(n · 2^-124 / unit), the unit being 2^(base - 300)."""
    shift = _PRODUCT_BIAS - 124 - base
    return terms << shift if shift >= 0 else -(-terms >> -shift)


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def find_case(case: Case) -> Finding:
    """Judges one element of a contract step."""
    row_a, row_b, *rest = _operands(case.step, case.values, case.profile)
    bias = rest[0] if rest else []
    promise = promise_of(case.profile, case.dtype_of(1), case.dtype_of(2))
    return find(Element(case.value_f32, row_a, row_b, bias, case.dtype, promise), case.hint, case.factor)


def _operands(step: Step, values: Values, profile: Profile) -> list[list[int]]:
    """f32 bits of the opened rows as they are multiplied, and of the bias, which is only added."""
    rows = []
    for slot, row in enumerate(values[1:]):
        dtype = step.operands[slot].spec.dtype
        wide = [floats.widen(bits, dtype) for bits in row]
        is_cut = profile.arithmetic is Arithmetic.TF32 and dtype is DType.F32 and slot < 2
        rows.append([cut(bits, profile.rounding) for bits in wide] if is_cut else wide)
    return rows


def _reads(step: Step, element: int) -> tuple[Run, ...]:
    require(step, len(step.operands) in (2, 3), 1 + 4 * step.rank)
    length = step.attributes[0]
    index = unravel(step, step.attributes[1 : 1 + step.rank], element)
    row_a, row_b, bias = (dot(index, step.attributes[1 + (axis + 1) * step.rank :]) for axis in range(3))
    rows = (Run(1, row_a * length, length), Run(2, row_b * length, length))
    return (*rows, Run(3, bias, 1)) if len(step.operands) == 3 else rows


def _hint(step: Step, _element: int, values: Values, _read: Read, profile: Profile) -> int:
    return hint_of(*_operands(step, values, profile))


OPERATORS = (
    Operator(
        Op.CONTRACT,
        Family.STEP,
        Layout("K, dims[r], sa[r], sb[r], sc[r]", _reads),
        FLOATING,
        "a, b, (bias)",
        "`Σₖ a[A·K + k] · b[B·K + k] (+ bias[C])`, `A = Σ iₐ·sa`, `B = Σ iₐ·sb`, `C = Σ iₐ·sc`; "
        "under TF32 a and b, if f32, cut to 10 bits of fraction",
        "`t = u·(S + (n − 1)·M) / (1 − n·u) + sub + tiny`, `S = Σ|a·b|`, `n = K + [bias]`, `M` what the terms of one "
        "sign add up to, the greater; `m·u·S / (1 − m·u)` where that is less, `m = min(n, ⌈n/16⌉ + 8)`, where blocked "
        "sums are promised; `n·u·S / (1 − n·u)`, `u = 2⁻²²`, in tensor cores",
        "Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., sections 3.1 and 4.2; a partial sum is a "
        "sum of some of the terms",
        find_case,
        hint=_hint,
    ),
)
