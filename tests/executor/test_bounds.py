"""The vectorised bounds against the judge's exact ones: never laxer, hardly stricter."""

from __future__ import annotations

import torch

from executor.bounds import bound_of, inside, magnitude
from executor.network import operands_of
from executor.operators import evaluate
from executor.tensors import to_canonical
from executor.trace import recompute
from rollup.graph import Op, Step
from rollup.judge.evaluate import evaluate as judge
from rollup.judge.evaluate import open_tensors
from rollup.numerics import Arithmetic, Profile
from rollup.types import Verdict
from tests.executor.nets import Labels, conv_net, network_of

FACTOR = 8 * 256


def verdicts(step: Step, operands: list[torch.Tensor], result: torch.Tensor, factor: int) -> list[bool]:
    """Whether the judge finds no fault, element by element."""
    tensors = [to_canonical(tensor) for tensor in (result, *operands)]
    found = []
    for element in range(step.result.elements):
        opened = open_tensors(step, element, tensors)
        found.append(judge(step, opened.values, opened.hint, factor).verdict is Verdict.NO_FAULT)
    return found


def last_step() -> tuple[Step, list[torch.Tensor]]:
    torch.manual_seed(0)
    _, network = conv_net()
    inputs = [torch.rand(1, 1, 8, 8)]
    results = recompute(network, inputs)
    step = network.graph.steps[-1]
    return step, operands_of(step, inputs, network.weights, results)


def test_a_result_just_beyond_the_bound__is_outside_for_both() -> None:
    step, operands = last_step()
    bound = bound_of(step, operands, FACTOR)
    exact = evaluate(step, operands)
    for part, expected in ((0.7, True), (1.3, False)):
        for sign in (-1, 1):
            # 0.3 of the bound is 2.4 u times the magnitudes; rounding result and bound moves them by at most 2 u.
            result = (exact + sign * part * bound).float()
            assert verdicts(step, operands, result, FACTOR) == [expected] * 10
            assert inside(step, operands, result, FACTOR).flatten().tolist() == [expected] * 10


def test_the_sound_bound__is_a_rounding_of_each_product_and_of_sums_no_larger_than_one_sign_s_terms() -> None:
    step, operands = last_step()
    terms = 33
    sizes = magnitude(step, operands)
    greater = (sizes + evaluate(step, operands).abs()) / 2
    expected = (sizes + (terms - 1) * greater) / (2**24 - terms) + terms * 2.0**-124
    assert bool((greater < 0.9 * sizes).any())
    assert torch.allclose(bound_of(step, operands), expected, rtol=1e-14, atol=0.0)


def test_a_promised_or_measured_bound__holds_where_it_is_less() -> None:
    step, operands = last_step()
    sizes, terms = magnitude(step, operands), 33
    blocked = bound_of(step, operands, 0, Profile(blocked=True)) - terms * 2.0**-124
    assert torch.allclose(blocked, sizes * (11 / (2**24 - 11)), rtol=1e-14, atol=0.0)
    measured = bound_of(step, operands, FACTOR) - terms * 2.0**-124
    assert torch.allclose(measured, sizes * (FACTOR / 256 / (2**24 - terms)), rtol=1e-14, atol=0.0)
    cores = bound_of(step, operands, 0, Profile(Arithmetic.TF32)) - terms * 2.0**-124
    assert torch.allclose(cores, magnitude(step, operands, Profile(Arithmetic.TF32)) * (terms / (2**22 - terms)))


def test_a_non_finite_result__is_outside_unless_the_sum_may_overflow() -> None:
    step, operands = last_step()
    result = torch.full(step.result.shape, float("inf"))
    assert not inside(step, operands, result, FACTOR).any()
    huge = [torch.full_like(operands[0], 3e38), torch.full_like(operands[1], 3e38), operands[2]]
    assert inside(step, huge, result, FACTOR).all()


def test_exact_operators__take_only_their_own_value() -> None:
    torch.manual_seed(0)
    network = network_of(Labels(), torch.zeros(1, 1, 8, 8))
    inputs = [torch.rand(1, 1, 8, 8)]
    results = recompute(network, inputs)
    for step, result in zip(network.graph.steps, results, strict=True):
        if step.op is Op.CONTRACT:
            continue
        operands = operands_of(step, inputs, network.weights, results)
        assert inside(step, operands, result, 0).all()
        wrong = result.clone()
        wrong.view(-1)[-1] = result.view(-1)[-1] + 1
        seen = inside(step, operands, wrong, 0).flatten()
        assert not seen[-1], step
        assert seen[:-1].all()
