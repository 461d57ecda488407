"""The window and the bound against fractions; honest sums in every order against the bound."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollup.judge import contraction, floats
from rollup.judge.contraction import ONE, Element, bounds, find, hint_of
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, all_bits, any_bits, bits, exact, exact_sum, finite_bits, nearest

pairs_of = st.lists(st.tuples(finite_bits, finite_bits), min_size=1, max_size=24)
biases = st.lists(finite_bits, max_size=1)
U = Fraction(1, 2**24)


def judged(value: int, a: list[int], b: list[int], bias: list[int] | tuple[int, ...] = (), factor: int = 0) -> Verdict:
    return find(Element(value, a, b, bias), hint_of(a, b, bias), factor).verdict


def test_bounds__hint_below_a_term__is_unsure() -> None:
    row = [bits(1.0), bits(2.0)]
    assert bounds(row, row, [], 256, 0) is not None
    assert bounds(row, row, [], 255, 0) is None


def test_bounds__hint_below_a_zero_operand_s_exponent__is_unsure() -> None:
    zero, great = [0, bits(1.0)], [bits(1e38), bits(1.0)]
    top = 1 + floats.scale(great[0])
    assert bounds(zero, great, [], max(top, 254), 0) is not None
    assert bounds([0], [great[0]], [], top - 1, 0) is None


def test_bounds__unit_too_small_for_flushing__is_unsure() -> None:
    tiny = [bits(2.0**-120)]
    assert bounds(tiny, tiny, [], floats.scale(tiny[0]) * 2, 0) is None
    assert bounds(tiny, tiny, [], hint_of(tiny, tiny), 0) is not None


@pytest.mark.parametrize("wrong", [INF, INF | 1 << 31, NAN])
@pytest.mark.parametrize("place", ["a", "b", "bias"])
def test_find__operand_not_finite__acquits(wrong: int, place: str) -> None:
    rows = {"a": [ONE, ONE], "b": [ONE, ONE], "bias": [ONE]}
    rows[place] = [wrong, *rows[place][1:]]
    assert judged(bits(999.0), rows["a"], rows["b"], rows["bias"]) is Verdict.NO_FAULT


def test_find__too_many_terms__acquits() -> None:
    row = [ONE] * 65_535
    assert judged(0, row, row) is Verdict.BEYOND_SOUND
    assert judged(0, row, row, [ONE]) is Verdict.NO_FAULT


@given(pairs_of, biases)
def test_bounds__any_finite_operands__enclose_the_exact_sum(pairs: list[tuple[int, int]], bias: list[int]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    limits = bounds(a, b, bias, hint_of(a, b, bias), 0)
    assert limits is not None
    unit = Fraction(2) ** limits.exponent
    terms = [*pairs, *((value, ONE) for value in bias)]
    assert limits.lo * unit <= exact_sum(terms) <= limits.hi * unit
    mass = sum(abs(exact(x) * exact(y)) for x, y in terms)
    n = len(terms)
    assert limits.mass * unit >= mass
    ups = sum(max(exact(x) * exact(y), Fraction(0)) for x, y in terms)
    # One rounding of each product, and of n - 1 sums that are no larger than what the terms of one sign add up to.
    least_rounding = (mass + (n - 1) * max(ups, mass - ups)) * U / (1 - n * U)
    flushed = sum(abs(exact(x) * exact(y)) for x, y in terms if floats.is_subnormal(x) or floats.is_subnormal(y))
    least = least_rounding + flushed + n * Fraction(1, 2**124)
    # At least the bound that the theory asks for; above it only what the window cuts off and whole units add.
    assert least <= limits.sound * unit
    window = n * contraction.DROPPED * unit
    assert limits.sound * unit <= least + 2 * n * U / (1 - n * U) * window + (n + 2) * unit
    assert (limits.hi - limits.lo) * unit == 2 * window


@given(pairs_of, biases, st.randoms(use_true_random=False), st.sampled_from([1, -1]))
def test_bounds__any_tree_of_sums_with_the_worst_roundings__lies_inside(
    pairs: list[tuple[int, int]], bias: list[int], random: Random, way: int
) -> None:
    """Every product and every partial sum rounded one way, as far as it may be; summed by sign, or in any tree."""
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    limits = bounds(a, b, bias, hint_of(a, b, bias), 0)
    assert limits is not None
    products = [exact(x) * exact(y) for x, y in pairs]
    exactly = sum(products, Fraction(0)) + sum((exact(value) for value in bias), Fraction(0))
    terms = [term + way * abs(term) * U for term in products] + [exact(value) for value in bias]
    if random.random() < 0.5:
        terms.sort(reverse=random.random() < 0.5)
        order = [(0, 0)] * (len(terms) - 1)
    else:
        order = [(random.randrange(n), random.randrange(n - 1)) for n in range(len(terms), 1, -1)]
    for first, second in order:
        total = terms.pop(first) + terms.pop(second)
        terms.insert(0, total + way * abs(total) * U)
    assert abs(terms[0] - exactly) <= limits.sound * Fraction(2) ** limits.exponent


@pytest.mark.parametrize("terms", [1, 2, 3, 16, 17])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_bounds__terms_below_the_window__are_enclosed_by_the_cut(terms: int, above: int) -> None:
    greatest = [0x3FFFFFFF] * terms
    hint = 2 * floats.scale(greatest[0]) + contraction.window_bits(terms) + above
    limits = bounds(greatest, greatest, [], hint, 0)
    assert limits is not None
    total = exact_sum(zip(greatest, greatest, strict=True)) / Fraction(2) ** limits.exponent
    assert limits.lo <= total <= limits.hi
    assert (limits.lo == -limits.hi) == (above > 0)


@given(pairs_of, biases, st.integers(1, 2**20))
def test_bounds__calibrated__is_the_factor_of_the_mass(
    pairs: list[tuple[int, int]], bias: list[int], factor: int
) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    limits = bounds(a, b, bias, hint_of(a, b, bias), factor)
    assert limits is not None
    assert limits.calibrated is not None
    n = len(pairs) + len(bias)
    assert limits.calibrated <= limits.sound
    slack = bounds(a, b, bias, hint_of(a, b, bias), 1)
    assert slack is not None
    assert slack.calibrated is not None
    # What one unit leaves out of the factor's is a share of the mass.
    share = Fraction(factor - 1, 256) * U / (1 - n * U) * limits.mass
    assert limits.calibrated == limits.sound or abs(limits.calibrated - slack.calibrated - share) <= 2


@given(pairs_of, biases, any_bits)
def test_find__any_value__is_a_fault_exactly_outside_the_rounded_bound(
    pairs: list[tuple[int, int]], bias: list[int], value: int
) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    limits = bounds(a, b, bias, hint_of(a, b, bias), 0)
    assert limits is not None
    unit = Fraction(2) ** limits.exponent
    low, high = nearest((limits.lo - limits.sound) * unit), nearest((limits.hi + limits.sound) * unit)
    verdict = judged(value, a, b, bias)
    if value & INF == INF:
        assert (verdict is Verdict.BEYOND_SOUND) == (nearest((limits.mass + limits.sound) * unit) != INF)
    else:
        inside = floats.ordinal(low) <= floats.ordinal(value) <= floats.ordinal(high)
        assert (verdict is Verdict.NO_FAULT) == inside


@given(pairs_of, biases)
def test_find__one_step_beyond_the_bound__is_a_fault(pairs: list[tuple[int, int]], bias: list[int]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    limits = bounds(a, b, bias, hint_of(a, b, bias), 0)
    assert limits is not None
    last = floats.round_to_f32(limits.hi + limits.sound, limits.exponent)
    assume(0 <= floats.ordinal(last) < 0x7F7FFFFF)
    assert judged(last, a, b, bias) is Verdict.NO_FAULT
    assert judged(floats.ordinal(last) + 1, a, b, bias) is Verdict.BEYOND_SOUND


def test_find__between_calibrated_and_sound__is_rejected_only_with_the_factor() -> None:
    a, b = [ONE] * 1024, [ONE] * 1024
    value = bits(1024.02)
    assert judged(value, a, b, factor=256) is Verdict.BEYOND_CALIBRATED
    assert judged(value, a, b, factor=0) is Verdict.NO_FAULT
    assert judged(bits(1024.2), a, b, factor=256) is Verdict.BEYOND_SOUND


def test_find__excess__is_the_distance_in_sound_bounds() -> None:
    a, b = [ONE] * 1024, [ONE] * 1024
    near, far = (find(Element(bits(y), a, b), hint_of(a, b), 0).excess for y in (1024.02, 1025.0))
    assert 0 < near < 1 < far
    assert abs(far / near - 50) < 2
    assert find(Element(bits(1024.0), a, b), hint_of(a, b), 0).excess == 0


@pytest.mark.parametrize("flushed", [0.0, 2.0**-130])
def test_find__honest_hardware_that_flushes_subnormals__is_acquitted(flushed: float) -> None:
    a, b = [bits(2.0**-130), bits(1.0)], [bits(1.0), bits(2.0**-126)]
    assert judged(bits(2.0**-126 + flushed), a, b) is Verdict.NO_FAULT


def fma(a: np.ndarray, b: np.ndarray) -> np.float32:
    total = np.float32(0)
    for x, y in zip(a, b, strict=True):
        # A product of two f32 is exact in f64, but its sum there is rounded once more: as good as an fma here.
        total = np.float32(np.float64(x) * np.float64(y) + np.float64(total))
    return total


def sequential(products: np.ndarray) -> np.float32:
    return np.float32(np.add.accumulate(products, dtype=np.float32)[-1])


def pairwise(products: np.ndarray) -> np.float32:
    while len(products) > 1:
        if len(products) % 2:
            products = np.append(products, np.float32(0))
        products = (products[0::2] + products[1::2]).astype(np.float32)
    return np.float32(products[0])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(1, 300),
    kind=st.sampled_from(["normal", "constant", "wild", "cancelling", "subnormal"]),
)
def test_find__honest_sum_in_any_order__is_never_beyond_the_sound_bound(seed: int, length: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    a, b = honest_rows(random, length, kind)
    with np.errstate(all="ignore"):
        products = (a * b).astype(np.float32)
        order = random.permutation(len(products))
        values = [sequential(products), sequential(products[order]), pairwise(products), fma(a, b), np.dot(a, b)]
    for value in values:
        assert judged(bits(value), all_bits(a), all_bits(b)) is Verdict.NO_FAULT


def honest_rows(random: np.random.Generator, length: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    normal = [random.standard_normal(length).astype(np.float32) for _ in range(2)]
    if kind == "constant":
        return np.full(length, normal[0][0]), np.full(length, normal[1][0])
    if kind == "wild":
        return tuple((x * np.exp2(random.uniform(-60, 60, length))).astype(np.float32) for x in normal)  # type: ignore[return-value]
    if kind == "cancelling":
        half = np.concatenate([normal[0], -normal[0]])
        return half, np.concatenate([normal[1], normal[1]])
    if kind == "subnormal":
        return (normal[0] * np.float32(1e-39)).astype(np.float32), normal[1]
    return normal[0], normal[1]
