"""Digits, their network, and a scorer of it that is registered nowhere but in blobs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from executor.calibration import Calibration, Plan, calibrate
from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.network import Network
from executor.registration import Terms, enter
from executor.scorer import Score, scorer_of
from executor.tensors import canonical_bytes
from rollup.blobs import Blobs
from rollup.package import Package
from rollup.types import Model, Windows
from tests.digits import digits, trained

WINDOWS = Windows(60, 30, 30, 30, 30)
PLAN = Plan(threads=(1,), batch_sizes=(1, 2), requests=2, reach_samples=1, reach_elements=2)
MAX_BYTES = 2**24
# Of pictures, and of labels.
RANGES = ((0.0, 1.0), (0.0, 9.0))


def packed(module: nn.Module, score: Score | None = None, picture: Tensor | None = None) -> Package:
    """A network of digits as a package; with a `score`, its scorer."""
    captured = capture(module.eval(), [torch.zeros(1, 1, 8, 8) if picture is None else picture])
    program = captured.program if score is None else scorer_of(captured.program, score)
    return Package(program, captured.committed)


def loaded(blobs: Blobs, package: Package, samples: Sequence[Sequence[Tensor]]) -> LoadedModel:
    """A package as executors load it, calibrated in a hurry."""
    return stored(blobs, package, calibrate(Network.from_package(package), samples, PLAN))


def stored(blobs: Blobs, package: Package, calibration: Calibration) -> LoadedModel:
    """A calibrated package, loaded back from blobs."""
    return load_model(blobs, entered(blobs, package, calibration), MAX_BYTES)


def entered(blobs: Blobs, package: Package, calibration: Calibration) -> Model:
    """A calibrated package in blobs, and the record that is registered of it."""
    terms = Terms(0.0, 1.0, 1_000_000, WINDOWS, RANGES[: len(package.program.inputs)])
    return enter(blobs, package, terms, calibration).record


def digit_scorer(blobs: Blobs, score: Score = Score.ACCURACY) -> LoadedModel:
    """A scorer of the trained digit network."""
    return stored(blobs, *_digit_scorer(score))


@cache
def _digit_scorer(score: Score) -> tuple[Package, Calibration]:
    package = packed(trained(), score)
    return package, calibrate(Network.from_package(package), digit_samples(4), PLAN)


def digit_samples(count: int, first: int = 0) -> list[list[Tensor]]:
    """Pictures that were held out, each with its label."""
    data = digits()
    pictures, labels = torch.from_numpy(data.held_out), torch.from_numpy(data.held_out_labels)
    return [[pictures[place : place + 1], labels[place : place + 1]] for place in range(first, first + count)]


def digit_items(count: int, first: int = 0) -> list[list[bytes]]:
    return [[canonical_bytes(tensor) for tensor in sample] for sample in digit_samples(count, first)]
