from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.pointwise import find_pair
from rollup.judge.unary import find_relu
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, any_bits, bits, exact, finite_bits, nearest

MINUS = 1 << 31
LEAST = 0x00800000
pair_ops = st.sampled_from([Op.ADD, Op.MUL])


def allowed(op: Op, a: int, b: int) -> tuple[Fraction, Fraction] | None:
    """The interval of the protocol over fractions; None if an end overflows."""
    readings = [(exact(x), Fraction(0)) if floats.is_subnormal(x) else (exact(x),) for x in (a, b)]
    ends = [nearest(x + y if op is Op.ADD else x * y) for x, y in itertools.product(*readings)]
    if any(end & INF == INF for end in ends):
        return None
    values = [exact(end) for end in ends]
    low, high = min(values), max(values)
    if min(abs(low), abs(high)) <= Fraction(2) ** -126:
        low, high = min(low, Fraction(0)), max(high, Fraction(0))
    return low, high


@pytest.mark.parametrize(
    ("op", "wrong"), [(Op.ADD, INF), (Op.ADD, NAN), (Op.MUL, INF), (Op.MUL, INF | MINUS), (Op.MUL, NAN)]
)
def test_find_pair__operand_not_finite__acquits(op: Op, wrong: int) -> None:
    for operands in ((wrong, bits(1.0)), (bits(1.0), wrong)):
        assert find_pair(op, bits(7.0), *operands).verdict is Verdict.NO_FAULT


@given(pair_ops, finite_bits, finite_bits, any_bits)
def test_find_pair__any_value__is_a_fault_exactly_outside_the_interval(op: Op, a: int, b: int, value: int) -> None:
    ends = allowed(op, a, b)
    verdict = find_pair(op, value, a, b).verdict
    if ends is not None:
        inside = value & INF != INF and ends[0] <= exact(value) <= ends[1]
        assert (verdict is Verdict.NO_FAULT) == inside


@given(pair_ops, finite_bits, finite_bits)
def test_find_pair__numpy_s_own_result__is_acquitted(op: Op, a: int, b: int) -> None:
    x, y = np.uint32(a).view(np.float32), np.uint32(b).view(np.float32)
    with np.errstate(all="ignore"):
        result = x + y if op is Op.ADD else x * y
    assert find_pair(op, bits(result), a, b).verdict is Verdict.NO_FAULT
    if 0 < floats.magnitude(bits(result)) < LEAST:
        assert find_pair(op, 0, a, b).verdict is Verdict.NO_FAULT


@given(pair_ops, finite_bits, finite_bits)
def test_find_pair__one_step_beside_a_normal_result__is_a_fault(op: Op, a: int, b: int) -> None:
    ends = allowed(op, a, b)
    if ends is not None and ends[0] == ends[1] and abs(ends[0]) >= Fraction(2) ** -125:
        finding = find_pair(op, nearest(ends[0]) + 1, a, b)
        assert finding.verdict is Verdict.BEYOND_SOUND
        assert finding.excess >= 1


def test_find_pair__overflow__is_infinite_and_nothing_less() -> None:
    great = 0x7F7FFFFF
    assert find_pair(Op.ADD, INF, great, great).verdict is Verdict.NO_FAULT
    assert find_pair(Op.ADD, great, great, great).verdict is Verdict.BEYOND_SOUND
    assert find_pair(Op.ADD, INF, great, bits(1.0)).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize(
    ("value", "operand", "verdict"),
    [
        (bits(-1.0), bits(-1.0), Verdict.BEYOND_SOUND),
        (bits(1.0), bits(-1.0), Verdict.BEYOND_SOUND),
        (INF, bits(1.0), Verdict.BEYOND_SOUND),
        (NAN, bits(-1.0), Verdict.BEYOND_SOUND),
        (0, bits(1.0), Verdict.BEYOND_SOUND),
        (7, INF, Verdict.NO_FAULT),
        (7, NAN, Verdict.NO_FAULT),
        (0, bits(-1.0), Verdict.NO_FAULT),
        (MINUS, bits(-1.0), Verdict.NO_FAULT),
        (bits(1.5), bits(1.5), Verdict.NO_FAULT),
        (0, 1, Verdict.NO_FAULT),
        (1, 1, Verdict.NO_FAULT),
        (LEAST - 1, LEAST - 1, Verdict.NO_FAULT),
        (0, LEAST, Verdict.BEYOND_SOUND),
    ],
)
def test_find_relu__value_and_operand__is_judged(value: int, operand: int, verdict: Verdict) -> None:
    assert find_relu(value, operand).verdict is verdict


def test_find_pair__product_rounded_up_to_the_least_normal__kept_or_flushed() -> None:
    below, one = (0x00800001, 0x3F7FFFFE), bits(1.0)
    assert find_pair(Op.MUL, LEAST, *below).verdict is Verdict.NO_FAULT
    assert find_pair(Op.MUL, 0, *below).verdict is Verdict.NO_FAULT
    assert find_pair(Op.MUL, LEAST + 1, *below).verdict is Verdict.BEYOND_SOUND
    assert find_pair(Op.MUL, 0, LEAST + 1, one).verdict is Verdict.BEYOND_SOUND
