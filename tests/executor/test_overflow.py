"""Requests that overflow: noticed though the output hides it, named where they do, and never where masks are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.models import MAX_DRAWN, LoadedModel, Models, draw_inputs
from executor.overflow import find_overflow, is_suspect
from executor.registration import Terms, prepare
from executor.tensors import canonical_bytes
from rollup.blobs import Blobs, open_blobs
from rollup.codec import Overflow
from rollup.package import Package
from rollup.tensor import Bundle
from rollup.types import ZERO_WORD, BundleRoot, Windows

HUGE = 3e38


class Hiding(nn.Module):
    """Sums whose overflow to -Inf a relu turns into zero: the output shows nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sums, self.last = nn.Linear(4, 3), nn.Linear(3, 2)
        with torch.no_grad():
            self.sums.weight.fill_(-1.0)
            self.sums.weight[1] = 0.0

    def forward(self, x: Tensor) -> Tensor:
        last: Tensor = self.last(torch.relu(self.sums(x)))
        return last


class Masked(nn.Module):
    """Scores, some of them masked by a weight of -Inf, and the greatest of each row."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Linear(4, 3)
        self.mask = nn.Parameter(torch.tensor([[0.0, float("-inf"), 0.0]]))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.scores(x) + self.mask)


def loaded(blobs: Blobs, module: nn.Module, hi: float = HUGE) -> LoadedModel:
    torch.manual_seed(3)
    captured = capture(module.eval(), [torch.zeros(1, 4)])
    terms = Terms(0.0, hi, 1_000_000, Windows(30, 20, 10, 10, 20))
    return Models(blobs).load(prepare(blobs, Package(captured.program, captured.committed), terms).record)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path)


def request(*values: float) -> list[bytes]:
    return [canonical_bytes(torch.tensor([values]))]


def test_drawn_inputs__stay_where_models_are_tried__however_wide_the_range(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding())
    (drawn,) = draw_inputs(model.record.inputs, 1, 1)
    assert float(drawn[0].max()) <= MAX_DRAWN


def test_an_ordinary_request__is_no_suspect(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding())
    inputs = request(1.0, 2.0, 3.0, 4.0)
    assert not is_suspect(model, inputs, model.runner.run([inputs])[0])
    assert find_overflow(model, inputs) is None


def test_an_output_that_is_not_finite__is_suspect(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding(), hi=1.0)
    assert is_suspect(model, request(0.0, 0.0, 0.0, 0.0), canonical_bytes(torch.tensor([[0.0, float("inf")]])))


def test_a_hidden_overflow__is_noticed_and_named(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding())
    inputs = request(HUGE, HUGE, 0.0, 0.0)
    output = model.runner.run([inputs])[0]
    assert is_suspect(model, inputs, output)
    found = find_overflow(model, inputs)
    assert found is not None
    # The second sum has no weights; the first overflows.
    assert found.place == Overflow(0, 0)


def test_a_large_input_that_overflows_nothing__is_claimed_as_ever(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding())
    inputs = request(HUGE, 0.0, 0.0, 0.0)
    assert is_suspect(model, inputs, model.runner.run([inputs])[0])
    assert find_overflow(model, inputs) is None


def test_a_mask__is_no_overflow__but_what_overflows_beside_it_is(blobs: Blobs) -> None:
    model = loaded(blobs, Masked())
    assert find_overflow(model, request(1.0, 2.0, 3.0, 4.0)) is None
    found = find_overflow(model, request(HUGE, HUGE, HUGE, HUGE))
    assert found is not None
    assert model.network.graph.steps[found.place.step].result.elements > found.place.element


def test_the_trace__ends_with_the_overflow(blobs: Blobs) -> None:
    model = loaded(blobs, Hiding())
    found = find_overflow(model, request(HUGE, HUGE, 0.0, 0.0))
    assert found is not None
    entry = found.store(blobs)
    assert entry[:8] == found.place.encoded
    bundle: Bundle = blobs.get_bundle(BundleRoot(entry[8:]))
    assert len(bundle.roots) == len(model.network.graph.steps)
    assert [root == ZERO_WORD for root in bundle.roots] == [False] + [True] * (len(bundle.roots) - 1)
    assert blobs.get_tensor(bundle.roots[0]).root == bundle.roots[0]
