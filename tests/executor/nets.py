"""Small real networks that between them use every operator."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from executor.capture import capture
from executor.network import Network
from rollup.lowering import lower


class ConvNet(nn.Module):
    """Logits f32 [N, 10] of a picture f32 [N, 1, 8, 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, groups=2, stride=2, padding=1),
            nn.ReLU(),
        )
        self.hidden = nn.Linear(64, 32)
        self.logits = nn.Linear(32, 10)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.logits(torch.relu(self.hidden(self.features(picture).flatten(1))))
        return logits


class Clamped(nn.Module):
    """Logits f32 [N, 10] of a picture f32 [N, 1, 8, 8], through a ReLU6: no overflow before it shows after it."""

    six: Tensor
    minus: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features, self.logits = nn.Conv2d(1, 2, 3, padding=1), nn.Linear(128, 10)
        self.register_buffer("six", torch.full((1,), 6.0))
        self.register_buffer("minus", torch.full((1,), -1.0))
        with torch.no_grad():
            self.features.weight.mul_(8.0)

    def forward(self, picture: Tensor) -> Tensor:
        features = torch.relu(self.features(picture))
        six: Tensor = torch.relu(features * self.minus + self.six) * self.minus + self.six
        logits: Tensor = self.logits(six.flatten(1))
        return logits


class Features(ConvNet):
    """f32 [N, 64] of a picture: for one, too many to stand in a claim."""

    def forward(self, picture: Tensor) -> Tensor:
        flat: Tensor = self.features(picture).flatten(1)
        return flat


class Labels(nn.Module):
    """The label i64 [N] that ConvNet gives a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ConvNet()

    def forward(self, picture: Tensor) -> Tensor:
        labels: Tensor = self.net(picture).argmax(1)
        return labels


class Tangle(nn.Module):
    """f32 [N, 6, 5] from f32 [N, 4, 6, 6]: batch norm, dropout, padding, dilation, movement and broadcasting."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, (3, 2), padding=(2, 1), dilation=(2, 1), bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.drop = nn.Dropout(0.5)
        self.mix = nn.Parameter(torch.randn(6, 6))
        self.scale = nn.Parameter(torch.randn(6, 1))
        self.norm.running_mean = torch.randn(6)
        self.norm.running_var = torch.rand(6) + 0.5

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.drop(self.norm(self.conv(x)))
        pooled: Tensor = self.pool(y).flatten(2)
        rows = pooled.transpose(1, 2) @ self.mix
        scores = rows @ rows.transpose(1, 2)
        top = scores.amax(1, keepdim=True).expand(-1, 6, -1)[:, :, 1:11:2] * self.scale
        left = y[:, :, 0, :5] + 2.5 - top
        return torch.cat([left[:, 0:3], top[:, 3:6]], dim=1) * y.mean((2, 3)).unsqueeze(-1)


def network_of(module: nn.Module, *examples: Tensor) -> Network:
    captured = capture(module.eval(), examples)
    return Network(captured.program, lower(captured.program), tuple(captured.weights.values()))


@cache
def conv_net() -> tuple[ConvNet, Network]:
    torch.manual_seed(7)
    module = ConvNet().eval()
    return module, network_of(module, torch.zeros(1, 1, 8, 8))


@cache
def tangle() -> tuple[Tangle, Network]:
    torch.manual_seed(8)
    module = Tangle().eval()
    return module, network_of(module, torch.zeros(1, 4, 6, 6))
