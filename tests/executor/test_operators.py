"""The float64 evaluation of every step, element by element, against the judge's exact one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from executor.bounds import magnitude
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded, terms_of
from executor.operators.places import strided
from executor.tensors import to_canonical
from rollup.graph import Op
from rollup.judge.evaluate import evaluate, open_tensors
from rollup.types import Verdict
from tests.executor.nets import Labels, conv_net, network_of, tangle
from tests.parity.toy import FIRST_OPERATORS


def networks() -> list[tuple[str, Network, tuple[int, ...]]]:
    torch.manual_seed(3)
    labels = network_of(Labels(), torch.zeros(1, 1, 8, 8))
    return [
        ("conv_net", conv_net()[1], (1, 1, 8, 8)),
        ("tangle", tangle()[1], (1, 4, 6, 6)),
        ("labels", labels, (1, 1, 8, 8)),
    ]


NETWORKS = networks()


@pytest.mark.parametrize(("name", "network", "shape"), NETWORKS, ids=[name for name, _, _ in NETWORKS])
def test_every_element__passes_the_judge_at_the_least_factor(
    name: str, network: Network, shape: tuple[int, ...]
) -> None:
    inputs = [torch.randn(shape)]
    results: list[torch.Tensor] = []
    for step in network.graph.steps:
        operands = operands_of(step, inputs, network.weights, results)
        results.append(evaluate_rounded(step, operands))
        tensors = [to_canonical(tensor) for tensor in (results[-1], *operands)]
        assert tensors[0].spec == step.result
        for element in range(step.result.elements):
            opened = open_tensors(step, element, tensors)
            # The factor 1: an error of one rounding of each product's magnitude, which float64 never makes.
            finding = evaluate(step, opened.values, opened.hint, 256 if step.op is Op.CONTRACT else 0)
            assert finding.verdict is Verdict.NO_FAULT, (name, step, element)


def test_these_networks__use_every_operator() -> None:
    assert {step.op for _, network, _ in NETWORKS for step in network.graph.steps} >= set(FIRST_OPERATORS)


def test_magnitude__is_the_sum_of_absolute_products() -> None:
    _, network = conv_net()
    step = network.graph.steps[-1]
    row = torch.tensor([[-1.0, 2.0] * 16])
    operands = [row, *operands_of(step, [], network.weights, [row] * len(network.graph.steps))[1:]]
    expected = row.abs().double() @ operands[1].abs().double().T + operands[2].abs().double()
    assert torch.allclose(magnitude(step, operands), expected, rtol=1e-12)
    assert terms_of(step) == 33


def test_an_operand_that_is_a_part_of_something_larger__is_read_from_its_own_beginning() -> None:
    whole = torch.arange(24.0)
    step = next(step for step in tangle()[1].graph.steps if step.op is Op.STRIDED)
    size = step.operands[0].spec.elements
    part = torch.cat([torch.full((7,), 99.0), whole.repeat(size // 24 + 1)[:size]])[7:].reshape(
        step.operands[0].spec.shape
    )
    assert part.is_contiguous()
    assert part.storage_offset() == 7
    assert torch.equal(evaluate_rounded(step, [part]), evaluate_rounded(step, [part.clone()]))


def whole_axes(random: Random) -> list[tuple[int, int]]:
    """Dimensions and strides that read every element of a tensor, its axes in any order, and repeat it along others."""
    dims = [random.randint(1, 4) for _ in range(random.randint(0, 4))]
    strides, size = [0] * len(dims), 1
    for axis in random.sample(range(len(dims)), random.randint(0, len(dims))):
        strides[axis], size = size, size * dims[axis]
    return list(zip(dims, strides, strict=True))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-7, 12)), max_size=4) | st.randoms().map(whole_axes))
def test_strided__any_strides__read_what_the_sum_of_indices_names(axes: list[tuple[int, int]]) -> None:
    dims, strides = [dim for dim, _ in axes], [stride for _, stride in axes]
    places = [sum(i * stride for i, stride in zip(at, strides, strict=True)) for at in np.ndindex(*dims)]
    # So far from the beginning that nothing before it is read.
    offset = -min(places)
    x = torch.arange(max(places) + offset + 1, dtype=torch.float64)
    found = strided(x, dims, strides, offset)
    assert found.shape == tuple(dims)
    assert found.reshape(-1).tolist() == [float(place + offset) for place in places]


def test_strided__whole_tensors__let_gradients_through() -> None:
    x = torch.arange(6.0, requires_grad=True)
    turned = strided(x, (2, 3, 2), (1, 2, 0))
    (turned * torch.arange(12.0).reshape(2, 3, 2)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 13.0, 5.0, 17.0, 9.0, 21.0]
