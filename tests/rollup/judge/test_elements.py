"""The openings of each operator against the same operator run whole, on tensors whose elements are all different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from rollup.errors import BadGraph
from rollup.graph import Op, Step
from rollup.judge.elements import elements_linked, elements_needed
from rollup.judge.evaluate import evaluate, open_element, open_tensors, run_of
from rollup.judge.reads import Run
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import Verdict
from tests.parity.honest import run_step
from tests.parity.toy import array_of, f32, network, step_on, tensor_of, tensor_of_bits

PICTURE = (0, 2, 4, 5, 6, 2, 3, 2, 2, 1, 1, 0, 1, 2, 3, 4, 1, 1)


def strided(attributes: tuple[int, ...], rank: int = 1, elements: int = 6) -> Step:
    operand = tensor_of_bits(DType.F32, (6,), range(6))
    return step_on(Op.STRIDED, f32(elements), [operand], rank, attributes)


@pytest.mark.parametrize(
    ("attributes", "rank", "elements"),
    [
        ((0, 5, 1), 1, 6),
        ((1, 6, 1), 1, 6),
        ((-6, 6, 1), 1, 6),
        ((0, 6), 1, 6),
        ((0, 6, 1, 1), 1, 6),
        ((0, -6, 1), 1, 6),
        ((0,), 0, 6),
    ],
)
def test_elements_needed__record_that_contradicts_itself__is_refused(
    attributes: tuple[int, ...], rank: int, elements: int
) -> None:
    with pytest.raises(BadGraph):
        elements_needed(strided(attributes, rank, elements), 5)


@pytest.mark.parametrize(
    "change", [(1, 3), (2, 5), (5, 3), (5, 0), (14, 4), (6, 0), (8, 0), (10, -1), (0, -1), (0, 2**32), (16, 0)]
)
def test_elements_needed__patches_that_do_not_fit__are_refused(change: tuple[int, int]) -> None:
    step = network().graph.steps[0]
    attributes = list(step.attributes)
    attributes[change[0]] = change[1]
    with pytest.raises(BadGraph):
        elements_needed(replace(step, attributes=tuple(attributes)), 0)


def test_evaluate__wrong_dtypes__are_refused() -> None:
    evidence = network()
    for number, step in enumerate(evidence.graph.steps):
        wrong = replace(step, result=TensorSpec(DType.I32, step.result.shape))
        with pytest.raises(BadGraph):
            evaluate(wrong, open_element(wrong, 0, partial(evidence.values, number)).values)


def test_elements_needed__element_outside_the_result__is_refused() -> None:
    with pytest.raises(BadGraph, match="element 6 is outside a result of 6"):
        elements_needed(strided((0, 6, 1)), 6)


def test_elements_needed__negative_strides__read_backwards() -> None:
    assert elements_needed(strided((5, 6, -1)), 2) == (Run(0, 2, 1), Run(1, 3, 1))


def test_elements_needed__scalar_result__has_no_axes() -> None:
    step = step_on(Op.STRIDED, f32(), [tensor_of_bits(DType.F32, (6,), range(6))], 0, (4,))
    assert elements_needed(step, 0) == (Run(0, 0, 1), Run(1, 4, 1))


def test_elements_needed__movements_of_a_network__name_the_very_source() -> None:
    evidence = network()
    for number, step in enumerate(evidence.graph.steps):
        if step.op not in (Op.STRIDED, Op.CAT, Op.PATCHES):
            continue
        for element in range(step.result.elements):
            result, *source = (evidence.values(number, run) for run in elements_needed(step, element))
            assert result[0] == (source[0][0] if source else step.attributes[0])


@pytest.mark.parametrize("picture", [PICTURE, (0, 2, 4, 5, 6, 2, 3, 2, 1, 2, 2, 1, 1, 3, 9, 7, 2, 3)])
def test_elements_needed__patches_with_all_its_parameters__name_the_very_source(picture: tuple[int, ...]) -> None:
    fill = 0x7F7FFFFF
    operand = tensor_of_bits(DType.F32, (2, 4, 5, 6), range(1, 241))
    step = step_on(Op.PATCHES, f32(2, 2, picture[14] * picture[15], 12), [operand], 0, (fill, *picture[1:]))
    result = tensor_of(run_step(step, [array_of(operand)]))
    for element in range(step.result.elements):
        own, *source = elements_needed(step, element)
        expected = run_of(operand, source[0]) if source else (fill,)
        assert run_of(result, own) == expected


@pytest.mark.parametrize("low", [(0, 1, 2), (-1, 0, -2), (1, -1, 0)])
def test_elements_needed__pad__names_the_very_source(low: tuple[int, ...]) -> None:
    operand = tensor_of_bits(DType.F32, (2, 3, 4), range(1, 25))
    step = step_on(Op.PAD, f32(3, 3, 5), [operand], 3, (0x7F7FFFFF, 3, 3, 5, 2, 3, 4, *low))
    result = tensor_of(run_step(step, [array_of(operand)]))
    for element in range(45):
        own, *source = elements_needed(step, element)
        assert run_of(result, own) == (run_of(operand, source[0]) if source else (0x7F7FFFFF,))


@pytest.mark.parametrize("attributes", [(0, 6, 5, 0), (0, 6, 6), (0, 5, 6, 0), (0, 6, 0, 0)])
def test_elements_needed__pad_that_does_not_fit__is_refused(attributes: tuple[int, ...]) -> None:
    step = step_on(Op.PAD, f32(6), [tensor_of_bits(DType.F32, (6,), range(6))], 1, attributes)
    with pytest.raises(BadGraph):
        elements_needed(step, 0)


def table_lookup(index: Sequence[int]) -> tuple[Step, list[Tensor]]:
    """Rows of a table of 5 by 3, looked up as an embedding does."""
    operands = [
        tensor_of_bits(DType.I32, (len(index),), [place % 2**32 for place in index]),
        tensor_of_bits(DType.F32, (5, 3), range(15)),
    ]
    return step_on(Op.GATHER, f32(len(index), 3), operands, 2, (len(index), 3, 1, 0, 0, 1, 3, 5)), operands


def test_open_tensors__gather__reads_the_index_then_the_data() -> None:
    step, operands = table_lookup([4, 0])
    result = tensor_of(run_step(step, [array_of(operand) for operand in operands]))
    for element in range(6):
        opened = open_tensors(step, element, [result, *operands])
        assert [run.slot for run in opened.runs] == [0, 1, 2]
        assert opened.values[2] == opened.values[0]
        assert evaluate(step, opened.values).verdict is Verdict.NO_FAULT
        assert evaluate(step, ((99,), *opened.values[1:])).verdict is Verdict.BEYOND_SOUND


@pytest.mark.parametrize("index", [5, -1])
def test_open_tensors__gather_outside_the_axis__cannot_be_judged(index: int) -> None:
    step, operands = table_lookup([index])
    with pytest.raises(BadGraph, match=f"index {index} is outside an axis of 5"):
        open_tensors(step, 0, [tensor_of_bits(DType.F32, (1, 3), [0, 0, 0]), *operands])


def test_elements_linked__label__is_two_logits() -> None:
    last, before = network(with_label=True).graph.steps[-1:-3:-1]
    assert elements_linked(last, 0, 3, 7) == (Run(1, 3, 1), Run(1, 7, 1))
    assert elements_linked(last, 0, 10, 7) == ()
    assert elements_linked(before, 3, 0, 0) == (Run(0, 3, 1),)
