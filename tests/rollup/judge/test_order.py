from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.judge import floats
from rollup.judge.order import find_amax, find_argmax, signed_64
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, bits, finite_bits

MINUS_INF = INF | 1 << 31
rows = st.lists(st.one_of(finite_bits, st.just(MINUS_INF)), min_size=1, max_size=12)


def values(row: list[int]) -> np.ndarray:
    return np.array(row, np.uint32).view(np.float32)


@pytest.mark.parametrize("wrong", [INF, NAN, NAN | 1 << 31])
def test_find__row_with_nan_or_plus_infinity__acquits(wrong: int) -> None:
    assert find_amax(bits(9.0), [bits(1.0), wrong]).verdict is Verdict.NO_FAULT
    assert find_argmax(0, [bits(1.0), bits(2.0), wrong]).verdict is Verdict.NO_FAULT
    assert find_argmax(3, [bits(1.0), bits(2.0), wrong]).verdict is Verdict.NO_FAULT


@pytest.mark.parametrize("index", [2, 3, 2**63, 2**64 - 1])
def test_find_argmax__index_outside_the_row__is_a_fault(index: int) -> None:
    assert find_argmax(index, [bits(1.0), MINUS_INF]).verdict is Verdict.BEYOND_SOUND


@given(rows)
def test_find_amax__the_maximum__is_acquitted_and_its_neighbours_are_not(row: list[int]) -> None:
    greatest = bits(values(row).max())
    assert find_amax(greatest, row).verdict is Verdict.NO_FAULT
    if floats.is_finite(greatest) and floats.magnitude(greatest) > 0x00800000:
        assert find_amax(greatest + 1, row).verdict is Verdict.BEYOND_SOUND
        assert find_amax(greatest - 1, row).verdict is Verdict.BEYOND_SOUND
        assert find_amax(NAN, row).verdict is Verdict.BEYOND_SOUND


def test_find_amax__all_minus_infinity__has_only_that_maximum() -> None:
    row = [MINUS_INF, MINUS_INF]
    assert find_amax(MINUS_INF, row).verdict is Verdict.NO_FAULT
    assert find_amax(bits(-3e38), row).verdict is Verdict.BEYOND_SOUND


def test_find_amax__subnormal_maximum__may_be_flushed() -> None:
    row = [bits(-1.0), 5]
    assert find_amax(5, row).verdict is Verdict.NO_FAULT
    assert find_amax(0, row).verdict is Verdict.NO_FAULT
    assert find_amax(6, row).verdict is Verdict.BEYOND_SOUND


@given(rows, st.integers(0, 11))
def test_find_argmax__any_index__is_a_fault_unless_its_element_is_largest(row: list[int], place: int) -> None:
    index = place % len(row)
    chosen, greatest = values(row)[index], values(row).max()
    flushed = max(abs(float(chosen)), abs(float(greatest))) < 2.0**-126
    verdict = find_argmax(index, row).verdict
    assert (verdict is Verdict.NO_FAULT) == bool(chosen == greatest or flushed)


def test_find_argmax__excess__grows_with_the_gap() -> None:
    row = [bits(1.0), bits(1.5), bits(4.0)]
    assert find_argmax(0, row).excess > find_argmax(1, row).excess > 0


def test_signed_64__top_bit__is_negative() -> None:
    assert signed_64(2**64 - 1) == -1
    assert signed_64(2**63 - 1) == 2**63 - 1
