from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.evaluate import evaluate, open_element
from rollup.judge.operator import Case
from rollup.judge.rows import enclosure_of
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict
from tests.parity.toy import one_step, step_on, tensor_of_bits
from tests.rollup.judge.f32 import INF, NAN, bits

EPS = 0x3727C5AC
NONE, ROOT, INVERSE = 0, 1, 2
Array = np.ndarray[tuple[int], np.dtype[np.float32]]


def words(values: Sequence[float | np.float32] | Array) -> list[int]:
    return [int(word) for word in np.asarray(values, np.float32).view(np.uint32)]


def case(op: Op, rows: Sequence[list[int]], extras: tuple[int, ...], value: int, dtype: DType = DType.F32) -> Case:
    """A step of one element over rows of f32."""
    operands = [tensor_of_bits(DType.F32, (1, len(row)), row) for row in rows]
    step = step_on(op, TensorSpec(dtype, (1,)), operands, 0, (len(rows[0]), *extras))
    opened = open_element(step, 0, partial(one_step(step, operands, [value]).values, 0))
    return Case(step, opened.values, opened.hint)


def verdict(op: Op, rows: Sequence[list[int]], extras: tuple[int, ...], value: int, factor: int = 0) -> Verdict:
    shown = case(op, rows, extras, value)
    return evaluate(shown.step, shown.values, shown.hint, factor).verdict


def sequential(row: Array) -> np.float32:
    total = np.float32(0)
    for value in row:
        total = np.float32(total + value)
    return total


def welford(row: Array) -> tuple[np.float32, np.float32]:
    mean = squares = np.float32(0)
    for number, value in enumerate(row, 1):
        apart = np.float32(value - mean)
        mean = np.float32(mean + np.float32(apart / np.float32(number)))
        squares = np.float32(squares + np.float32(apart * np.float32(value - mean)))
    return mean, squares


