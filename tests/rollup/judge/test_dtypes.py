"""Which dtypes operators take and give: every choice, against what the finds of each family were written for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from rollup.errors import BadGraph
from rollup.graph import Op, Operand, Source, Step
from rollup.judge.dtypes import FLOATS, INTEGERS
from rollup.judge.elements import elements_needed
from rollup.judge.operators import OPERATORS
from rollup.tensor import DType, TensorSpec
from tests.parity.meanings import OWN, counts_of, is_meant, step_of

F32, F16, I64, I32, U8, BOOL = DType.F32, DType.F16, DType.I64, DType.I32, DType.U8, DType.BOOL
ON_NUMBERS = (Op.ADD, Op.SUB, Op.MUL, Op.MAXIMUM, Op.MINIMUM, Op.NEG, Op.ABS, Op.CLAMP, Op.SIGN)
ON_FLOATS = (
    *(Op.CONTRACT, Op.RELU, Op.DIV, Op.POW, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.SUM, Op.SPREAD, Op.EXPSUM),
    *(op for op in Op if Op.EXP <= op <= Op.LOG1P),
    *(Op.SOFTMAX, Op.LOG_SOFTMAX, Op.NORM),
)


def choices(op: Op) -> list[tuple[DType, ...]]:
    """All that the operator takes, with its fewest operands: of the result, then of the operands."""
    fewest = counts_of(op)[0]
    return [dtypes for dtypes in product(DType, repeat=fewest + 1) if is_meant(step_of(op, fewest, dtypes))]


@pytest.mark.parametrize("op", ON_FLOATS)
def test_operators_on_floats__take_any_floats_mixed_and_nothing_else(op: Op) -> None:
    assert choices(op) == list(product(sorted(FLOATS), repeat=counts_of(op)[0] + 1))


@pytest.mark.parametrize("op", ON_NUMBERS)
def test_operators_on_numbers__take_floats_mixed_or_integers_of_one_dtype(op: Op) -> None:
    slots = counts_of(op)[0] + 1
    assert set(choices(op)) == {*product(FLOATS, repeat=slots), *((dtype,) * slots for dtype in INTEGERS)}


def test_operators_with_rules_of_their_own__take_what_they_say() -> None:
    assert choices(Op.AMAX) == [(dtype, dtype) for dtype in sorted(FLOATS)]
    assert choices(Op.ARGMAX) == [(I64, dtype) for dtype in sorted(FLOATS)]
    assert choices(Op.COMPARE) == [(BOOL, dtype, dtype) for dtype in DType]
    assert choices(Op.LOGICAL) == [(BOOL, BOOL, BOOL)]
    assert choices(Op.NOT) == [(BOOL, BOOL)]
    assert choices(Op.WHERE) == [(dtype, BOOL, dtype, dtype) for dtype in DType]
    assert set(choices(Op.GATHER)) == {(dtype, index, dtype) for dtype in DType for index in INTEGERS}
    assert choices(Op.CAST) == list(product(DType, repeat=2))
    for op in (Op.STRIDED, Op.PATCHES, Op.PAD, Op.CAT):
        assert choices(op) == [(dtype, dtype) for dtype in DType]


def test_every_operator__has_dtypes() -> None:
    known = {*ON_FLOATS, *ON_NUMBERS, Op.AMAX, Op.ARGMAX, Op.COMPARE, Op.LOGICAL, Op.NOT, Op.WHERE, Op.GATHER, Op.CAST}
    assert known | {Op.STRIDED, Op.PATCHES, Op.PAD, Op.CAT} == set(Op)


def test_a_cat__of_one_operand_of_another_dtype__has_no_meaning_anywhere() -> None:
    step = step_of(Op.CAT, 3, [F32, F32, F32, F16])
    wide = replace(step, result=TensorSpec(F32, (1, 12)))
    for element in range(12):
        with pytest.raises(BadGraph, match="CAT does not give F32 of F32, F32, F16"):
            elements_needed(wide, element)


@pytest.mark.parametrize("op", OWN)
def test_own_attributes__with_and_without_a_meaning(op: Op) -> None:
    dtypes = {Op.COMPARE: (BOOL, F32, F32), Op.LOGICAL: (BOOL,) * 3, Op.GATHER: (F32, I64, F32)}
    fewest = counts_of(op)[0]
    used = dtypes.get(op, (F32,) * (fewest + 1))
    meant = {own: is_meant(step_of(op, fewest, used, own)) for own in OWN[op]}
    assert set(meant.values()) == {True, False}
    assert meant[OWN[op][0]]
    assert not meant[OWN[op][-1]]


def test_ends_of_a_clamp_of_integers__are_any_numbers() -> None:
    assert all(is_meant(step_of(Op.CLAMP, 1, (I64, I64), own)) for own in OWN[Op.CLAMP])


def test_a_norm__has_as_many_operands_as_its_mask_says() -> None:
    operand = Operand(Source.INPUT, 0, TensorSpec(F32, (4,)))
    for mask, operands in product(range(8), range(2, 6)):
        attributes = (4, *(1,) * operands, mask, 9)
        step = Step(Op.NORM, TensorSpec(F32, (4,)), (operand,) * operands, 1, attributes)
        assert is_meant(step) == (operands == 2 + mask.bit_count())


def test_the_page__has_one_column_for_dtypes() -> None:
    assert OPERATORS[Op.SOFTMAX].dtypes.text == "floats, mixed"
    assert OPERATORS[Op.ADD].dtypes.text == "floats, mixed; or all i64; or all i32"
