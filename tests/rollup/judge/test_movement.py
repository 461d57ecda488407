from __future__ import annotations

import pytest

from rollup.judge.movement import find_moved
from rollup.tensor import DType
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