def draw(seed: int, count: int, mean: float = 0.0, scale: float = 1.0) -> Array:
    return (np.random.default_rng(seed).standard_normal(count) * scale + mean).astype(np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_sum__sequential_f32__is_inside(seed: int) -> None:
    row = draw(seed, 300, mean=[0.0, 1000.0][seed % 2])
    assert verdict(Op.SUM, [words(row)], (1, 0), words([sequential(row)])[0]) is Verdict.NO_FAULT
    mean = np.float32(sequential(row) * np.float32(1 / 300))
    assert verdict(Op.SUM, [words(row)], (300, 0), words([mean])[0]) is Verdict.NO_FAULT


def test_sum__value_beyond_a_bound__is_a_fault_of_that_bound() -> None:
    row = words(draw(1, 300))
    enclosure = enclosure_of(case(Op.SUM, [row], (1, 0), 0))
    assert enclosure is not None
    reaches = [float(enclosure.bound.reach(factor).fraction) for factor in (0, 256 * 4)]
    centre = float(enclosure.centre.fraction)
    for factor, reach, beyond in ((0, reaches[0], Verdict.BEYOND_SOUND), (1024, reaches[1], Verdict.BEYOND_CALIBRATED)):
        assert verdict(Op.SUM, [row], (1, 0), bits(centre + 0.9 * reach), factor) is Verdict.NO_FAULT
        assert verdict(Op.SUM, [row], (1, 0), bits(centre - 1.1 * reach - 1e-6), factor) is beyond
    assert reaches[0] > 10 * reaches[1]


def test_sum__derived__is_all_but_exact() -> None:
    row = words([1.0, 2.0**-30, 3.0])
    exact = bits(float(np.float32(4 + 2.0**-30)))
    assert verdict(Op.SUM, [row], (1, 1), exact) is Verdict.NO_FAULT
    assert verdict(Op.SUM, [row], (1, 1), exact + 1) is Verdict.BEYOND_SOUND


def test_sum__partial_sums_that_may_overflow__acquit_what_is_not_finite() -> None:
    row = words([3e38, 3e38, -3e38])
    assert verdict(Op.SUM, [row], (1, 0), INF) is Verdict.NO_FAULT
    assert verdict(Op.SUM, [words([1.0, 2.0])], (1, 0), NAN) is Verdict.BEYOND_SOUND
    assert verdict(Op.SUM, [row], (1, 1), INF) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("mean", [0.0, 1.0, 1000.0, 1e6])
@pytest.mark.parametrize("finish", [NONE, ROOT, INVERSE])
def test_spread__welford_and_two_passes__are_inside(mean: float, finish: int) -> None:
    for seed in range(5):
        row = draw(seed, 200, mean)
        committed = words([np.float32(row.astype(np.float64).mean())])
        centred = row - np.float32(sequential(row) / np.float32(200))
        for squares in (welford(row)[1], sequential(centred * centred)):
            variance = np.float32(squares / np.float32(199)) + np.float32(1e-5)
            honest = [variance, np.sqrt(variance), np.float32(1) / np.sqrt(variance)][finish]
            extras = (199, EPS, finish, 0)
            assert verdict(Op.SPREAD, [words(row), committed], extras, words([honest])[0]) is Verdict.NO_FAULT


def test_spread__a_tenth_off__is_a_fault() -> None:
    row = draw(3, 200)
    committed = words([row.mean()])
    deviation = float(row.std())
    for value in (deviation * 1.1, deviation * 0.9, -deviation, float("nan")):
        assert verdict(Op.SPREAD, [words(row), committed], (200, 0, ROOT, 0), bits(value)) is Verdict.BEYOND_SOUND


def test_spread__constant_row__is_zero_or_what_a_rounded_mean_makes_of_it() -> None:
    row = [bits(1000.1)] * 300
    extras = (300, 0, ROOT, 0)
    assert verdict(Op.SPREAD, [row, row[:1]], extras, 0) is Verdict.NO_FAULT
    assert verdict(Op.SPREAD, [row, row[:1]], extras, bits(300 * 2.0**-24 * 1000)) is Verdict.NO_FAULT
    assert verdict(Op.SPREAD, [row, row[:1]], extras, bits(1.0)) is Verdict.BEYOND_SOUND
    assert (
        verdict(Op.SPREAD, [row, row[:1]], (300, EPS, INVERSE, 1), bits(float(np.float32(1e-5)) ** -0.5))
        is Verdict.NO_FAULT
    )
    assert verdict(Op.SPREAD, [row, row[:1]], (300, EPS, INVERSE, 1), bits(316.3)) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("scale", [1e-30, 1e-39])
def test_spread__squares_that_underflow__may_be_flushed(scale: float) -> None:
    row = draw(5, 64, scale=scale)
    for value in (0.0, float(np.linalg.norm(row.astype(np.float64)))):
        assert verdict(Op.SPREAD, [words(row)], (1, 0, ROOT, 0), bits(value)) is Verdict.NO_FAULT
    assert verdict(Op.SPREAD, [words(row)], (1, 0, ROOT, 0), bits(1e-15)) is Verdict.BEYOND_SOUND
    assert verdict(Op.SPREAD, [words(row)], (1, 0, ROOT, 1), 0) is Verdict(2 if scale == 1e-30 else 0)


def test_spread__squares_that_may_overflow__acquit_in_f32_only() -> None:
    row = words([1e20, 2e20])
    assert verdict(Op.SPREAD, [row], (1, 0, ROOT, 0), bits(1.0)) is Verdict.NO_FAULT
    assert verdict(Op.SPREAD, [row], (1, 0, ROOT, 1), bits(1.0)) is Verdict.BEYOND_SOUND
    assert verdict(Op.SPREAD, [row], (1, 0, ROOT, 1), bits(5**0.5 * 1e20)) is Verdict.NO_FAULT


def test_spread__inverse_root_of_nothing__acquits() -> None:
    assert verdict(Op.SPREAD, [[0, 0]], (1, 0, INVERSE, 1), bits(1.0)) is Verdict.NO_FAULT


def test_expsum__rounded_once__is_inside_and_its_neighbours_are_not() -> None:
    row = draw(7, 500, scale=3.0)
    top = words([row.max()])
    honest = bits(float(np.float32(np.exp(row.astype(np.float64) - float(row.max())).sum())))
    assert verdict(Op.EXPSUM, [words(row), top], (1,), honest) is Verdict.NO_FAULT
    assert verdict(Op.EXPSUM, [words(row), top], (1,), honest + 1) is Verdict.BEYOND_SOUND
    assert verdict(Op.EXPSUM, [words(row), top], (1,), honest - 1) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize(("dtype", "near"), [(DType.F16, 0x3C00), (DType.BF16, 0x3F80)])
def test_sum__result_of_16_bits__may_be_rounded_to_f32_first(dtype: DType, near: int) -> None:
    # Above the middle of 1 and the next number by less than f32 sees: a tie, once it is rounded to f32.
    middle = 1 + 2.0**-11 if dtype is DType.F16 else 1 + 2.0**-8
    row = words([middle, 2.0**-26])
    for value in (near, near + 1):
        shown = case(Op.SUM, [row], (1, 1), value, dtype)
        assert evaluate(shown.step, shown.values, shown.hint).verdict is Verdict.NO_FAULT
    shown = case(Op.SUM, [row], (1, 1), near - 1, dtype)
    assert evaluate(shown.step, shown.values, shown.hint).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize(
    ("op", "operands", "extras"),
    [
        (Op.SUM, 1, (0, 0)),
        (Op.SUM, 1, (1, 2)),
        (Op.SPREAD, 1, (0, 0, 0, 0)),
        (Op.SPREAD, 1, (1, -1, 0, 0)),
        (Op.SPREAD, 1, (1, floats.INFINITY, 0, 0)),
        (Op.SPREAD, 2, (1, 0, 3, 0)),
        (Op.SPREAD, 2, (1, 0, 0, -1)),
        (Op.EXPSUM, 2, (0,)),
    ],
)
def test_rows__attribute_without_a_meaning__cannot_be_judged(op: Op, operands: int, extras: tuple[int, ...]) -> None:
    with pytest.raises(BadGraph, match="cannot have the attributes"):
        verdict(op, [[bits(1.0)]] * operands, extras, 0)


def test_rows__row_too_wide_for_one_proof__cannot_be_judged() -> None:
    with pytest.raises(BadGraph, match="a row of 8193 is too wide for one proof"):
        verdict(Op.SUM, [[0] * 8193], (1, 0), 0)
