"""Models of series: what happens next, and of what kind a signal is."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from tests.zoo.specimen import Inputs, Specimen, lively


def returns(generator: Generator, size: int) -> Inputs:
    """f32 [1, size, 4]: daily returns of four assets in percent, calm and wild by turns."""
    wildness = torch.exp(0.1 * torch.randn(1, size, 1, generator=generator).cumsum(1))
    return (wildness * torch.randn(1, size, 4, generator=generator),)


def signal(generator: Generator, size: int) -> Inputs:
    """f32 [1, 2, size]: two channels of an oscillation under noise."""
    time = torch.linspace(0, 1, size)
    pitch = 5 + 20 * torch.rand(2, 1, generator=generator)
    noise = 0.1 * torch.randn(1, 2, size, generator=generator)
    return (torch.sin(2 * torch.pi * pitch * time)[None] + noise,)


class Lstm(nn.Module):
    """f32 [N, 1]: tomorrow's volatility by two layers over all days."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 32, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(32, 1)

    def forward(self, days: Tensor) -> Tensor:
        states, _ = self.lstm(days)
        return functional.softplus(self.head(states[:, -1]))


class Gru(nn.Module):
    """f32 [N, 3]: up, flat or down, by a layer in each direction and the last state of both."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 3)

    def forward(self, days: Tensor) -> Tensor:
        states, last = self.gru(days)
        both = torch.cat([last[0], last[1]], dim=-1) + states.mean(1)
        return torch.softmax(self.head(both), dim=-1)


class Cell(nn.Module):
    """f32 [N, 16]: a cell stepped by hand, as reinforcement learners do."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(4, 16)

    def forward(self, days: Tensor) -> Tensor:
        hidden = days.new_zeros(days.shape[0], 16)
        memory = torch.zeros_like(hidden)
        for day in days.unbind(1):
            hidden, memory = self.cell(day, (hidden, memory))
        return hidden


class Causal(nn.Module):
    """A convolution of the past only, around which the signal also goes by itself."""

    def __init__(self, inner: int, outer: int, dilation: int) -> None:
        super().__init__()
        self.reach = 2 * dilation
        conv = nn.Conv1d(inner, outer, 3, dilation=dilation)
        self.conv = nn.utils.parametrizations.weight_norm(conv)
        self.norm = nn.BatchNorm1d(outer)
        self.around = nn.Conv1d(inner, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm(self.conv(functional.pad(x, (self.reach, 0)))))
        around: Tensor = self.around(x)
        return torch.relu(y + around)


class Tcn(nn.Module):
    """f32 [N, 5]: a temporal convolutional network's logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(Causal(2, 16, 1), Causal(16, 16, 2), nn.MaxPool1d(2), Causal(16, 24, 4))
        self.pool, self.head = nn.AvgPool1d(4), nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.layers(x))
        logits: Tensor = self.head(x.max(dim=2).values + x.mean(-1))
        return logits


SPECIMENS = (
    Specimen("lstm", Lstm, returns, sizes=(30, 10)),
    Specimen("gru", Gru, returns, sizes=(20,)),
    Specimen("lstm_cell", Cell, returns, sizes=(6,)),
    Specimen("tcn", lambda: lively(Tcn()), signal, sizes=(64,)),
)
