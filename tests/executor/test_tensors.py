"""What is asked of whole tensors: the same answers as torch gives, whatever their strides, dtypes and values."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from executor.tensors import canonical_bytes, has_bytes, is_finite, is_true, same_bits

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.int32, torch.uint8, torch.bool])
def test_same_bits__of_one_changed_element__is_false(dtype: torch.dtype) -> None:
    x = torch.ones(3, 5).to(dtype)
    for element in range(x.numel()):
        other = x.clone()
        other.view(-1)[element] = 0
        assert not same_bits(x, other)
        assert not same_bits(x.t(), other.t())
    assert same_bits(x, x.clone())


def test_same_bits__of_equal_values__asks_for_the_bits() -> None:
    zero, nan = torch.zeros(4), torch.full((4,), math.nan)
    assert not same_bits(zero, -zero)
    assert same_bits(nan, nan.clone())
    assert not same_bits(nan, -nan)


def test_same_bits__of_other_dtypes_or_counts__is_false() -> None:
    assert not same_bits(torch.zeros(4), torch.zeros(4, dtype=torch.int32))
    assert not same_bits(torch.zeros(4), torch.zeros(5))
    assert not same_bits(torch.zeros(1), torch.zeros(5))


def test_same_bits__of_other_shapes__goes_by_the_order_of_elements() -> None:
    x = torch.arange(24.0).reshape(4, 6)
    assert same_bits(x, x.reshape(2, 3, 4))
    assert same_bits(x.t(), x.t().reshape(24))
    assert not same_bits(x.t(), x.reshape(24))
    assert same_bits(torch.tensor(1.5), torch.tensor([[1.5]]))


@pytest.mark.parametrize("dtype", [*FLOATS[:3], torch.int64, torch.int32, torch.uint8, torch.bool])
@pytest.mark.parametrize("count", [1, 2**14, 2**15 + 3])
def test_has_bytes__of_any_byte_that_differs__is_false(dtype: torch.dtype, count: int) -> None:
    x = torch.arange(count).to(dtype)
    data = canonical_bytes(x)
    assert has_bytes(x, data)
    for place in {0, len(data) // 2, len(data) - 1}:
        assert not has_bytes(x, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    assert not has_bytes(x, data[:-1])
    assert not has_bytes(x, data + b"\0")


def test_has_bytes__of_what_lies_otherwise__goes_by_the_order_of_elements() -> None:
    x = torch.arange(24.0).reshape(4, 6)
    assert has_bytes(x.t(), canonical_bytes(x.t()))
    assert not has_bytes(x.t(), canonical_bytes(x))
    assert has_bytes(torch.tensor(-0.0), b"\x80\0\0\0")
    assert not has_bytes(torch.tensor(0.0), b"\x80\0\0\0")


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 3, 4)])
def test_is_true__with_one_that_is_false__is_false(shape: tuple[int, ...]) -> None:
    mask = torch.ones(shape, dtype=torch.bool)
    assert is_true(mask)
    for element in range(mask.numel()):
        mask.view(-1)[element] = False
        assert not is_true(mask)
        assert not is_true(mask.mT if mask.dim() > 1 else mask)
        mask.view(-1)[element] = True


def test_is_true__of_what_is_expanded__looks_at_each_element_once() -> None:
    row = torch.tensor([[True], [True], [False]])
    assert not is_true(row.expand(3, 2**20))
    assert is_true(row[:2].expand(2, 2**20))
    assert not is_true(torch.zeros((), dtype=torch.bool).expand(4, 4))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_is_finite__of_one_that_is_not__is_false(dtype: torch.dtype, wrong: float) -> None:
    for element in (0, 500, 999):
        x = torch.ones(1000, dtype=dtype)
        x[element] = wrong
        assert not is_finite(x)
    assert not is_finite(torch.tensor([math.inf, -math.inf], dtype=dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_is_finite__where_only_the_sum_overflows__is_true(dtype: torch.dtype) -> None:
    largest = torch.full((1000,), torch.finfo(dtype).max, dtype=dtype)
    assert is_finite(largest)
    assert is_finite(torch.cat([largest, -largest]))


@pytest.mark.parametrize("x", [torch.ones(3, dtype=torch.int64), torch.ones(3, dtype=torch.bool)])
def test_is_finite__of_integers__is_true(x: Tensor) -> None:
    assert is_finite(x)
