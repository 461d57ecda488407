from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from rollup.judge import floats
from rollup.judge.windows import exponentials_of, hint_of, squares_of, sum_of
from tests.rollup.judge.f32 import INF, NAN, bits, exact, finite_bits

MINUS_INF = INF | 1 << 31
rows = st.lists(finite_bits, min_size=1, max_size=20)
slack = st.integers(0, 30)


@given(rows, slack)
def test_sum_of__any_row__encloses_the_exact_sum(row: list[int], above: int) -> None:
    hint = min(hint_of(row) + above, 254)
    found = sum_of(row, hint)
    assert found is not None
    values = [exact(value) for value in row]
    assert abs(found.total.fraction - sum(values)) <= found.cut.fraction + found.mass.fraction / 2**120
    assert found.mass.fraction * (1 + Fraction(1, 2**120)) >= sum(abs(value) for value in values)
    assert found.cut.fraction <= len(row) * Fraction(2) ** (hint - 90 - 150 + 24)


def test_sum_of__far_apart__cuts_what_is_below_the_window() -> None:
    found = sum_of([bits(2.0**100), bits(2.0**-100), bits(-(2.0**100))], hint_of([bits(2.0**100)]))
    assert found is not None
    assert not found.total


@given(rows, finite_bits, slack)
def test_squares_of__any_row_and_mean__encloses_the_exact_sum(row: list[int], mean: int, above: int) -> None:
    found = squares_of(row, mean, min(hint_of([*row, mean]) + above, 254))
    assert found is not None
    squares = sum((exact(value) - exact(mean)) ** 2 for value in row)
    low, high = (end.fraction for end in found)
    assert low <= squares <= high * (1 + Fraction(1, 2**120))


@given(st.floats(-(2.0**100), 2.0**100, width=32), st.integers(1, 8))
def test_squares_of__neighbours__are_told_apart(centre: float, count: int) -> None:
    # The hardest case: all deviations are one last place.
    mean = bits(centre)
    found = squares_of([mean ^ 1] * count, mean, floats.scale(mean))
    assert found is not None
    low, high = (end.fraction for end in found)
    assert low > 0
    assert high / low < 1 + Fraction(1, 2**48)


@pytest.mark.parametrize("wrong", [INF, MINUS_INF, NAN])
def test_windows__element_not_finite__is_unknown(wrong: int) -> None:
    row = [bits(1.0), wrong]
    assert sum_of(row, 254) is None
    assert squares_of(row, bits(1.0), 254) is None
    assert squares_of([bits(1.0)], wrong, 254) is None


@pytest.mark.parametrize("hint", [-1, 0, 126, 255, 2**31 - 1])
def test_windows__hint_below_the_row_or_beyond_all__is_unknown(hint: int) -> None:
    assert sum_of([bits(1.0)], hint) is None
    assert squares_of([bits(1.0)], 0, hint) is None
    assert squares_of([0], bits(1.0), hint) is None


@given(st.lists(st.floats(-200, 10, width=32), min_size=1, max_size=12), st.floats(-5, 90, width=32))
def test_exponentials_of__any_row__is_the_sum(row: list[float], top: float) -> None:
    found = exponentials_of([bits(value) for value in row], bits(top))
    assert found is not None
    mp.prec = 200
    expected = sum((mp.exp(mpf(value) - mpf(top)) for value in row), mpf(0))
    received = mpf(found.mantissa) * mpf(2) ** found.exponent
    assert abs(received - expected) <= expected * mpf(2) ** -60 + len(row) * mpf(2) ** -213


def test_exponentials_of__masks__are_nothing() -> None:
    assert exponentials_of([MINUS_INF, bits(1.0)], bits(1.0)) == exponentials_of([bits(1.0)], bits(1.0))
    nothing = exponentials_of([MINUS_INF], bits(1.0))
    assert nothing is not None
    assert not nothing
    assert exponentials_of([bits(-3e38)], bits(1.0)) == nothing


@pytest.mark.parametrize(
    ("row", "top"),
    [([NAN], 0), ([INF], 0), ([0], INF), ([0], MINUS_INF), ([0], NAN), ([bits(17.5)], bits(1.0))],
)
def test_exponentials_of__no_honest_row__is_unknown(row: list[int], top: int) -> None:
    assert exponentials_of(row, top) is None
