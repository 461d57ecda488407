"""Models of what is neither text nor table nor picture: graphs, volumes, and choices among experts."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from tests.zoo.specimen import Inputs, Specimen, lively


def graph(generator: Generator, size: int) -> Inputs:
    """f32 [1, size, 6] of nodes, f32 [1, size, size] of edges, some nodes without any."""
    edges = (torch.rand(1, size, size, generator=generator) > 0.7).float()
    edges[:, :, int(torch.randint(size, (1,), generator=generator))] = 0
    edges[:, 0] = 0
    return torch.randn(1, size, 6, generator=generator), edges


def volume(generator: Generator, size: int) -> Inputs:
    """f32 [1, 1, size, size, size]: a smooth body under noise."""
    coarse = torch.randn(1, 1, 3, 3, 3, generator=generator)
    smooth = functional.interpolate(coarse, size=(size, size, size), mode="trilinear", align_corners=True)
    return (smooth + 0.1 * torch.randn(1, 1, size, size, size, generator=generator),)


def state(generator: Generator, _: int) -> Inputs:
    """f32 [1, 12] of a state, i64 [1, 3] of things seen, known by numbers far above any table's size."""
    seen = torch.randint(10**6, (1, 3), generator=generator)
    return torch.randn(1, 12, generator=generator), seen


class Graph(nn.Module):
    """f32 [N, 3]: two layers over normalised edges, the two greatest of each channel (Kipf and Welling, 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        scale = edges.sum(-1).clamp(min=1e-6).rsqrt()
        scale[edges.sum(-1) == 0] = 0.0
        edges = scale.unsqueeze(-1) * edges * scale.unsqueeze(-2)
        nodes = torch.relu(self.first(nodes) + edges @ self.first(nodes))
        nodes = torch.relu(self.second(nodes) + edges @ self.second(nodes))
        logits: Tensor = self.head(nodes.topk(2, dim=1).values.mean(1))
        return logits


class Volume(nn.Module):
    """f32 [N, 2] of a body: convolutions over three dimensions, as of scans."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(1, 4, 3, padding=1, bias=False), nn.BatchNorm3d(4), nn.ReLU(inplace=True), nn.MaxPool3d(2),
            nn.Conv3d(4, 8, 3, stride=2, padding=1), nn.ELU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(8, 2)

    def forward(self, body: Tensor) -> Tensor:
        logits: Tensor = self.head(self.layers(body))
        return logits


class Experts(nn.Module):
    """f32 [N, 4]: two of six experts, by a gate, over a state and hashed embeddings of what was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Embedding(97, 4)
        self.gate = nn.Linear(24, 6)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(24, 16), nn.SiLU(), nn.Linear(16, 4)) for _ in range(6)])

    def forward(self, state: Tensor, seen: Tensor) -> Tensor:
        x = torch.cat([state, self.seen(seen * 31 % 97).flatten(1)], dim=-1)
        values, chosen = self.gate(x).topk(2, dim=-1)
        weights = torch.zeros(x.shape[0], 6).scatter(-1, chosen, values.softmax(-1))
        return sum((weights[:, i : i + 1] * expert(x) for i, expert in enumerate(self.experts)), torch.zeros(1, 4))


SPECIMENS = (
    Specimen("graph", lambda: lively(Graph()), graph, sizes=(9,)),
    Specimen("volume", lambda: lively(Volume()), volume, sizes=(12,)),
    Specimen("experts", lambda: lively(Experts()), state),
)
