"""Weights that are not finite: what was another before is a fault, a mask that stays one is not."""

from __future__ import annotations

import numpy as np
import pytest

from prover.known import Held
from prover.weight_proof import Trained, is_broken, prove_broken
from rollup.tensor import DType, Tensor, TensorSpec

SIZE = 300
F32 = TensorSpec(DType.F32, (SIZE,))
KINDS = {DType.F32: ">u4", DType.F16: ">u2", DType.BF16: ">u2"}
# One, both infinities and a NaN, by dtype.
ONE, INFINITY, MASK, NAN = range(4)
BITS = {
    DType.F32: (0x3F800000, 0x7F800000, 0xFF800000, 0x7FC00000),
    DType.F16: (0x3C00, 0x7C00, 0xFC00, 0x7E00),
    DType.BF16: (0x3F80, 0x7F80, 0xFF80, 0x7FC0),
}
FLOATS = list(KINDS)


def weight(dtype: DType, element: int, bits: int) -> Tensor:
    """Ones, but for one element."""
    values = np.full(SIZE, BITS[dtype][ONE], KINDS[dtype])
    values[element] = bits
    return Tensor(TensorSpec(dtype, (SIZE,)), values.tobytes())


def found(own: Tensor, claimed: Tensor) -> int | None:
    """The element that is shown, which the twin convicts; behind a weight that nobody touched."""
    sound = Tensor(F32, bytes(F32.byte_length))
    before, after = Held([sound, own]), Held([sound, claimed])
    shown = prove_broken([F32, own.spec], before, after)
    if shown is None:
        return None
    assert shown.tensor == 1
    assert is_broken(Trained(before.bundle.root, after.bundle.root, 2), shown)
    return shown.element


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [INFINITY, MASK, NAN])
def test_prove_broken__a_number_that_became_none__is_shown(dtype: DType, bad: int) -> None:
    assert found(weight(dtype, 299, BITS[dtype][ONE]), weight(dtype, 299, BITS[dtype][bad])) == 299


@pytest.mark.parametrize("dtype", FLOATS)
def test_prove_broken__a_mask_that_stayed_one__is_not(dtype: DType) -> None:
    mask = weight(dtype, 7, BITS[dtype][MASK])
    assert found(mask, mask) is None
    assert found(mask, weight(dtype, 7, BITS[dtype][ONE])) is None


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [INFINITY, NAN])
def test_prove_broken__a_mask_that_became_another__is_shown(dtype: DType, bad: int) -> None:
    """Else a liar would make a NaN of it, and everything after it would acquit."""
    mask = weight(dtype, 7, BITS[dtype][MASK])
    assert found(mask, weight(dtype, 7, BITS[dtype][bad])) == 7


@pytest.mark.parametrize("dtype", FLOATS)
def test_prove_broken__what_was_no_number_before__is_nobodys_fault(dtype: DType) -> None:
    nan = BITS[dtype][NAN]
    before = weight(dtype, 7, nan)
    for bits in (nan + 1, BITS[dtype][INFINITY]):
        assert found(before, weight(dtype, 7, bits)) is None
