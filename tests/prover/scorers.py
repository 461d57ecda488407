"""Small scorers: networks that take an item, a picture and its target, and give its score."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.registration import prepare
from executor.tensors import canonical_bytes
from rollup.blobs import Blobs
from rollup.package import Package
from tests.executor.nets import ConvNet
from tests.prover.arena import TERMS

CLASSES = 10


class Accuracy(nn.Module):
    """f32 [N]: 1 where the label of a picture f32 [N, 1, 8, 8] is its target i64 [N], else 0."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net or ConvNet()

    def forward(self, picture: Tensor, target: Tensor) -> Tensor:
        score: Tensor = (self.net(picture).argmax(1) == target).float()
        return score


class TiedNet(ConvNet):
    """Of all pictures labels 0 and 1 are the likeliest, by `gap` apart."""

    def __init__(self, gap: float = 0.0) -> None:
        super().__init__()
        with torch.no_grad():
            self.logits.weight[1] = self.logits.weight[0]
            self.logits.bias[:2] = torch.tensor([8.0, 8.0 - gap])


class Shares(nn.Module):
    """f32 [N]: the mean accuracy on an item's pictures f32 [N, 4, 8, 8] with targets i64 [N, 4]."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net or ConvNet()

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        rows = [(self.net(pictures[:, place : place + 1]).argmax(1) == targets[:, place]).float() for place in range(4)]
        return torch.stack(rows, 1).mean(1)


class Loss(nn.Module):
    """f32 [N]: the logit of the target f32 [N, 10], one-hot, of a picture f32 [N, 1, 8, 8]; jumps nowhere."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net or ConvNet()

    def forward(self, picture: Tensor, target: Tensor) -> Tensor:
        score: Tensor = (self.net(picture) * target).sum(1)
        return score


class Likelihood(nn.Module):
    """f32 [N]: the probability of the target i64 [N] of a picture f32 [N, 1, 8, 8]."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net or ConvNet()

    def forward(self, picture: Tensor, target: Tensor) -> Tensor:
        rows = self.net(picture).log_softmax(1)
        score: Tensor = rows.gather(1, target[:, None])[:, 0].exp()
        return score


def scorer(blobs: Blobs, module: nn.Module, *examples: Tensor) -> LoadedModel:
    """Captured, calibrated, stored, and loaded."""
    captured = capture(module.eval(), list(examples))
    terms = replace(TERMS, ranges=((0.0, 1.0), (0, CLASSES - 1)))
    record = prepare(blobs, Package(captured.program, captured.committed), terms).record
    return load_model(blobs, record, 2**30)


def picture_of(seed: int) -> Tensor:
    return torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def item_of(*tensors: Tensor) -> list[bytes]:
    return [canonical_bytes(tensor) for tensor in tensors]
