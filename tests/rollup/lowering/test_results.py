"""Every function's steps make what torch makes of the same operands, and every element of them can be judged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from executor.network import operands_of
from executor.operators import evaluate_rounded
from executor.tensors import to_canonical
from rollup.graph import Op, Step
from rollup.judge.evaluate import evaluate as judge
from rollup.judge.evaluate import open_tensors
from rollup.lowering import Lowered, lower
from rollup.program import Program
from rollup.types import Verdict
from tests.rollup.specimens import Specimen, specimens, wide_contractions, wide_rows

ALL = [*specimens(), *wide_rows(), *wide_contractions()]


def results_of(lowered: Lowered, specimen: Specimen) -> list[Tensor]:
    """Results of all steps, each computed in float64 and rounded."""
    results: list[Tensor] = []
    for step in lowered.graph.steps:
        operands = operands_of(step, specimen.inputs, specimen.weights, results)
        results.append(evaluate_rounded(step, operands))
    return results


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_steps__make_what_torch_makes(specimen: Specimen) -> None:
    result = results_of(lower(specimen.program), specimen)[-1]
    expected = specimen.reference(*specimen.inputs, *specimen.weights)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    most = expected.double().abs().max()
    assert (result.double() - expected.double()).abs().max() <= specimen.within * (1 + most)


def verdicts(step: Step, operands: Sequence[Tensor], result: Tensor) -> set[Verdict]:
    """What the judge says of three elements of a step."""
    tensors = [to_canonical(tensor) for tensor in (result, *operands)]
    opened = [open_tensors(step, e, tensors) for e in {0, step.result.elements // 2, step.result.elements - 1}]
    return {judge(step, one.values, one.hint, 0).verdict for one in opened}


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_every_step__is_judged_and_an_honest_one_acquitted(specimen: Specimen) -> None:
    results: list[Tensor] = []
    for step in lower(specimen.program).graph.steps:
        operands = operands_of(step, specimen.inputs, specimen.weights, results)
        results.append(evaluate_rounded(step, operands))
        assert verdicts(step, operands, results[-1]) == {Verdict.NO_FAULT}


@pytest.mark.parametrize("specimen", ALL, ids=lambda specimen: specimen.title)
def test_a_kernel_that_is_covered__is_acquitted(specimen: Specimen) -> None:
    lowered = lower(specimen.program)
    if len(lowered.results) > 1 or not lowered.covered[0]:
        return
    results = results_of(lowered, specimen)
    step = lowered.graph.steps[-1]
    operands = operands_of(step, specimen.inputs, specimen.weights, results)
    kernel = specimen.reference(*specimen.inputs, *specimen.weights)
    assert verdicts(step, operands, kernel) == {Verdict.NO_FAULT}


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
    assert not torch.equal(
        results_of(lower(specimen.program), specimen)[-1], specimen.reference(specimen.inputs[0] * 1.01)
    )
