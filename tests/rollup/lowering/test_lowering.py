"""Lowering: the steps of each call, and one root for one program."""

from __future__ import annotations

from rollup.call import Call, Function
from rollup.graph import Op, Step
from rollup.judge.elements import elements_needed
from rollup.lowering import MINUS_INFINITY, lower
from rollup.program import Program, Weight
from tests.rollup.programs import INPUT, f32, made, options, small, weight


def steps_of(*calls: Call, shape: tuple[int, ...], weights: tuple[tuple[int, ...], ...] = ()) -> tuple[Step, ...]:
    named = tuple(Weight(f"w{place}", f32(*dims)) for place, dims in enumerate(weights))
    return lower(Program((f32(*shape),), named, calls)).graph.steps


def reads(step: Step, element: int) -> list[tuple[int, int]]:
    """First element and count of each operand's run."""
    return [(run.first, run.count) for run in elements_needed(step, element)[1:]]


def test_a_network__becomes_these_steps() -> None:
    lowered = lower(small())
    assert [step.op.name for step in lowered.graph.steps] == [
        *("PATCHES", "CONTRACT", "RELU", "PATCHES", "AMAX", "STRIDED", "CONTRACT", "ARGMAX"),
    ]
    assert lowered.results == (1, 2, 4, 5, 6, 7)
    assert lowered.graph.steps[3].attributes[0] == MINUS_INFINITY


def test_the_same_program__has_one_root_and_a_changed_one_another() -> None:
    again = Program.from_json(small().to_json())
    assert lower(again).graph.root == lower(small()).graph.root
    other = Program(small().inputs, small().weights, small().calls[:-1])
    assert lower(other).graph.root != lower(small()).graph.root


def test_every_element__can_be_judged() -> None:
    for step in lower(small()).graph.steps:
        for element in range(step.result.elements):
            elements_needed(step, element)


def test_a_grouped_convolution__reads_its_own_group() -> None:
    # Output [1, 4, 4, 4]: element 3 * 16 + 5 is channel 3, which reads group 1, place 5 and row 3 of the weight.
    patches, contract = lower(small()).graph.steps[:2]
    assert patches.result.shape == (1, 2, 16, 9)
    assert reads(contract, 3 * 16 + 5) == [((16 + 5) * 9, 9), (3 * 9, 9), (3, 1)]


def test_a_linear_layer__reads_one_row_of_each_side() -> None:
    (step,) = steps_of(Call(Function.LINEAR, (INPUT, weight(0), weight(1))), shape=(1, 3, 4), weights=((5, 4), (5,)))
    assert reads(step, 2 * 5 + 1) == [(8, 4), (4, 4), (1, 1)]


def test_a_product__turns_its_second_operand() -> None:
    # [1, 2, 3] @ [3, 2]: the reduced axis comes innermost by a movement step.
    turn, product = steps_of(Call(Function.MATMUL, (INPUT, weight(0))), shape=(1, 2, 3), weights=((3, 2),))
    assert [turn.op, product.op, turn.result.shape] == [Op.STRIDED, Op.CONTRACT, (2, 3)]
    assert reads(product, 1) == [(0, 3), (3, 3)]


def test_a_matrix_that_a_view_made__is_turned() -> None:
    calls = (Call(Function.VIEW, (weight(0),), options(shape=(3, 2))), Call(Function.MATMUL, (INPUT, made(0))))
    _, turn, product = steps_of(*calls, shape=(1, 2, 3), weights=((6,),))
    assert (turn.op, turn.result.shape) == (Op.STRIDED, (2, 3))
    assert reads(product, 1) == [(0, 3), (3, 3)]


def test_what_was_turned_already__is_not_turned_back() -> None:
    calls = (Call(Function.PERMUTE, (INPUT,), options(dims=(0, 2, 1))), Call(Function.MATMUL, (INPUT, made(0))))
    turn, product = steps_of(*calls, shape=(1, 2, 3))
    assert turn.op is Op.STRIDED
    assert product.operands[0] == product.operands[1]
    assert reads(product, 1) == [(0, 3), (3, 3)]


def test_max_pool__reads_one_window() -> None:
    pool = Call(
        Function.MAX_POOL2D, (INPUT,), options(kernel=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1), ceil=(0,))
    )
    patches, amax = steps_of(pool, shape=(1, 2, 4, 4))
    assert patches.result.shape == (1, 2, 4, 4)
    assert reads(amax, 5) == [(20, 4)]
    # Second channel, second window, its last place: row 1, column 3.
    assert reads(patches, 5 * 4 + 3) == [(16 + 4 + 3, 1)]


def test_broadcasting__repeats_by_stride_zero() -> None:
    (step,) = steps_of(Call(Function.MUL, (INPUT, weight(0))), shape=(1, 3, 4), weights=((3, 1),))
    assert reads(step, 2 * 4 + 1) == [(9, 1), (2, 1)]


def test_movement__reads_the_element_it_moves() -> None:
    shape = (1, 2, 3)
    (view,) = steps_of(Call(Function.VIEW, (INPUT,), options(shape=(1, 6))), shape=shape)
    assert reads(view, 4) == [(4, 1)]
    (turned,) = steps_of(Call(Function.PERMUTE, (INPUT,), options(dims=(0, 2, 1))), shape=shape)
    assert reads(turned, 3) == [(4, 1)]
    (part,) = steps_of(Call(Function.SLICE, (INPUT,), options(dim=(2,), start=(0,), stop=(3,), step=(2,))), shape=shape)
    assert (part.result.shape, reads(part, 3)) == ((1, 2, 2), [(5, 1)])
    (wide,) = steps_of(Call(Function.EXPAND, (INPUT,), options(shape=(1, 2, 3))), shape=(1, 2, 1))
    assert reads(wide, 4) == [(1, 1)]
    (joined,) = steps_of(Call(Function.CAT, (INPUT, INPUT), options(dim=(2,))), shape=shape)
    assert reads(joined, 10) == [(4, 1)]
