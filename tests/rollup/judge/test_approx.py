from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollup.judge.approx import BITS, ONE, ZERO, Approx, Bound, Enclosure, nearest
from rollup.tensor import DType
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, bits, exact, finite_bits

MINUS = 1 << 31
STEP = Fraction(2) ** -125
TINY = Bound(ZERO, ZERO, Approx.make(1, -126))
reals = st.builds(Approx.make, st.integers(-(2**140), 2**140), st.integers(-400, 400))


def is_normal(value: Approx) -> bool:
    return value == ZERO or abs(value.mantissa).bit_length() == BITS


def test_truediv__by_zero__is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        ONE / ZERO


@given(a=reals, b=reals)
def test_operations__any_operands__err_by_less_than_the_last_place(a: Approx, b: Approx) -> None:
    pairs = [(a + b, a.fraction + b.fraction), (a - b, a.fraction - b.fraction), (a * b, a.fraction * b.fraction)]
    if b:
        pairs.append((a / b, a.fraction / b.fraction))
    for made, true in pairs:
        assert is_normal(made)
        assert abs(made.fraction - true) <= abs(true) * STEP


@given(a=reals, b=reals)
def test_lt__any_operands__is_that_of_the_values(a: Approx, b: Approx) -> None:
    assert (a < b) == (a.fraction < b.fraction)
    assert not a < a


@given(word=finite_bits)
def test_of_float__any_finite__is_its_value(word: int) -> None:
    value = Approx.of_float(word)
    assert is_normal(value)
    assert value.fraction == exact(word)
    assert nearest(DType.F32, value) & ~MINUS == word & ~MINUS


def test_nearest__f16__rounds_as_numpy_does() -> None:
    words = np.random.default_rng(1).integers(0, 2**32, 20_000, dtype=np.uint32)
    edges = np.array(
        [65504, 65519.996, 65520, 2**-24, 2**-25, 2**-25 * 1.0001, 2**-14, 1 + 2**-11, 1 + 3 * 2**-11], np.float32
    )
    with np.errstate(over="ignore"):
        values = np.concatenate([words.view(np.float32), edges, -edges])
        values = values[np.isfinite(values)]
        expected = values.astype(np.float16).astype(np.float32).view(np.uint32)
    for word, rounded in zip(values.view(np.uint32), expected, strict=True):
        value = Approx.of_float(int(word))
        assert nearest(DType.F16, value) & ~MINUS == int(rounded) & ~MINUS


@given(word=finite_bits)
def test_nearest__bf16__rounds_the_upper_half_to_even(word: int) -> None:
    upper = word + 0x7FFF + (word >> 16 & 1) & 0xFFFF0000
    assert nearest(DType.BF16, Approx.of_float(word)) & ~MINUS == upper & ~MINUS


@given(word=finite_bits, error=st.sampled_from([-1, 1]))
def test_nearest__sum_that_f32_cannot_hold__is_rounded_once(word: int, error: int) -> None:
    assume(word & ~MINUS < 0x7F000000)
    step = Approx.of_float(word + 1) - Approx.of_float(word)
    middle = Approx.of_float(word) + step.scaled(-1)
    assert nearest(DType.F32, middle + step.scaled(-60) * error) == word + (error == 1)


def test_find__not_finite__is_a_fault_iff_both_ends_are_finite() -> None:
    for wrong in (INF, INF | MINUS, NAN):
        assert Enclosure(ONE, TINY).find(DType.F32, wrong, 0).verdict is Verdict.BEYOND_SOUND
        assert Enclosure(Approx.make(1, 128), TINY).find(DType.F32, wrong, 0).verdict is Verdict.NO_FAULT
    assert Enclosure(Approx.make(1, 16), TINY).find(DType.F16, INF, 0).verdict is Verdict.NO_FAULT


def test_find__factor__narrows_the_bound_and_only_rejects() -> None:
    enclosure = Enclosure(ONE, Bound(Approx.make(1, -24), Approx.make(8, -24), ZERO))
    cases = {1.0: 0, 1 + 2**-22: 1, 1 + 2**-21: 1, 1 + 5 * 2**-23: 2, 1 - 2**-21: 1, 1 - 2**-21 - 2**-24: 2}
    for value, verdict in cases.items():
        assert enclosure.find(DType.F32, bits(value), 256).verdict == verdict
        assert enclosure.find(DType.F32, bits(value), 0).verdict == (verdict if verdict == 2 else 0)


def test_find__factor_above_the_count__is_the_sound_bound() -> None:
    enclosure = Enclosure(ONE, Bound(Approx.make(1, -24), Approx.make(8, -24), ZERO))
    assert enclosure.find(DType.F32, bits(1 + 2**-21), 2**32 - 1).verdict is Verdict.NO_FAULT


def test_find__value_at_the_bound_of_a_narrow_dtype__is_honest() -> None:
    enclosure = Enclosure(ONE + Approx.make(1, -9), TINY)
    assert enclosure.find(DType.BF16, bits(1.0), 0).verdict is Verdict.NO_FAULT
    assert enclosure.find(DType.BF16, bits(1 + 2**-7), 0).verdict is Verdict.BEYOND_SOUND


def test_find__excess__counts_sound_bounds() -> None:
    finding = Enclosure(ONE, Bound(ZERO, Approx.make(1, -20), ZERO)).find(DType.F32, bits(1 + 2**-18), 0)
    assert finding.excess == 4
