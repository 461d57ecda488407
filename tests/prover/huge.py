"""Small networks whose weights a liar chooses, so large that runs overflow; and both looks at a claim of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.registration import prepare
from executor.runner import Runner
from executor.tensors import canonical_bytes
from prover.checker import Checker
from prover.position import Opinion
from rollup.blobs import Blobs, open_blobs
from rollup.package import Package
from tests.prover.arena import TERMS

NAN, INF = float("nan"), float("inf")
# From here on every magnitude is rounded to infinity.
EDGE = 2.0**128
X = [torch.tensor([[0.1, 0.2, 0.3, 0.4]])]
# The step that makes the last sums of most of them.
SUMS = 2
LIE = torch.tensor([[1.0, 0.5]])


class Net(nn.Module):
    """A network of x f32 [N, width]."""

    width: int


class Layers(Net):
    """f32 [N, 2] of f32 [N, 4]: two sums of positive terms."""

    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(4, 3), nn.Linear(3, 2)
        with torch.no_grad():
            for weight in self.parameters():
                weight.abs_().add_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(torch.relu(self.hidden(x)))
        return out


class Labelled(Layers):
    """i64 [N]: which of two sums is the greater."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).argmax(1)


class Twice(Layers):
    """i64 [N, 2]: which of two sums is the greater, and which of two inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([super().forward(x), x[:, :2] * 1e38], 1).argmax(2)


class Grown(Layers):
    """Exponentials of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).exp()


class Gated(Layers):
    """Two sums, of which the largest number is made if their input is above a half on average."""

    def forward(self, x: Tensor) -> Tensor:
        gate = (x.mean(1, keepdim=True) > 0.5).float()
        return super().forward(x) * (gate * 1e30 + 1.0)


class Masked(Layers):
    """Two sums, one of them masked."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.tensor([[0.0, -INF]]))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.mask


class Spread(Layers):
    """The variance of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).var(1, keepdim=True)


class Half(Layers):
    """Two sums, made in f16."""

    def __init__(self) -> None:
        super().__init__()
        self.half()

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.half()).float()


class Wide(Net):
    """f32 [N, 1] of f32 [N, 20000]: a sum that a trace has in two blocks."""

    width = 20_000

    def __init__(self) -> None:
        super().__init__()
        self.sum = nn.Linear(self.width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.sum(x)
        return total


class Chances(Layers):
    """Logarithms of two shares, which may vanish."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1).log()


Kind = type[Net]
Made = Callable[[Kind], LoadedModel]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    blobs, known = open_blobs(tmp_path_factory.mktemp("forced")), dict[Kind, LoadedModel]()

    def of(kind: Kind) -> LoadedModel:
        if kind not in known:
            known[kind] = prepared(blobs, kind)
        return known[kind]

    return of


def prepared(blobs: Blobs, kind: Kind) -> LoadedModel:
    torch.manual_seed(3)
    captured = capture(kind().eval(), [torch.zeros(1, kind.width)])
    return load_model(blobs, prepare(blobs, Package(captured.program, captured.committed), TERMS).record, 2**30)


def weighing(model: LoadedModel, weights: Sequence[Tensor]) -> LoadedModel:
    """The same architecture with other weights, as a liar chooses them."""
    network = replace(model.network, weights=tuple(weights))
    return replace(model, network=network, runner=Runner(network, "cpu"))


def scaled(model: LoadedModel, factor: float, layer: str = "") -> LoadedModel:
    """The weights of one layer, or of all, times a factor."""
    pairs = zip(model.network.program.weights, model.network.weights, strict=True)
    return weighing(model, [tensor * (factor if weight.name.startswith(layer) else 1.0) for weight, tensor in pairs])


def opinion_of(model: LoadedModel, inputs: Sequence[Tensor], output: Tensor | bytes) -> Opinion:
    """Both looks at a claim, the second if the first asks for it."""
    claimed = output if isinstance(output, bytes) else canonical_bytes(output)
    judging, data = Checker(model), [canonical_bytes(tensor) for tensor in inputs]
    (first,) = judging.deviations([data], [claimed])
    return Opinion(first, None if first <= 1 else judging.second_deviation(data, claimed))
