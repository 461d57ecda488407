"""Fused calls written out: nothing fused is left, results keep shape, dtype and place, constants are made once."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from rollup.call import Call, Function
from rollup.expansion import RULES, expand
from rollup.functions import FUSED, MAX_LIST
from rollup.program import Program
from rollup.tensor import DType
from tests.rollup.programs import INPUT, f32, made, options
from tests.rollup.specimens import Specimen, numbers, specimens

EXPANDED = [specimen for specimen in specimens() if specimen.function in RULES]


@pytest.mark.parametrize("specimen", EXPANDED, ids=lambda specimen: specimen.title)
def test_an_expanded_program__has_the_same_output_and_nothing_fused(specimen: Specimen) -> None:
    program = specimen.program
    expanded = expand(program)
    assert not FUSED & {call.function for call in expanded.calls}
    assert expanded.output.spec == program.output.spec
    assert expanded.batchable == program.batchable
    assert (expanded.inputs, expanded.weights) == (program.inputs, program.weights)
    assert {call.origin for call in expanded.calls} == {"here"}


@pytest.mark.parametrize("specimen", EXPANDED, ids=lambda specimen: specimen.title)
def test_an_expanded_program__is_not_expanded_further(specimen: Specimen) -> None:
    expanded = expand(specimen.program)
    assert expand(expanded) is expanded


def test_a_program_without_fused_calls__is_itself() -> None:
    program = Program((f32(1, 4),), (), (Call(Function.RELU, (INPUT,)),))
    assert expand(program) is program


def test_calls_around_a_fused_one__keep_their_operands() -> None:
    calls = (
        Call(Function.RELU, (INPUT,), (), "before"),
        Call(Function.HARDSWISH, (made(0),), (), "fused"),
        Call(Function.SUB, (made(1), made(0)), (), "after"),
    )
    expanded = expand(Program((f32(1, 4),), (), calls))
    functions = [call.function for call in expanded.calls]
    assert functions == [Function(name) for name in ("relu", "full", "add", "clamp", "mul", "full", "div", "sub")]
    assert expanded.calls[-1].operands == (made(6), made(0))
    assert [call.origin for call in expanded.calls] == ["before", *["fused"] * 6, "after"]


def test_a_constant__is_made_once() -> None:
    calls = [Call(Function.HARDSIGMOID, (INPUT,))]
    calls += [Call(Function.HARDSIGMOID, (made(number),)) for number in range(4)]
    count = Counter(call.function for call in expand(Program((f32(1, 4),), (), tuple(calls))).calls)
    assert (count[Function.FULL], count[Function.DIV]) == (2, 5)


def test_a_value_without_dimensions__stays_so() -> None:
    # A constant of one dimension would give it one.
    calls = (Call(Function.VIEW, (INPUT,), options(shape=())), Call(Function.HARDSWISH, (made(0),)))
    assert expand(Program((f32(1, 1),), (), calls)).output.shape == ()


def test_sixteen_bits__are_widened_and_rounded_once() -> None:
    x = numbers(1, 4).bfloat16()
    calls = expand(Specimen(Function.MISH, (x,), torch.relu).program).calls
    casts = [call.number("dtype") for call in calls if call.function is Function.TO]
    assert casts == [DType.F32, DType.BF16]
    assert calls[-1].function is Function.TO


def test_a_long_recurrence__joins_its_outputs_in_lists_of_bounded_length() -> None:
    net = torch.nn.GRU(2, 2, batch_first=True).requires_grad_(False)
    weights = (torch.zeros(1, 1, 2), *net.parameters())
    cell = {"layers": 1, "bidirectional": 0, "packed": 0}
    program = Specimen(Function.GRU, (numbers(1, 2 * MAX_LIST + 1, 2),), net, weights, cell).program
    joins = [len(call.operands) for call in expand(program).calls if call.function is Function.CAT]
    assert joins == [MAX_LIST, MAX_LIST, 3]
