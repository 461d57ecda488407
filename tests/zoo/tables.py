"""Models of tables: rows of numbers and categories."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from tests.zoo.specimen import Inputs, Specimen, lively

CATEGORIES = (50, 12, 7, 400)


def row(generator: Generator, _: int) -> Inputs:
    """f32 [1, 10] of amounts (skewed, some exactly zero), and i64 [1, 4] of categories."""
    amounts = torch.exp(torch.randn(1, 10, generator=generator) * 2) * (torch.rand(1, 10, generator=generator) > 0.2)
    codes = [torch.randint(count, (1, 1), generator=generator) for count in CATEGORIES]
    return amounts, torch.cat(codes, dim=1)


def columns(generator: Generator, size: int) -> Inputs:
    """f32 [1, 10] of amounts, and an i64 [1] of each category, so that each has a range of its own."""
    amounts, codes = row(generator, size)
    return amounts, *codes.unbind(1)


class Tabular(nn.Module):
    """f32 [N, 1], the odds of default: embeddings of the categories beside the logarithms of the amounts."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(count, min(16, (count + 1) // 2)) for count in CATEGORIES])
        width = 10 + sum(min(16, (count + 1) // 2) for count in CATEGORIES)
        self.enter = nn.BatchNorm1d(10)
        layers: list[nn.Module] = []
        for inner, outer in ((width, 64), (64, 32)):
            layers += [nn.Linear(inner, outer), nn.ReLU(inplace=True), nn.BatchNorm1d(outer), nn.Dropout(0.1)]
        self.layers, self.head = nn.Sequential(*layers), nn.Linear(32, 1)

    def forward(self, amounts: Tensor, *codes: Tensor) -> Tensor:
        numbers = self.enter(torch.log1p(amounts))
        parts = [table(code) for table, code in zip(self.tables, codes, strict=True)]
        return torch.sigmoid(self.head(self.layers(torch.cat([numbers, *parts], dim=1))))


class Standardised(nn.Module):
    """f32 [N, 3]: selu layers over a row put on its own scale, distances to centres, their softmin."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 32), nn.SELU(), nn.Linear(32, 8), nn.Softsign())
        self.bag = nn.EmbeddingBag(600, 8, mode="sum")
        self.centres = nn.Parameter(torch.randn(3, 8))

    def forward(self, amounts: Tensor, codes: Tensor) -> Tensor:
        rank = torch.log1p(amounts)
        scaled = (rank - rank.mean(-1, keepdim=True)) / (rank.std(-1, keepdim=True) + 1e-5)
        place = self.layers(scaled) + 0.1 * self.bag(codes)
        distances = torch.linalg.vector_norm(place.unsqueeze(1) - self.centres, dim=-1)
        return functional.softmin(distances**2, dim=-1)


SPECIMENS = (
    Specimen("tabular", lambda: lively(Tabular()), columns),
    Specimen("standardised", Standardised, row),
)
