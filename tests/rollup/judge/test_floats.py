from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rollup.judge import floats
from rollup.judge.real import Real
from rollup.tensor import DType
from tests.rollup.judge.f32 import INF, NAN, any_bits, exact, finite_bits, nearest

HALVES = {DType.F16: torch.float16, DType.BF16: torch.bfloat16}


@given(finite_bits)
def test_decode__any_finite_f32__is_its_exact_value(word: int) -> None:
    assert Real.of_f32(word).fraction == exact(word)


@given(any_bits)
def test_kinds__any_f32__are_those_of_numpy(word: int) -> None:
    value = np.uint32(word).view(np.float32)
    assert floats.is_finite(word) == bool(np.isfinite(value))
    assert floats.is_nan(word) == bool(np.isnan(value))
    assert floats.is_negative(word) == bool(np.signbit(value))
    assert floats.is_subnormal(word) == (0 < abs(float(value)) < 2.0**-126)


@given(finite_bits, finite_bits)
def test_ordinal__two_values__is_ordered_as_they_are(a: int, b: int) -> None:
    assert (floats.ordinal(a) < floats.ordinal(b)) == (exact(a) < exact(b))


def test_ordinal__zeros_and_infinities__are_equal_and_outermost() -> None:
    assert floats.ordinal(0) == floats.ordinal(1 << 31)
    assert floats.ordinal(INF) == floats.ordinal(0x7F7FFFFF) + 1
    assert floats.ordinal(INF | 1 << 31) == -floats.ordinal(INF)


@given(st.integers(-(2**140), 2**140), st.integers(-320, 160))
def test_round__any_dyadic__is_the_nearest_f32(value: int, exponent: int) -> None:
    assert floats.round_to_f32(value, exponent) == nearest(Fraction(value) * Fraction(2) ** exponent)


@given(finite_bits, st.sampled_from([-1, 0, 1]))
def test_round__halfway_and_beside__ties_to_even(word: int, nudge: int) -> None:
    middle = Real.of_f32(word)
    half = Real(middle.significand * 2 + 1, middle.exponent - 1)
    value = half + Real(nudge, -400)
    assert value.f32 == nearest(value.fraction)


@pytest.mark.parametrize(
    ("value", "exponent", "expected"),
    [
        (1, 2**31, INF),
        (-1, 2**31, INF | 1 << 31),
        (0, 2**31, 0),
        (2**25 - 1, 103, INF),
        (2**25 - 2, 103, 0x7F7FFFFF),
        (1, -150, 0),
        (3, -151, 1),
    ],
)
def test_round__edges_of_the_format__are_as_ieee_says(value: int, exponent: int, expected: int) -> None:
    assert floats.round_to_f32(value, exponent) == expected


@given(finite_bits, finite_bits)
def test_real__sum_product_difference__are_exact(a: int, b: int) -> None:
    x, y = Real.of_f32(a), Real.of_f32(b)
    assert (x + y).fraction == exact(a) + exact(b)
    assert (x * y).fraction == exact(a) * exact(b)
    assert (x - y).fraction == exact(a) - exact(b)
    assert x.exceeds(y) == (exact(a) > exact(b))


def test_nan__is_neither_finite_nor_subnormal() -> None:
    assert not floats.is_finite(NAN)
    assert not floats.is_subnormal(NAN)


@pytest.mark.parametrize("dtype", HALVES)
def test_widen__every_16_bit_float__has_the_same_value(dtype: DType) -> None:
    words = torch.arange(-(2**15), 2**15, dtype=torch.int16)
    wide = words.view(HALVES[dtype]).float().view(torch.int32)
    for word, expected in zip(words.tolist(), wide.tolist(), strict=True):
        bits = floats.widen(word & 0xFFFF, dtype)
        assert bits == expected & 0xFFFFFFFF or (floats.is_nan(bits) and floats.is_nan(expected & 0xFFFFFFFF))


@pytest.mark.parametrize("dtype", HALVES)
@given(word=finite_bits)
def test_narrow__any_f32__is_rounded_as_torch_does(dtype: DType, word: int) -> None:
    value = torch.tensor([word - (word >> 31 << 32)], dtype=torch.int32).view(torch.float32)
    expected = value.to(HALVES[dtype]).float().view(torch.int32)
    assert floats.narrow(word, dtype) == int(expected) & 0xFFFFFFFF


@pytest.mark.parametrize("dtype", HALVES)
def test_round_to__beside_the_middle_of_two_numbers__sees_what_lies_below(dtype: DType) -> None:
    form = floats.FORMATS[dtype]
    one = 1 << form.digits
    assert floats.round_to(dtype, one + 1, -form.digits) == floats.round_to_f32(1, 0)
    for nudge, expected in ((-1, 1 << form.digits - 1), (1, (1 << form.digits - 1) + 1)):
        middle = ((one + 1) << 200) + nudge
        assert floats.round_to(dtype, middle, -200) == floats.round_to_f32(expected, 1)


@pytest.mark.parametrize(("dtype", "least"), [(DType.F16, 2.0**-14), (DType.BF16, 2.0**-126), (DType.F32, 2.0**-126)])
def test_least_normal__of_a_format__is_where_subnormals_end(dtype: DType, least: float) -> None:
    assert exact(floats.FORMATS[dtype].least_normal) == Fraction(least)
