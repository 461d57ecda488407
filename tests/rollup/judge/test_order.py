from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge import floats
from rollup.judge.elements import elements_after
from rollup.judge.evaluate import Opened, evaluate, open_tensors
from rollup.judge.order import find_amax, find_argmax, index_of_largest, signed_64
from rollup.judge.reads import Run
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict
from tests.parity.toy import step_on, tensor_of_bits
from tests.rollup.judge.f32 import INF, NAN, bits, finite_bits

MINUS_INF = INF | 1 << 31
rows = st.lists(st.one_of(finite_bits, st.just(MINUS_INF)), min_size=1, max_size=12)


def values(row: list[int]) -> np.ndarray:
    return np.array(row, np.uint32).view(np.float32)


def argmax_step(row: list[int], dtype: DType = DType.F32) -> Step:
    """Of two rows; the second is meant."""
    return step_on(
        Op.ARGMAX, TensorSpec(DType.I64, (2,)), [tensor_of_bits(dtype, (2, len(row)), row * 2)], 0, (len(row),)
    )


def opened(row: list[int], index: int, dtype: DType = DType.F32) -> Opened:
    """What is opened of row 1 with committed `index`."""
    step = argmax_step(row, dtype)
    tensors = [tensor_of_bits(DType.I64, (2,), [0, index]), tensor_of_bits(dtype, (2, len(row)), row * 2)]
    return open_tensors(step, 1, tensors)


@pytest.mark.parametrize("wrong", [INF, NAN, NAN | 1 << 31])
def test_find__nan_or_plus_infinity__acquits(wrong: int) -> None:
    assert find_amax(bits(9.0), [bits(1.0), wrong]).verdict is Verdict.NO_FAULT
    assert find_argmax(bits(1.0), wrong).verdict is Verdict.NO_FAULT
    assert find_argmax(wrong, bits(1.0)).verdict is Verdict.NO_FAULT


@pytest.mark.parametrize("index", [2, 3, 2**63, 2**64 - 1])
def test_argmax__index_outside_the_row__is_a_fault_that_opens_nothing_else(index: int) -> None:
    row = [bits(1.0), MINUS_INF]
    shown = opened(row, index)
    assert shown.runs == (Run(0, 1, 1),)
    assert evaluate(argmax_step(row), shown.values).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("hint", [-1, 3])
def test_argmax__hint_outside_the_row__cannot_be_judged(hint: int) -> None:
    row = [0, 0, 0]
    with pytest.raises(BadGraph, match=f"hint {hint} is outside a row of 3"):
        elements_after(argmax_step(row), 1, ((0,),), hint)


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
def test_argmax__any_index__is_a_fault_unless_its_element_is_largest(row: list[int], place: int) -> None:
    index = place % len(row)
    chosen, greatest = values(row)[index], values(row).max()
    flushed = max(abs(float(chosen)), abs(float(greatest))) < 2.0**-126
    shown = opened(row, index)
    assert [run.count for run in shown.runs] == [1, 1, 1]
    verdict = evaluate(argmax_step(row), shown.values, shown.hint).verdict
    assert (verdict is Verdict.NO_FAULT) == bool(chosen == greatest or flushed)


@pytest.mark.parametrize(("dtype", "row"), [(DType.F16, [0x3C00, 0xFC00, 0x3C01]), (DType.BF16, [0x3F80, 0, 0x3F81])])
def test_argmax__row_of_16_bits__is_read_as_what_it_is(dtype: DType, row: list[int]) -> None:
    for index, verdict in ((0, Verdict.BEYOND_SOUND), (2, Verdict.NO_FAULT)):
        shown = opened(row, index, dtype)
        assert evaluate(argmax_step(row, dtype), shown.values, shown.hint).verdict is verdict


def test_find_argmax__excess__grows_with_the_gap() -> None:
    assert find_argmax(bits(1.0), bits(4.0)).excess > find_argmax(bits(1.5), bits(4.0)).excess > 0


def test_index_of_largest__nan__is_never_named() -> None:
    assert index_of_largest([NAN, MINUS_INF, bits(-1.0), NAN | 1 << 31]) == 2


def test_signed_64__top_bit__is_negative() -> None:
    assert signed_64(2**64 - 1) == -1
    assert signed_64(2**63 - 1) == 2**63 - 1
