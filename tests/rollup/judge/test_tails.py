from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge.tails import MAX_TERMS
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, bits
from tests.rollup.judge.rounded import DTYPES, faults, verdict

MINUS_INF = INF | 1 << 31
WRONG = bits(1e6)
ONE, TWO, HALF = bits(1.0), bits(2.0), bits(0.5)
EPS = 1e-5


@pytest.mark.parametrize("wrong", [INF, MINUS_INF, NAN])
def test_find__operand_not_finite__acquits(wrong: int) -> None:
    for op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
        assert verdict(op, WRONG, [ONE, wrong, ONE], [4]) is Verdict.NO_FAULT
        assert verdict(op, WRONG, [ONE, ONE, wrong], [4]) is Verdict.NO_FAULT
    assert verdict(Op.LOG_SOFTMAX, WRONG, [wrong, ONE, ONE], [4]) is Verdict.NO_FAULT
    for place in range(5):
        operands = [ONE] * 5
        operands[place] = wrong
        assert verdict(Op.NORM, WRONG, operands, [7, 4]) is Verdict.NO_FAULT


@pytest.mark.parametrize("total", [0.0, -1.0])
def test_find__sum_not_positive__acquits(total: float) -> None:
    for op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
        assert verdict(op, WRONG, [ONE, ONE, bits(total)], [4]) is Verdict.NO_FAULT


@pytest.mark.parametrize("length", [0, -1, MAX_TERMS + 1])
def test_find__row_of_no_length__has_no_meaning(length: int) -> None:
    for op, operands, extras in ((Op.SOFTMAX, [ONE] * 3, [length]), (Op.NORM, [ONE] * 2, [0, length])):
        with pytest.raises(BadGraph, match=rf"{op.name} cannot have the attributes \(.*{length}\)"):
            verdict(op, ONE, operands, extras)


@pytest.mark.parametrize(("mask", "operands"), [(1, 2), (8, 3), (-1, 5), (0, 3), (7, 4)])
def test_find__mask_of_other_operands__has_no_meaning(mask: int, operands: int) -> None:
    with pytest.raises(BadGraph, match=rf"NORM cannot have the attributes \(.*{mask}, 4\)"):
        verdict(Op.NORM, ONE, [ONE] * operands, [mask, 4])


def test_find__masked_element__is_zero() -> None:
    assert verdict(Op.SOFTMAX, 0, [MINUS_INF, ONE, TWO], [4]) is Verdict.NO_FAULT
    assert verdict(Op.SOFTMAX, bits(1e-30), [MINUS_INF, ONE, TWO], [4]) is Verdict.BEYOND_SOUND
    assert verdict(Op.SOFTMAX, 0, [bits(-3.4e38), ONE, TWO], [4]) is Verdict.NO_FAULT
    assert verdict(Op.SOFTMAX, NAN, [MINUS_INF, ONE, TWO], [4]) is Verdict.BEYOND_SOUND


def test_find__wrong_value__is_a_fault_and_a_near_one_is_rejected() -> None:
    near, far = bits(0.5 * (1 + 2**-17)), bits(0.5 * (1 + 2**-13))
    assert verdict(Op.SOFTMAX, near, [ONE, ONE, TWO], [4]) is Verdict.NO_FAULT
    assert verdict(Op.SOFTMAX, near, [ONE, ONE, TWO], [4], 256) is Verdict.BEYOND_CALIBRATED
    assert verdict(Op.SOFTMAX, far, [ONE, ONE, TWO], [4], 256) is Verdict.BEYOND_SOUND


def test_find__moments_that_say_nothing__bound_nothing_but_by_the_factor() -> None:
    operands = [bits(512.0), bits(512.0), ONE]
    assert verdict(Op.NORM, WRONG, operands, [1, 1024]) is Verdict.NO_FAULT
    assert verdict(Op.NORM, WRONG, operands, [1, 1024], 2048) is Verdict.BEYOND_CALIBRATED
    assert verdict(Op.NORM, WRONG, operands, [1, 1]) is Verdict.BEYOND_SOUND


