"""Every function's steps make what torch makes of the same operands, and every element of them can be judged."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from executor.network import operands_of
from executor.operators import evaluate_rounded
from rollup.graph import Op
from rollup.judge.elements import elements_needed
from rollup.judge.operators import OPERATORS
from rollup.lowering import Lowered, lower
from rollup.program import Program
from tests.rollup.specimens import Specimen, specimens, wide_contractions, wide_rows

ALL = [*specimens(), *wide_rows(), *wide_contractions()]


def run(lowered: Lowered, specimen: Specimen) -> Tensor:
    """The last of the results of all steps, each computed in float64 and rounded."""
    results: list[Tensor] = []
    for step in lowered.graph.steps:
        operands = operands_of(step, specimen.inputs, specimen.weights, results)
        results.append(evaluate_rounded(step, operands))
    return results[-1]


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_steps__make_what_torch_makes(specimen: Specimen) -> None:
    result = run(lower(specimen.program), specimen)
    expected = specimen.reference(*specimen.inputs, *specimen.weights)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    most = expected.double().abs().max()
    assert (result.double() - expected.double()).abs().max() <= specimen.within * (1 + most)


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_elements_of_every_step__can_be_judged(specimen: Specimen) -> None:
    for step in lower(specimen.program).graph.steps:
        if step.op in OPERATORS:
            for element in {0, step.result.elements // 2, step.result.elements - 1}:
                elements_needed(step, element)


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_a_program_that_is_stored__has_the_same_graph(specimen: Specimen) -> None:
    program = specimen.program
    again = Program.from_json(program.to_json())
    assert again == program
    assert lower(again).graph.root == lower(program).graph.root


def test_every_operator__is_the_step_of_some_function() -> None:
    used = {step.op for specimen in ALL for step in lower(specimen.program).graph.steps}
    assert used == set(Op)


def test_a_reference__can_tell_a_wrong_result() -> None:
    specimen = next(one for one in ALL if one.function == "softmax")
    assert not torch.equal(run(lower(specimen.program), specimen), specimen.reference(specimen.inputs[0] * 1.01))
