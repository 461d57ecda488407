from __future__ import annotations

from collections.abc import Callable

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge import floats
from rollup.judge.approx import Approx
from rollup.judge.evaluate import evaluate
from rollup.judge.functions import FUNCTIONS, enclosure_of
from rollup.tensor import DType
from rollup.types import Verdict
from tests.rollup.judge.f32 import INF, NAN, bits, exact, finite_bits, nearest
from tests.rollup.judge.rounded import DTYPES, faults, samples, step_of, verdict

MINUS = 1 << 31
WRONG = bits(1e6)
U, TINY = mpmath.mpf(2) ** -24, mpmath.mpf(2) ** -126
KERNELS: dict[Op, Callable[[Tensor], Tensor]] = {
    Op.EXP: torch.exp,
    Op.LOG: torch.log,
    Op.TANH: torch.tanh,
    Op.SIGMOID: torch.sigmoid,
    Op.SQRT: torch.sqrt,
    Op.RSQRT: torch.rsqrt,
    Op.ERF: torch.erf,
    Op.GELU: functional.gelu,
    Op.GELU_TANH: lambda x: functional.gelu(x, approximate="tanh"),
    Op.SILU: functional.silu,
    Op.SIN: torch.sin,
    Op.COS: torch.cos,
    Op.EXPM1: torch.expm1,
    Op.LOG1P: torch.log1p,
}
# Of PROTOCOL.md, 5, written once more: exact result and t.
Reference = Callable[[mpmath.mpf], tuple[mpmath.mpf, mpmath.mpf]]


def _relative(f: Callable[[mpmath.mpf], mpmath.mpf], count: int = 8) -> Reference:
    return lambda x: (f(x), count * U * abs(f(x)) + TINY)


def _sigmoid(x: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-x))


def _falling(x: mpmath.mpf) -> mpmath.mpf:
    return 12 * U * (1 + max(-x, 0) / 4)


def _gelu(x: mpmath.mpf) -> mpmath.mpf:
    return x / 2 * mpmath.erfc(-x / mpmath.sqrt(2))


def _gelu_tanh(x: mpmath.mpf) -> mpmath.mpf:
    return x * _sigmoid(2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf(44715) / 1000000 * x**3))


REFERENCES: dict[Op, Reference] = {
    Op.EXP: lambda x: (mpmath.exp(x), 8 * U * mpmath.exp(x) * (1 + abs(x) / 4) + TINY),
    Op.LOG: lambda x: (mpmath.log(x), 8 * U * (abs(mpmath.log(x)) + 1) + TINY),
    Op.TANH: _relative(mpmath.tanh),
    Op.SIGMOID: lambda x: (_sigmoid(x), _falling(x) * _sigmoid(x) + TINY),
    Op.SQRT: _relative(mpmath.sqrt, 4),
    Op.RSQRT: _relative(lambda x: 1 / mpmath.sqrt(x)),
    Op.ERF: lambda x: (mpmath.erf(x), 16 * U * (abs(mpmath.erf(x)) + 1) + TINY),
    Op.GELU: lambda x: (_gelu(x), 46 * U * abs(x) + TINY),
    Op.GELU_TANH: lambda x: (_gelu_tanh(x), 46 * U * abs(x) + TINY),
    Op.SILU: lambda x: (x * _sigmoid(x), _falling(x) * abs(x * _sigmoid(x)) + (abs(x) + 1) * TINY),
    Op.SIN: lambda x: (mpmath.sin(x), 8 * U + TINY),
    Op.COS: lambda x: (mpmath.cos(x), 8 * U + TINY),
    Op.EXPM1: lambda x: (
        mpmath.expm1(x),
        8 * U * (mpmath.exp(x) * (1 + abs(x) / 4) + abs(mpmath.expm1(x))) + TINY,
    ),
    Op.LOG1P: _relative(mpmath.log1p),
}


def test_tables__all__name_the_same_functions() -> None:
    assert set(FUNCTIONS) == set(KERNELS) == set(REFERENCES)


@pytest.mark.parametrize("op", FUNCTIONS)
def test_find__operand_not_finite__acquits(op: Op) -> None:
    for wrong in (INF, INF | MINUS, NAN):
        assert verdict(op, WRONG, [wrong]) is Verdict.NO_FAULT


