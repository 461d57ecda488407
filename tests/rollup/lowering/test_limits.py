"""What one proof may show, and how what is too wide is cut."""

from __future__ import annotations

import pytest

from rollup.call import Function
from rollup.errors import BadGraph
from rollup.graph import Op, Operand, Source, Step
from rollup.lowering import lower
from rollup.lowering.builder import MAX_CONTRACTION, MAX_ROW
from rollup.lowering.limits import MAX_OPENED, opened_bytes, require_provable
from rollup.tensor import TensorSpec
from tests.rollup.programs import f32
from tests.rollup.specimens import Specimen, numbers


def contraction(terms: int, origin: str = "") -> Step:
    """Two rows by two, with a bias."""
    operands = [Operand(Source.INPUT, place, spec) for place, spec in enumerate((f32(2, terms), f32(2, terms), f32(2)))]
    return Step(Op.CONTRACT, f32(2, 2), tuple(operands), 2, (terms, 2, 2, 1, 0, 0, 1, 0, 1), origin)


def test_the_longest_contraction__fits_into_a_proof() -> None:
    assert opened_bytes(contraction(MAX_CONTRACTION)) <= MAX_OPENED
    assert opened_bytes(contraction(MAX_CONTRACTION + 1024)) > MAX_OPENED


def test_a_run__is_counted_in_whole_leaves_wherever_it_starts() -> None:
    # Rows of 300 elements: 1,200 bytes, which lie in two leaves or, begun near the end of one, in three.
    operand = Operand(Source.INPUT, 0, f32(100, 300))
    step = Step(Op.AMAX, f32(100), (operand,), 0, (300,))
    assert opened_bytes(step) == (1 + 3) * 1024
    short = Step(Op.AMAX, f32(4), (Operand(Source.INPUT, 0, f32(4, 16)),), 0, (16,))
    assert opened_bytes(short) == 2 * 1024


def test_a_cat__opens_one_operand_and_argmax_two_elements() -> None:
    operands = tuple(Operand(Source.INPUT, place, f32(2, 600)) for place in range(3))
    assert opened_bytes(Step(Op.CAT, f32(2, 1800), operands, 0, (1, 600, 600, 600))) == 2 * 1024
    assert opened_bytes(Step(Op.ARGMAX, f32(2), operands[:1], 0, (600,))) == 3 * 1024


def test_steps_too_wide__are_all_named() -> None:
    steps = [contraction(20_000, "first.place"), contraction(8), contraction(30_000, "second.place")]
    with pytest.raises(BadGraph) as refusal:
        require_provable(steps)
    sentence = str(refusal.value)
    assert "step 0 (first.place): CONTRACT opens" in sentence
    assert "step 2 (second.place)" in sentence
    assert "step 1" not in sentence


def ops(function: Function, width: int, *weights: TensorSpec, **options: int) -> tuple[list[Op], tuple[bool, ...]]:
    tensors = tuple(numbers(*spec.shape) for spec in weights)
    lowered = lower(Specimen(function, (numbers(1, 2, width),), lambda x: x, tensors, options).program)
    return [step.op for step in lowered.graph.steps], lowered.covered


def test_rows__are_cut_only_where_they_must_be() -> None:
    assert ops(Function.MEAN, MAX_ROW, keepdim=0) == ([Op.SUM], (True,))
    assert ops(Function.MEAN, 2 * MAX_ROW, keepdim=0) == ([Op.SUM, Op.SUM], (False,))
    assert ops(Function.AMAX, 2 * MAX_ROW, keepdim=0) == ([Op.AMAX, Op.AMAX], (True,))
    rest = [Op.STRIDED, Op.STRIDED, Op.AMAX, Op.AMAX, Op.CAT, Op.AMAX]
    assert ops(Function.AMAX, 16_411, keepdim=0) == (rest, (True,))
    assert ops(Function.ARGMAX, 50_257, keepdim=0) == ([Op.ARGMAX], (True,))


def test_a_contraction__is_cut_only_where_it_must_be() -> None:
    wide = 2 * MAX_CONTRACTION
    assert ops(Function.LINEAR, MAX_CONTRACTION, f32(3, MAX_CONTRACTION)) == ([Op.CONTRACT], (True,))
    assert ops(Function.LINEAR, wide, f32(3, wide)) == ([Op.CONTRACT, Op.SUM], (False,))
    assert ops(Function.LINEAR, wide, f32(3, wide), f32(3)) == ([Op.CONTRACT, Op.SUM, Op.ADD], (False,))
