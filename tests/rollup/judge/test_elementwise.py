"""Exact functions, comparisons, choices and casts against torch, which shares no code with the judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadGraph
from rollup.graph import Op
from rollup.judge.evaluate import evaluate
from rollup.judge.finding import Finding
from rollup.judge.operators import OPERATORS
from rollup.judge.pointwise import find_quotient
from rollup.tensor import DType, TensorSpec
from rollup.types import Verdict
from tests.parity.pointwise import bits_in, value_of
from tests.parity.toy import step_on, tensor_of_bits
from tests.rollup.judge.f32 import INF, NAN, any_bits, bits, finite_bits

MINUS = 1 << 31
MASK = INF | MINUS
FAULT, FINE = Verdict.BEYOND_SOUND, Verdict.NO_FAULT
words = {1: st.integers(0, 1), 2: st.integers(0, 2**16 - 1), 4: any_bits, 8: st.integers(0, 2**64 - 1)}
floating = st.sampled_from([DType.F32, DType.F16, DType.BF16])


def judged(op: Op, result: tuple[DType, int], operands: Sequence[tuple[DType, int]],
           extras: Sequence[int] = ()) -> Finding:  # fmt: skip
    """What is found of one element; `result` and `operands` are dtypes and bits."""
    tensors = [tensor_of_bits(dtype, (1,), [word]) for dtype, word in operands]
    step = step_on(op, TensorSpec(result[0], (1,)), tensors, 0, extras)
    return evaluate(step, [[result[1]], *([word] for _, word in operands)])


def is_plain(dtype: DType, word: int) -> bool:
    """Finite, and nothing that may be flushed."""
    value = value_of(dtype, word).double().abs()
    least = 2.0**-14 if dtype is DType.F16 else 2.0**-126
    return bool(value.isfinite().item()) and (float(value) == 0 or float(value) >= least)


@pytest.mark.parametrize("name", ["relu", "neg", "abs", "floor", "ceil", "round", "trunc", "sign"])
@given(st.data())
def test_unary__any_float__has_torch_s_result_and_no_neighbour_of_it(name: str, data: st.DataObject) -> None:
    dtype = data.draw(floating)
    word = data.draw(words[dtype.width])
    if not is_plain(dtype, word):
        return
    function: Callable[[torch.Tensor], torch.Tensor] = getattr(torch, name)
    right = bits_in(dtype, function(value_of(dtype, word).float()))
    assert judged(Op[name.upper()], (dtype, right), [(dtype, word)]).verdict is FINE
    if is_plain(dtype, right) and right & (1 << 8 * dtype.width - 1) - 1:
        assert judged(Op[name.upper()], (dtype, right + 1), [(dtype, word)]).verdict is FAULT


@pytest.mark.parametrize("op", [Op.CEIL, Op.SIGN])
def test_unary__subnormal__kept_or_flushed(op: Op) -> None:
    for value, verdict in ((bits(1.0), FINE), (0, FINE), (bits(-1.0), FAULT), (bits(2.0), FAULT)):
        assert judged(op, (DType.F32, value), [(DType.F32, 1)]).verdict is verdict


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-9, 9), st.integers(-9, 9))
def test_clamp__integers__is_exact(number: int, low: int, high: int) -> None:
    right = min(max(number, low), high) % 2**64
    case = [(DType.I64, number % 2**64)]
    assert judged(Op.CLAMP, (DType.I64, right), case, (low, high)).verdict is FINE
    assert judged(Op.CLAMP, (DType.I64, right ^ 1), case, (low, high)).verdict is FAULT


@pytest.mark.parametrize("ends", [(-1, 0), (0, 2**32), (NAN, 0), (0, NAN)])
def test_clamp__ends_that_are_no_floats__cannot_be_judged(ends: tuple[int, int]) -> None:
    with pytest.raises(BadGraph):
        judged(Op.CLAMP, (DType.F32, 0), [(DType.F32, 0)], ends)


@pytest.mark.parametrize("op", [Op.NEG, Op.ABS])
def test_integers__what_wraps__acquits(op: Op) -> None:
    for dtype, least in ((DType.I64, 1 << 63), (DType.I32, 1 << 31)):
        assert judged(op, (dtype, 7), [(dtype, least)]).verdict is FINE
        assert judged(op, (dtype, 7), [(dtype, least + 1)]).verdict is FAULT


@pytest.mark.parametrize("op", [Op.FLOOR, Op.RELU, Op.DIV])
def test_integers__operator_on_floats__cannot_be_judged(op: Op) -> None:
    with pytest.raises(BadGraph):
        judged(op, (DType.I64, 1), [(DType.I64, 1)] * (2 if op is Op.DIV else 1))


@given(st.sampled_from([Op.ADD, Op.SUB, Op.MUL, Op.MAXIMUM, Op.MINIMUM]), st.integers(-(2**40), 2**40), st.integers())
def test_pairs__integers__are_exact_or_wrap(op: Op, a: int, b: int) -> None:
    b %= 2**40
    number = {Op.ADD: a + b, Op.SUB: a - b, Op.MUL: a * b, Op.MAXIMUM: max(a, b), Op.MINIMUM: min(a, b)}[op]
    case = [(DType.I64, a % 2**64), (DType.I64, b)]
    assert judged(op, (DType.I64, number % 2**64), case).verdict is FINE
    wraps = not -(2**63) <= number < 2**63
    assert (judged(op, (DType.I64, number % 2**64 ^ 1), case).verdict is FINE) == wraps


@pytest.mark.parametrize("op", [Op.MAXIMUM, Op.MINIMUM])
@given(finite_bits, finite_bits)
def test_extremes__any_floats__are_one_of_them(op: Op, a: int, b: int) -> None:
    function = torch.maximum if op is Op.MAXIMUM else torch.minimum
    right = bits_in(DType.F32, function(value_of(DType.F32, a), value_of(DType.F32, b)))
    assert judged(op, (DType.F32, right), [(DType.F32, a), (DType.F32, b)]).verdict is FINE
    if is_plain(DType.F32, right):
        assert judged(op, (DType.F32, right + 1), [(DType.F32, a), (DType.F32, b)]).verdict is FAULT


def test_masks__sums_and_extremes__are_judged() -> None:
    one = (DType.F32, bits(1.0))
    mask = (DType.F32, MASK)
    assert judged(Op.ADD, mask, [one, mask]).verdict is FINE
    assert judged(Op.ADD, one, [one, mask]).verdict is FAULT
    assert judged(Op.SUB, one, [mask, one]).verdict is FAULT
    assert judged(Op.SUB, one, [mask, mask]).verdict is FINE
    assert judged(Op.MAXIMUM, one, [one, mask]).verdict is FINE
    assert judged(Op.MAXIMUM, mask, [one, mask]).verdict is FAULT
    assert judged(Op.MINIMUM, one, [one, mask]).verdict is FAULT
    assert judged(Op.MUL, one, [one, mask]).verdict is FINE


@given(st.sampled_from([DType.F16, DType.BF16]), st.data())
def test_pairs__16_bits__rounded_at_once_or_by_way_of_f32(dtype: DType, data: st.DataObject) -> None:
    a, b = (data.draw(words[2]) for _ in range(2))
    if not (is_plain(dtype, a) and is_plain(dtype, b)):
        return
    x, y = value_of(dtype, a), value_of(dtype, b)
    for op, exact in ((Op.ADD, x.double() + y.double()), (Op.MUL, x.double() * y.double())):
        single = x + y if op is Op.ADD else x * y
        for honest in (bits_in(dtype, exact), bits_in(dtype, single)):
            assert judged(op, (dtype, honest), [(dtype, a), (dtype, b)]).verdict is FINE


@given(finite_bits.filter(lambda word: is_plain(DType.F32, word)), finite_bits)
def test_quotient__torch_s_own__is_acquitted_and_three_ulps_beside_it_is_not(a: int, b: int) -> None:
    if not is_plain(DType.F32, b) or b & 0x7FFFFFFF == 0:
        return
    right = bits_in(DType.F32, value_of(DType.F32, a) / value_of(DType.F32, b))
    assert find_quotient(right, a, b).verdict is FINE
    if 2.0**-100 < abs(float(value_of(DType.F32, right))) < 2.0**100:
        assert find_quotient(right + 2, a, b).verdict is FINE
        assert find_quotient(right + 6, a, b).verdict is FAULT
        assert find_quotient(right + 2, a, b, factor=1).verdict is Verdict.BEYOND_CALIBRATED


@pytest.mark.parametrize("divisor", [0, MINUS, 1, INF, NAN])
def test_quotient__divisor_without_an_inverse__acquits(divisor: int) -> None:
    assert find_quotient(bits(5.0), bits(1.0), divisor).verdict is FINE


def test_quotient__subnormal_dividend__kept_or_flushed() -> None:
    small = bits(2.0**-126)
    assert find_quotient(bits(0.5), small >> 1, small).verdict is FINE
    assert find_quotient(0, small >> 1, small).verdict is FINE
    assert find_quotient(bits(0.25), small >> 1, small).verdict is FAULT


@given(st.integers(0, 5), st.sampled_from(list(DType)), st.data())
def test_compare__any_dtype__is_torch_s(kind: int, dtype: DType, data: st.DataObject) -> None:
    a = data.draw(words[dtype.width])
    b = data.draw(st.one_of(st.just(a), words[dtype.width]))
    if not (is_plain(dtype, a) and is_plain(dtype, b)):
        return
    functions = (torch.eq, torch.ne, torch.lt, torch.le, torch.gt, torch.ge)
    right = int(functions[kind](value_of(dtype, a), value_of(dtype, b)).item())
    for value, verdict in ((right, FINE), (1 - right, FAULT), (2, FAULT)):
        assert judged(Op.COMPARE, (DType.BOOL, value), [(dtype, a), (dtype, b)], (kind,)).verdict is verdict


def test_compare__subnormals__as_they_are_or_as_zero() -> None:
    for value in (0, 1):
        assert judged(Op.COMPARE, (DType.BOOL, value), [(DType.F32, 1), (DType.F32, 0)], (0,)).verdict is FINE
    assert judged(Op.COMPARE, (DType.BOOL, 1), [(DType.F32, 1), (DType.F32, 0)], (2,)).verdict is FAULT


@pytest.mark.parametrize("op", [Op.COMPARE, Op.LOGICAL])
@pytest.mark.parametrize("kind", [-1, 6])
def test_kind__unknown__cannot_be_judged(op: Op, kind: int) -> None:
    with pytest.raises(BadGraph):
        judged(op, (DType.BOOL, 0), [(DType.BOOL, 0), (DType.BOOL, 0)], (kind,))


@pytest.mark.parametrize(("kind", "table"), [(0, (0, 0, 0, 1)), (1, (0, 1, 1, 1)), (2, (0, 1, 1, 0))])
def test_logical__every_pair__is_the_truth_table(kind: int, table: tuple[int, ...]) -> None:
    for place, right in enumerate(table):
        case = [(DType.BOOL, place >> 1), (DType.BOOL, place & 1)]
        assert judged(Op.LOGICAL, (DType.BOOL, right), case, (kind,)).verdict is FINE
        assert judged(Op.LOGICAL, (DType.BOOL, 1 - right), case, (kind,)).verdict is FAULT


def test_not__every_bool() -> None:
    for word, right in ((0, 1), (1, 0), (2, 0)):
        assert judged(Op.NOT, (DType.BOOL, right), [(DType.BOOL, word)]).verdict is FINE
        assert judged(Op.NOT, (DType.BOOL, 1 - right), [(DType.BOOL, word)]).verdict is FAULT


def test_where__chosen_element__has_the_same_bits() -> None:
    for condition, right in ((1, 5), (0, 7), (3, 5)):
        case = [(DType.BOOL, condition), (DType.F32, 5), (DType.F32, 7)]
        assert judged(Op.WHERE, (DType.F32, right), case).verdict is FINE
        assert judged(Op.WHERE, (DType.F32, 12 - right), case).verdict is FAULT
    nans = [(DType.BOOL, 1), (DType.F16, 0x7E00), (DType.F16, 0)]
    assert judged(Op.WHERE, (DType.F16, 0xFE01), nans).verdict is FINE


@given(st.sampled_from(list(DType)), st.sampled_from(list(DType)), st.data())
def test_cast__any_dtype_to_any__is_torch_s(source: DType, result: DType, data: st.DataObject) -> None:
    word = data.draw(words[source.width])
    if not is_plain(source, word):
        return
    value = value_of(source, word)
    limits = {DType.I64: 2.0**63, DType.I32: 2.0**31, DType.U8: 2.0**8}
    if result in limits and not (0 if result is DType.U8 else -limits[result]) <= float(value) < limits[result]:
        return
    right = bits_in(result, value)
    assert judged(Op.CAST, (result, right), [(source, word)]).verdict is FINE
    if result in limits or result is DType.BOOL:
        assert judged(Op.CAST, (result, right ^ 1), [(source, word)]).verdict is FAULT


@pytest.mark.parametrize("dtype", [DType.F16, DType.BF16])
def test_cast__overflow_and_mask__are_infinite_and_nothing_less(dtype: DType) -> None:
    infinity, greatest = (0x7C00, 0x7BFF) if dtype is DType.F16 else (0x7F80, 0x7F7F)
    assert judged(Op.CAST, (dtype, infinity), [(DType.F32, 0x7F7FFFFF)]).verdict is FINE
    assert judged(Op.CAST, (dtype, greatest), [(DType.F32, 0x7F7FFFFF)]).verdict is FAULT
    assert judged(Op.CAST, (dtype, infinity | 1 << 15), [(DType.F32, MASK)]).verdict is FINE
    assert judged(Op.CAST, (dtype, greatest | 1 << 15), [(DType.F32, MASK)]).verdict is FAULT


@pytest.mark.parametrize("op", [op for op, operator in OPERATORS.items() if operator.find.__module__.endswith("unary")])
@pytest.mark.parametrize("wrong", [INF, MASK, NAN])
def test_unary__operand_not_finite__acquits(op: Op, wrong: int) -> None:
    extras = (MASK, INF) if op is Op.CLAMP else ()
    assert judged(op, (DType.F32, bits(7.0)), [(DType.F32, wrong)], extras).verdict is FINE
