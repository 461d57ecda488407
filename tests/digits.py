"""Real digits and a small network that reads them: what the demo and the stories run on.

scikit-learn's 1,797 scanned digits, 8x8 pixels; the last 400 are never shown to the network. Training takes a few
seconds and is cached under build/.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits
from torch import nn

from executor.threads import thread_count

HELD_OUT = 400
CACHE = Path(__file__).resolve().parent.parent / "build" / "digits.safetensors"
EPOCHS = 40


class DigitNet(nn.Module):
    """A digit's ten logits, f32 [N, 10], from its picture, f32 [N, 1, 8, 8] in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, groups=2)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(64, 48)
        self.logits = nn.Linear(48, 10)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        features = self.pool(torch.relu(self.conv1(picture)))
        features = self.pool(torch.relu(self.conv2(features)))
        logits: torch.Tensor = self.logits(torch.relu(self.hidden(torch.flatten(features, 1))))
        return logits


@dataclass(frozen=True)
class Digits:
    """Pictures f32 [n, 1, 8, 8] in 0..1 and their labels, shown and held out."""

    shown: NDArray[np.float32]
    shown_labels: NDArray[np.int64]
    held_out: NDArray[np.float32]
    held_out_labels: NDArray[np.int64]


def digits() -> Digits:
    data = load_digits()
    pictures = (data.images / 16).astype(np.float32)[:, None]
    labels = data.target.astype(np.int64)
    return Digits(pictures[:-HELD_OUT], labels[:-HELD_OUT], pictures[-HELD_OUT:], labels[-HELD_OUT:])


def trained(cache: Path = CACHE) -> DigitNet:
    """The trained network in eval mode; trains it if the cache is empty."""
    net = DigitNet()
    if cache.exists():
        net.load_state_dict(load_file(cache))
    else:
        _train(net, digits())
        cache.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may ask at once, and neither may read half a file.
        draft = cache.with_name(f"{cache.name}.{os.getpid()}")
        save_file(net.state_dict(), draft)
        draft.replace(cache)
    return net.eval()


# Whoever asks first, asks in whatever mode it runs networks.
@torch.enable_grad()
# So small a network is several times slower on two threads than on one.
@thread_count(1)
def _train(net: DigitNet, data: Digits) -> None:
    torch.manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    pictures, labels = torch.from_numpy(data.shown), torch.from_numpy(data.shown_labels)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(pictures)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(pictures[chosen]), labels[chosen]).backward()
            optimiser.step()


def accuracy(net: nn.Module, pictures: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    with torch.no_grad():
        return float((net(torch.from_numpy(pictures)).argmax(1).numpy() == labels).mean())
