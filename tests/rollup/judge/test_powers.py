from __future__ import annotations

import pytest
import torch

from rollup.graph import Op
from rollup.judge.powers import is_odd
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, bits
from tests.rollup.judge.rounded import DTYPES, faults, samples, verdict

WRONG = bits(1e6)
EXPONENTS = (0.5, 2.0, 3.0, -0.5, -1.0, -2.0, 4.0, 1.5, -3.0, 7.0, 0.125, 30.0, -5.0, 0.0)


def power(value: float | int, a: float, b: float, factor: int = 0) -> Verdict:
    """Verdict on a power; an integer value is f32 bits."""
    return verdict(Op.POW, value if isinstance(value, int) else bits(value), [bits(a), bits(b)], (), factor)


@pytest.mark.parametrize("wrong", [INF, INF | 1 << 31, NAN])
def test_find__operand_not_finite__acquits(wrong: int) -> None:
    assert verdict(Op.POW, WRONG, [wrong, bits(2.0)]) is Verdict.NO_FAULT
    assert verdict(Op.POW, WRONG, [bits(2.0), wrong]) is Verdict.NO_FAULT


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (-0.0, 2.0), (0.0, -1.0), (-2.0, 0.5), (-2.0, 1e-40)])
def test_find__no_real_power__acquits(a: float, b: float) -> None:
    assert power(WRONG, a, b) is Verdict.NO_FAULT


@pytest.mark.parametrize(
    ("value", "odd"),
    [(0.0, False), (1.0, True), (2.0, False), (-3.0, True), (0.5, None), (1e-40, None), (2.0**23 + 1, True),
     (2.0**24 + 2, False), (1e30, False), (1.5, None), (3.25, None), (8388607.5, None)],
)  # fmt: skip
def test_is_odd__any_float__is_its_parity_or_none(value: float, odd: bool | None) -> None:
    assert is_odd(bits(value)) is odd


def test_find__negative_base__has_the_sign_of_the_parity() -> None:
    assert power(-8.0, -2.0, 3.0) is Verdict.NO_FAULT
    assert power(8.0, -2.0, 3.0) is Verdict.BEYOND_SOUND
    assert power(16.0, -2.0, 4.0) is Verdict.NO_FAULT
    assert power(-16.0, -2.0, 4.0) is Verdict.BEYOND_SOUND


def test_find__zero_exponent__is_one() -> None:
    assert power(1.0, -7.5, 0.0) is Verdict.NO_FAULT
    assert power(1.0001, -7.5, 0.0) is Verdict.BEYOND_SOUND


def test_find__infinite_value__is_a_fault_where_no_reciprocal_overflows() -> None:
    assert power(INF, 3e-20, -2.0) is Verdict.NO_FAULT
    assert power(INF, 1e-15, -2.0) is Verdict.BEYOND_SOUND
    assert power(INF, 1e-40, -0.25) is Verdict.NO_FAULT


def test_find__factor__narrows_the_bound() -> None:
    near = 9.0 * (1 + 2**-21)
    assert power(near, 3.0, 2.0) is Verdict.NO_FAULT
    assert power(near, 3.0, 2.0, factor=256) is Verdict.BEYOND_CALIBRATED
    assert power(9.0 * (1 + 2**-18), 3.0, 2.0, factor=256) is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_find__results_of_scalar_powers__are_honest(exponent: float, dtype: torch.dtype) -> None:
    x = samples(dtype, 60)
    assert not faults(Op.POW, torch.pow(x, exponent), [x, torch.tensor([exponent], dtype=dtype)])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_find__results_of_powers_of_tensors__are_honest(dtype: torch.dtype) -> None:
    x = samples(dtype, 200)
    exponents = (torch.randn(x.numel(), generator=torch.Generator().manual_seed(2)) * 3).to(dtype)
    assert not faults(Op.POW, torch.pow(x, exponents), [x, exponents])
