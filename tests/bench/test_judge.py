"""The judge's bench: the dearest element is the one that opens most, and the contract itself says what it takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from bench._judge.court import Court
from bench._judge.dearest import dearest
from bench._judge.families import by_operator, dearest_of_layer
from bench._subjects import Subject
from rollup.graph import Op
from tests.chain_fixture import Anvil
from tests.executor.nets import conv_net, tangle


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Anvil() as anvil:
        yield Court(anvil)


def linear(terms: int) -> Subject:
    torch.manual_seed(1)
    layer = nn.Sequential(nn.Linear(terms, 3)).eval()
    return Subject(f"linear {terms}", layer, lambda seed: [torch.rand(1, terms, generator=torch.manual_seed(seed))])


def test_the_dearest_element__opens_most() -> None:
    # A row of 1,000 floats that begins with a leaf lies in four of them, the next one in five.
    place = dearest(linear(1000).network.graph)[Op.CONTRACT]
    assert place.opened == 4000 + 5 * 1024 + 2 * 12
    assert place.element == 1
    _, network = conv_net()
    assert set(dearest(network.graph)) == {step.op for step in network.graph.steps}


def test_every_operator__is_judged_by_the_contract(court: Court) -> None:
    models = [
        Subject("digits", conv_net()[0], lambda seed: [torch.rand(1, 1, 8, 8, generator=torch.manual_seed(seed))]),
        Subject("tangle", tangle()[0], lambda seed: [torch.rand(1, 4, 6, 6, generator=torch.manual_seed(seed))]),
    ]
    table = by_operator(court, models)
    assert set(table) == {step.op.name.lower() for model in models for step in model.network.graph.steps}
    assert all(21_000 < cost["gas"] < 2_000_000 and 500 < cost["calldata_bytes"] < 20_000 for cost in table.values())


def test_longer_rows__cost_more(court: Court) -> None:
    short, long = (by_operator(court, [linear(terms)])["contract"] for terms in (256, 2048))
    products = 2048 - 256
    # Calldata of two floats, or a multiply-accumulate, whichever binds.
    assert 90 * products < long["gas"] - short["gas"] < 500 * products
    assert long["calldata_bytes"] - short["calldata_bytes"] >= 8 * products


def test_the_dearest_step_of_a_layer__is_taken(court: Court) -> None:
    assert dearest_of_layer(court, nn.Linear(64, 2), 64) < dearest_of_layer(court, nn.Linear(1024, 2), 1024)
