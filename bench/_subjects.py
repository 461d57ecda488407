"""The models that the harnesses measure, each at one size of request. Knows no measurement.

A model that cannot be captured is left out of what is measured, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from executor.calibration import Calibration, Plan, calibrate
from executor.capture import capture
from executor.network import Network
from rollup.errors import BadGraph
from rollup.lowering import lower
from tests.zoo import ZOO
from tests.zoo.texts import SENTENCES, encoded

Request = Sequence[Tensor]
CALIBRATION_SAMPLES = 2
SENTENCE_TOKENS = 32
PLAN = Plan(batch_sizes=(1, 2), requests=2, elements=2**25, reach_samples=1, reach_elements=4)


@dataclass(frozen=True)
class Subject:
    """`draw` gives the inputs of one request, other ones for each seed."""

    name: str
    module: nn.Module
    draw: Callable[[int], Request]

    @cached_property
    def network(self) -> Network:
        captured = capture(self.module, self.draw(0))
        return Network(captured.program, lower(captured.program), tuple(captured.weights.values()))

    @cached_property
    def calibration(self) -> Calibration:
        return calibrate(self.network, [self.draw(seed) for seed in range(CALIBRATION_SAMPLES)], PLAN)


# Of the zoo, by the size at which their requests are asked: many small requests try more than a few large ones.
SIZES = {
    "minilm": 64,
    "resnet18": 96,
    "mobilenet_v2": 96,
    "gpt2": 16,
    "vit": 224,
    "lstm": 10,
    "gru": 20,
    "tabular": 0,
    "unet": 32,
    "squeeze_excite": 32,
    "distilbert": 32,
}
# For harnesses that have minutes, not an hour.
FEW_SIZES = {"minilm": 16, "gru": 20, "tabular": 0, "unet": 32, "squeeze_excite": 32}


# Of them, those whose output is scores of classes.
CLASSIFIERS = ("resnet18", "mobilenet_v2", "vit", "gru", "squeeze_excite", "distilbert")


def subject(name: str, size: int | None = None) -> Subject:
    """A model of the zoo, with requests of a size."""
    specimen = ZOO[name]
    return Subject(name, specimen.module, lambda seed: specimen.request(seed, size))


def subjects(sizes: Mapping[str, int] = SIZES) -> list[Subject]:
    """The harnesses' models."""
    return [subject(name, size) for name, size in sizes.items()]


def full_size() -> list[Subject]:
    """The whole zoo, at the sizes people run it."""
    return [subject(name) for name in ZOO]


class Similarity(nn.Module):
    """Cosine f32 [N, 1] of a text's embedding with that of another text, f32 [N, 384]."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, ids: Tensor, mask: Tensor, other: Tensor) -> Tensor:
        similarity: Tensor = (self.embedding(ids, mask) * other).sum(-1, keepdim=True)
        return similarity


def similarity(dtype: torch.dtype = torch.float32) -> Subject:
    """MiniLM as people use it: how close two sentences are. A seed is the place of the first among the zoo's.

    `dtype`: of its weights and of all that it computes.
    """
    embedding = deepcopy(ZOO["minilm"].module).to(dtype)

    def draw(seed: int) -> Request:
        first, second = (encoded(SENTENCES[(seed + place) % len(SENTENCES)], SENTENCE_TOKENS) for place in range(2))
        with torch.inference_mode():
            other = embedding(*second)
        return [*first, other.clone()]

    return Subject(f"minilm similarity in {dtype}", Similarity(embedding).eval().requires_grad_(False), draw)


def captured(candidates: Sequence[Subject]) -> tuple[list[Subject], dict[str, str]]:
    """Those that can be judged, and why the others cannot, by name."""
    found, faults = [], {}
    for candidate in candidates:
        try:
            assert candidate.network.graph.steps
            found.append(candidate)
        except BadGraph as error:
            faults[candidate.name] = str(error)
    return found, faults