def test_find__absent_operands__are_zero_and_one() -> None:
    assert verdict(Op.NORM, bits(1.0), [TWO, HALF], [0, 4]) is Verdict.NO_FAULT
    assert verdict(Op.NORM, bits(0.5), [TWO, ONE, HALF], [1, 4]) is Verdict.NO_FAULT
    assert verdict(Op.NORM, bits(2.0), [TWO, HALF, TWO], [2, 4]) is Verdict.NO_FAULT
    assert verdict(Op.NORM, bits(3.0), [TWO, HALF, TWO], [4, 4]) is Verdict.NO_FAULT
    assert verdict(Op.NORM, bits(1.5), [TWO, HALF, TWO], [4, 4]) is Verdict.BEYOND_SOUND


def rows(kind: str, count: int, length: int) -> Tensor:
    base = torch.randn(count, length, generator=torch.Generator().manual_seed(4))
    match kind:
        case "masked":
            base[:, ::3] = -math.inf
        case "large":
            base = base * 3000
        case "mean":
            base = base + 1000
        case "constant":
            base = torch.full_like(base, 3.25)
    return base


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", ["natural", "masked", "large", "mean", "constant"])
@pytest.mark.parametrize("length", [2, 33, 150])
def test_find__real_softmax__is_honest(length: int, kind: str, dtype: torch.dtype) -> None:
    """Also along an axis that is not the last, where torch has another kernel."""
    x = rows(kind, max(2, 300 // length), length).to(dtype)
    top = x.amax(-1, keepdim=True)
    total = (x.double() - top.double()).exp().sum(-1, keepdim=True).float()
    for result in (functional.softmax(x, -1), functional.softmax(x.T.contiguous(), 0).T):
        assert not faults(Op.SOFTMAX, result, [x, top, total], [length])
    for result in (functional.log_softmax(x, -1), functional.log_softmax(x.T.contiguous(), 0).T):
        assert not faults(Op.LOG_SOFTMAX, result, [x, top, total], [length])


def deviation(x: Tensor, mean: Tensor) -> Tensor:
    return ((x.double() - mean.double()).square().mean(-1, keepdim=True) + EPS).rsqrt().float()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", ["natural", "large", "mean", "constant"])
@pytest.mark.parametrize("length", [8, 384])
def test_find__real_norms__are_honest(length: int, kind: str, dtype: torch.dtype) -> None:
    x = rows(kind, max(2, 800 // length), length).to(dtype)
    weight, bias = rows("natural", 2, length).to(dtype)
    mean = x.double().mean(-1, keepdim=True).float()
    layer = functional.layer_norm(x, (length,), weight, bias, EPS)
    assert not faults(Op.NORM, layer, [x, mean, deviation(x, mean), weight, bias], [7, length])
    root = functional.rms_norm(x, (length,), weight, EPS)
    assert not faults(Op.NORM, root, [x, deviation(x, torch.zeros(())), weight], [2, length])
    spread = x[0].float().abs() + 0.1
    fixed = functional.batch_norm(x, mean[0].expand(length), spread, weight.float(), bias.float(), False, 0.0, EPS)
    scale = (spread.double() + EPS).rsqrt().float()
    assert not faults(Op.NORM, fixed, [x, mean[0], scale, weight.float(), bias.float()], [7, 1])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", ["natural", "mean"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_find__real_group_norms__are_honest(layout: torch.memory_format, kind: str, dtype: torch.dtype) -> None:
    """With channels last torch takes a variance from squares, which loses all its digits where the mean is large."""
    x = rows(kind, 8, 81).reshape(1, 8, 9, 9).to(dtype).contiguous(memory_format=layout)
    grouped = x.reshape(8, 81)
    mean = grouped.double().mean(-1, keepdim=True).float()
    result = functional.group_norm(x, 8, eps=EPS).reshape(8, 81)
    assert not faults(Op.NORM, result, [grouped, mean, deviation(grouped, mean)], [1, 81])
