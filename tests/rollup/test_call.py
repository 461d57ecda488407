"""Calls and their options; the table of functions is whole."""

from __future__ import annotations

import math

import pytest

from rollup.call import SIGNATURES, Call, Function, Place, Value, f32_bits, f32_value
from rollup.errors import BadGraph
from rollup.expansion import RULES as EXPANDED
from rollup.functions import FUSED, MAX_LIST
from rollup.lowering import RULES as LOWERED
from rollup.shapes import RULES as SHAPED
from tests.rollup.programs import INPUT, f32, options


def test_every_function__has_a_signature_a_shape_and_a_way_to_steps() -> None:
    assert set(SIGNATURES) == set(SHAPED) == set(Function)
    assert set(LOWERED) | set(EXPANDED) == set(Function)
    assert set(LOWERED) & set(EXPANDED) == {Function.SUM, Function.AVG_POOL2D}
    assert set(EXPANDED) - set(LOWERED) == FUSED


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (Function.FULL, 0, 0),
        (Function.RELU, 1, 1),
        (Function.CONV2D, 2, 3),
        (Function.BATCH_NORM, 4, 6),
        (Function.CAT, 1, MAX_LIST),
        (Function.LSTM, 4, 3 + MAX_LIST),
    ],
)
def test_a_signature__counts_operands(function: Function, least: int, most: int) -> None:
    assert (SIGNATURES[function].least, SIGNATURES[function].most) == (least, most)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -2.5, 1e-45, float("inf"), float("-inf")])
def test_a_float__is_an_option_and_comes_back(value: float) -> None:
    assert math.copysign(1, f32_value(f32_bits(value))) == math.copysign(1, value)
    assert f32_value(f32_bits(value)) == pytest.approx(value, rel=0.5)


def test_a_float__is_rounded_to_f32() -> None:
    assert f32_bits(0.1) == 0x3DCCCCCD
    assert f32_bits(1e300) == 0x7F800000
    assert f32_bits(-1e300) == 0xFF800000


def test_an_option_that_is_no_float__is_refused() -> None:
    call = Call(Function.LEAKY_RELU, (INPUT,), options(slope=(2**32,)))
    with pytest.raises(BadGraph, match="slope is 4294967296, not the bits of a f32"):
        call.real("slope")


def test_a_value__counts_the_blocks_of_a_request() -> None:
    assert Value(f32(2, 6, 3), batched=True, place=Place(1, 3)).outer == 6
    assert Value(f32(2, 6), batched=True).leads
    assert not Value(f32(2, 6), batched=True, place=Place(1)).leads
    assert Value(f32(1, 6), batched=True, place=Place(1)).leads


def test_mixed_requests__have_no_part_of_one() -> None:
    value = Value(f32(2, 6), batched=True, place=None)
    assert not value.leads
    with pytest.raises(BadGraph, match="mixed"):
        _ = value.outer
