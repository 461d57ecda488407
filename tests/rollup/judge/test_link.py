from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given

from rollup.graph import Op
from rollup.judge.link import Bands, find_bits, find_f32, find_label, find_link
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict
from tests.parity.toy import step_on, tensor_of_bits
from tests.rollup.judge.f32 import INF, NAN, bits, exact, finite_bits

MINUS_INF = INF | 1 << 31
BANDS = Bands(bits(0.25), bits(1.0))


@given(finite_bits, finite_bits)
def test_find_f32__difference__is_measured_exactly(claimed: int, traced: int) -> None:
    distance = abs(exact(claimed) - exact(traced))
    expected = Verdict((distance > Fraction(1, 4)) + (distance > 1))
    finding = find_f32(claimed, traced, BANDS)
    assert finding.verdict is expected
    assert finding.excess == (distance if expected else 0)


@pytest.mark.parametrize(
    ("claimed", "traced", "verdict"),
    [
        (INF, bits(3e38), Verdict.BEYOND_SOUND),
        (NAN, bits(0.0), Verdict.BEYOND_SOUND),
        (bits(1.0), NAN, Verdict.NO_FAULT),
        (bits(1.0), INF, Verdict.NO_FAULT),
        (bits(2.0), bits(1.0), Verdict.BEYOND_CALIBRATED),
        (bits(1.25), bits(1.0), Verdict.NO_FAULT),
    ],
)
def test_find_f32__edges__are_as_the_protocol_says(claimed: int, traced: int, verdict: Verdict) -> None:
    assert find_f32(claimed, traced, BANDS).verdict is verdict


def test_find_f32__bands_of_zero__allow_equality_only() -> None:
    assert find_f32(bits(1.0), bits(1.0), Bands(0, 0)).verdict is Verdict.NO_FAULT
    assert find_f32(0, 1 << 31, Bands(0, 0)).verdict is Verdict.NO_FAULT
    assert find_f32(1, 0, Bands(0, 0)).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize(
    ("own", "larger", "verdict"),
    [
        (bits(0.0), bits(2.0), Verdict.BEYOND_SOUND),
        (bits(1.5), bits(2.0), Verdict.BEYOND_CALIBRATED),
        (bits(1.75), bits(2.0), Verdict.NO_FAULT),
        (bits(2.0), bits(0.0), Verdict.NO_FAULT),
        (bits(0.0), INF, Verdict.NO_FAULT),
        (NAN, bits(0.0), Verdict.NO_FAULT),
        (INF, bits(0.0), Verdict.NO_FAULT),
        (MINUS_INF, MINUS_INF, Verdict.NO_FAULT),
        (MINUS_INF, bits(-3e38), Verdict.BEYOND_SOUND),
    ],
)
def test_find_label__claimed_logit__is_measured_against_the_hinted_one(own: int, larger: int, verdict: Verdict) -> None:
    assert find_label([own, larger], BANDS).verdict is verdict


def test_find_label__label_outside_its_row__is_beyond_everything() -> None:
    assert find_label([], BANDS).verdict is Verdict.BEYOND_SOUND


def test_find_link__output_of_16_bits__has_bands_as_others() -> None:
    step = step_on(Op.RELU, TensorSpec(DType.BF16, (1,)), [tensor_of_bits(DType.BF16, (1,), [0])])
    assert find_link(step, 0x3F80, [0x3F90], BANDS).verdict is Verdict.NO_FAULT
    assert find_link(step, 0x3F80, [0x4010], BANDS).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("band", [INF, NAN, 1 << 31, bits(-1.0)])
def test_find_f32__band_that_is_no_size__bounds_nothing(band: int) -> None:
    assert find_f32(bits(1.0), bits(9.0), Bands(band, band)).verdict is Verdict.NO_FAULT


def test_find_bits__other_bits__are_beyond_everything() -> None:
    assert find_bits(1, 2).verdict is Verdict.BEYOND_SOUND
    assert find_bits(2, 2).verdict is Verdict.NO_FAULT
