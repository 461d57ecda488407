"""TF32 against its definition on fractions; what profiles promise of sums, against sums made that way."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.judge import floats
from rollup.judge.contraction import Element, find, hint_of
from rollup.judge.promise import Promise, cut, promise_of
from rollup.numerics import Arithmetic, Profile, Rounding
from rollup.tensor import DType
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, all_bits, any_bits, bits, exact, finite_bits

LEAST = 0x00800000
GRID = Fraction(2) ** 13


def places(word: int) -> Fraction:
    """Magnitude of a normal f32 in last places of a fraction of 10 bits."""
    return Fraction(word & 0x7FFFFFFF) / GRID


@given(finite_bits.filter(lambda word: word & 0x7FFFFFFF >= LEAST))
def test_cut__normal_f32__is_the_neighbour_that_the_rounding_names(word: int) -> None:
    even, away, zero = (places(cut(word, rounding)) for rounding in Rounding)
    size = places(word)
    assert {even.denominator, away.denominator, zero.denominator} == {1}
    assert zero == size // 1
    assert even == round(size)
    assert away == (size + Fraction(1, 2)) // 1
    assert all(floats.is_negative(cut(word, rounding)) == floats.is_negative(word) for rounding in Rounding)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("word", [0, 1, LEAST - 1, INF, NAN, NAN | 1 << 31, 1 << 31 | 5])
def test_cut__subnormal_or_not_finite__stays(rounding: Rounding, word: int) -> None:
    assert cut(word, rounding) == word


@given(any_bits)
def test_cut__what_is_cut_already__stays(word: int) -> None:
    for rounding in Rounding:
        assert cut(cut(word, rounding), rounding) == cut(word, rounding)


@pytest.mark.parametrize(("terms", "count"), [(1, 1), (8, 8), (9, 9), (16, 9), (17, 10), (1536, 104), (65_535, 4104)])
def test_count__blocked__is_a_sixteenth_and_eight(terms: int, count: int) -> None:
    assert Promise(blocked=True).count(terms) == count
    assert Promise().count(terms) == terms


@pytest.mark.parametrize(
    ("arithmetic", "dtypes", "digits"),
    [
        (Arithmetic.FP32, (DType.F16, DType.F16), 24),
        (Arithmetic.TF32, (DType.F32, DType.F32), 22),
        (Arithmetic.TENSOR_16, (DType.BF16, DType.BF16), 22),
        (Arithmetic.TENSOR_16, (DType.F32, DType.F32), 24),
        (Arithmetic.TENSOR_16, (DType.F32, DType.F16), 24),
    ],
)
def test_promise_of__profile_and_dtypes__says_the_accumulator(
    arithmetic: Arithmetic, dtypes: tuple[DType, DType], digits: int
) -> None:
    assert promise_of(Profile(arithmetic), *dtypes).digits == digits


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_find__sum_of_sixteen_partial_sums__keeps_the_promise(seed: int, length: int) -> None:
    """numpy in f32: each lane adds every sixteenth product, then the lanes are added one by one."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, length)).astype(np.float32)
    lanes = [np.float32(0)] * 16
    for place, product in enumerate(a * b):
        lanes[place % 16] = np.float32(lanes[place % 16] + product)
    total = np.float32(0)
    for first in range(0, 16, 2):
        total = np.float32(total + np.float32(lanes[first] + lanes[first + 1]))
    rows = all_bits(a), all_bits(b)
    element = Element(bits(total), *rows, promise=Promise(blocked=True))
    assert find(element, hint_of(*rows), 0).verdict is Verdict.NO_FAULT


def test_find__promised_blocks__are_a_smaller_bound() -> None:
    """A sum that is off by 200 units of u·Σ|ab| at K = 1,536 is honest unless blocks were promised."""
    rows = [bits(1.0)] * 1536, [bits(1.0)] * 1536
    value = bits(1536.0 * (1 + 200 * 2.0**-24))
    for promise, verdict in (
        (Promise(), Verdict.NO_FAULT),
        (Promise(blocked=True), Verdict.BEYOND_SOUND),
        (Promise(digits=22, blocked=True), Verdict.NO_FAULT),
    ):
        assert find(Element(value, *rows, promise=promise), hint_of(*rows), 0).verdict is verdict


@pytest.mark.parametrize(("dtype", "step"), [(DType.F16, 2.0**-10), (DType.BF16, 2.0**-7)])
def test_find__result_of_16_bits__is_the_rounded_sum_and_no_neighbour(dtype: DType, step: float) -> None:
    rows = [bits(1.0), bits(step / 8)], [bits(1.0), bits(1.0)]
    hint = hint_of(*rows)
    verdicts = [find(Element(bits(1.0 + k * step), *rows, dtype=dtype), hint, 0).verdict for k in (-1, 0, 1)]
    assert verdicts == [Verdict.BEYOND_SOUND, Verdict.NO_FAULT, Verdict.BEYOND_SOUND]
    assert exact(rows[0][1]) == Fraction(step) / 8


def test_find__overflow_of_f16__must_be_infinite() -> None:
    rows = [bits(60_000.0), bits(60_000.0)], [bits(1.0), bits(1.0)]
    hint = hint_of(*rows)
    assert find(Element(INF, *rows, dtype=DType.F16), hint, 0).verdict is Verdict.NO_FAULT
    assert find(Element(bits(65_504.0), *rows, dtype=DType.F16), hint, 0).verdict is Verdict.BEYOND_SOUND
    assert find(Element(INF, *rows), hint, 0).verdict is Verdict.BEYOND_SOUND