@pytest.mark.parametrize(
    ("op", "outside"),
    [
        (Op.LOG, 0.0), (Op.LOG, -1.0), (Op.RSQRT, 0.0), (Op.RSQRT, -1.0), (Op.SQRT, -1.0),
        (Op.LOG1P, -1.0), (Op.LOG1P, -2.0), (Op.SIN, 65537.0), (Op.COS, -65537.0),
    ],
)  # fmt: skip
def test_find__operand_outside_the_domain__acquits(op: Op, outside: float) -> None:
    assert verdict(op, WRONG, [bits(outside)]) is Verdict.NO_FAULT


def test_find__integers__have_no_meaning() -> None:
    with pytest.raises(BadGraph, match="EXP does not give F32 of I32"):
        evaluate(step_of(Op.EXP, [DType.F32, DType.I32], ()), [(0,), (1,)])


@pytest.mark.parametrize("op", FUNCTIONS)
def test_find__value_not_finite__is_a_fault(op: Op) -> None:
    for wrong in (INF, INF | MINUS, NAN):
        assert verdict(op, wrong, [bits(0.5)]) is Verdict.BEYOND_SOUND


def test_find__subnormal_operand__may_be_taken_for_zero() -> None:
    assert verdict(Op.LOG, INF | MINUS, [1]) is Verdict.NO_FAULT
    assert verdict(Op.RSQRT, INF, [1]) is Verdict.NO_FAULT
    assert verdict(Op.SQRT, 0, [1]) is Verdict.NO_FAULT
    assert verdict(Op.SQRT, 0, [floats.LEAST_NORMAL]) is Verdict.BEYOND_SOUND
    assert verdict(Op.LOG, bits(1.0), [1]) is Verdict.BEYOND_SOUND


def test_find__overflow__may_be_infinite_where_the_bound_reaches_it() -> None:
    assert verdict(Op.EXP, INF, [bits(88.7229)]) is Verdict.NO_FAULT
    assert verdict(Op.EXP, INF, [bits(88.0)]) is Verdict.BEYOND_SOUND


@settings(deadline=None, max_examples=25)
@given(word=finite_bits, near=st.booleans())
@pytest.mark.parametrize("op", FUNCTIONS)
def test_enclosure__any_operand__is_that_of_the_protocol(op: Op, word: int, near: bool) -> None:
    """Ends of the interval, to a part of 2^-40 of the bound, by mpmath."""
    if near:
        word = word & 0x807FFFFF | (120 + (word >> 23) % 12) << 23
    enclosure = enclosure_of(op, word, DType.F32)
    if enclosure is None:
        assert not FUNCTIONS[op].domain(Approx.of_float(word))
        return
    with mpmath.workprec(600):
        value = exact(word)
        x = mpmath.mpf(value.numerator) / value.denominator
        if op in (Op.EXP, Op.EXPM1) and abs(x) > 2**15:
            return
        y, t = REFERENCES[op](x)
        if op is Op.SQRT and floats.is_subnormal(word):
            t += y
        centre, reach = (mpmath.mpf(real.numerator) / real.denominator for real in
                         (enclosure.centre.fraction, enclosure.bound.reach(0).fraction))  # fmt: skip
        assert abs(centre - y) <= t * mpmath.mpf(2) ** -24
        assert t * (1 - mpmath.mpf(2) ** -40) <= reach <= t * (1 + mpmath.mpf(2) ** -20)


@pytest.mark.parametrize("op", FUNCTIONS)
def test_find__ends_of_the_interval__are_honest_and_what_is_beyond_is_not(op: Op) -> None:
    word = bits(0.7)
    enclosure = enclosure_of(op, word, DType.F32)
    assert enclosure is not None
    end = nearest((enclosure.centre + enclosure.bound.reach(0)).fraction)
    assert verdict(op, end, [word]) is Verdict.NO_FAULT
    beyond = end + 1 if end < MINUS else end - 1
    assert verdict(op, beyond, [word]) is Verdict.BEYOND_SOUND
    assert verdict(op, end, [word], factor=1) is Verdict.BEYOND_CALIBRATED


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("op", FUNCTIONS)
def test_find__results_of_real_kernels__are_honest(op: Op, dtype: torch.dtype) -> None:
    x = samples(dtype, 80)
    alone = torch.stack([x, x], 1)[:, 0]
    for result in (KERNELS[op](x), torch.cat([KERNELS[op](part) for part in alone.split(7)])):
        assert not faults(op, result, [x])
