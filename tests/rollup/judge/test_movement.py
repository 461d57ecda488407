from __future__ import annotations

import pytest

from rollup.errors import BadGraph
from rollup.graph import Op, Operand, Source, Step
from rollup.judge.elements import elements_needed
from rollup.judge.movement import find_filled, find_moved
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict


@pytest.mark.parametrize(
    ("value", "source", "dtype", "verdict"),
    [
        (0, 1 << 31, DType.F32, Verdict.BEYOND_SOUND),
        (0x7FC00000, 0x7F800000, DType.F32, Verdict.BEYOND_SOUND),
        (0x7F800000, 0x3F800000, DType.F32, Verdict.BEYOND_SOUND),
        (0x7C01, 0x7C00, DType.F16, Verdict.BEYOND_SOUND),
        (0x7F81, 0x7F80, DType.BF16, Verdict.BEYOND_SOUND),
        (0x7FC00000, 0x7FC00001, DType.I32, Verdict.BEYOND_SOUND),
        (1, 0, DType.BOOL, Verdict.BEYOND_SOUND),
        (0x7FC00000, 0xFFC00001, DType.F32, Verdict.NO_FAULT),
        (0x7C01, 0xFE00, DType.F16, Verdict.NO_FAULT),
        (0x7F81, 0xFFC1, DType.BF16, Verdict.NO_FAULT),
        (2**64 - 1, 2**64 - 1, DType.I64, Verdict.NO_FAULT),
    ],
)
def test_find_moved__value_and_source__must_have_equal_bits(
    value: int, source: int, dtype: DType, verdict: Verdict
) -> None:
    assert find_moved(value, source, dtype).verdict is verdict


@pytest.mark.parametrize(
    ("value", "fill", "dtype", "verdict"),
    [
        (0x3F800000, 0x3F800000, DType.F32, Verdict.NO_FAULT),
        (0x80000000, 0, DType.F32, Verdict.BEYOND_SOUND),
        (0xFC00, 0xFF800000, DType.F16, Verdict.NO_FAULT),
        (0xFF80, 0xFF800000, DType.BF16, Verdict.NO_FAULT),
        (0x2E66, 0x3DCCCCCD, DType.F16, Verdict.NO_FAULT),
        (0x2E67, 0x3DCCCCCD, DType.F16, Verdict.BEYOND_SOUND),
        (0x7E00, 0xFFC00000, DType.F16, Verdict.NO_FAULT),
        (2**64 - 1, -1, DType.I64, Verdict.NO_FAULT),
        (2**32 - 1, -1, DType.I32, Verdict.NO_FAULT),
        (1, 0, DType.BOOL, Verdict.BEYOND_SOUND),
    ],
)
def test_find_filled__value__is_the_fill_in_the_results_dtype(
    value: int, fill: int, dtype: DType, verdict: Verdict
) -> None:
    assert find_filled(value, fill, dtype).verdict is verdict


@pytest.mark.parametrize("fill", [-1, 2**32])
def test_pad__fill_that_is_no_float__cannot_be_judged(fill: int) -> None:
    for dtype in (DType.F32, DType.BF16):
        with pytest.raises(BadGraph, match=rf"PAD cannot have the attributes \({fill}, "):
            elements_needed(padded(dtype, fill), 0)
    assert len(elements_needed(padded(DType.I64, fill), 0)) == 1


def padded(dtype: DType, fill: int) -> Step:
    """One element of fill, then the operand's."""
    operand = Operand(Source.INPUT, 0, TensorSpec(dtype, (4,)))
    return Step(Op.PAD, TensorSpec(dtype, (5,)), (operand,), 1, (fill, 5, 4, 1))
