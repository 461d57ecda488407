"""What training through the system costs: items a second of a job's loop against the same loop in plain PyTorch.

Both train the digits network on the same items with the same optimiser, in turn, in this process; the job also draws
its batches, keeps its curve and writes its checkpoints. Then a job on one process
and on two, one thread each.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from executor.training.checkpoint import Checkpoint
from executor.training.dataset import Dataset
from executor.training.job import Job
from executor.training.loop import Run, Seat, train
from executor.training.network import Trainee
from executor.training.recipe import Optimiser, Recipe
from tests.digits import DigitNet, digits
from tests.executor.training.jobs import digits_job

EPOCHS = 10
ROUNDS = 7
BATCH = 64
RATE = 3e-3
TEAM = 2


def run() -> dict[str, Any]:
    """`ratio`: throughput through the system over plain PyTorch's, median of the rounds."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    data = digits()
    pictures, labels = torch.from_numpy(data.shown), torch.from_numpy(data.shown_labels)
    with tempfile.TemporaryDirectory() as folder:
        digits_job(Path(folder))
        pairs = [(_plain(pictures, labels), _system(Path(folder), pictures, labels)) for _ in range(ROUNDS + 1)][1:]
    return {
        "ratio": statistics.median(plain / system for plain, system in pairs),
        "items_per_second": len(pictures) * EPOCHS / statistics.median(system for _, system in pairs),
        "two_processes_speed_up": _team_speed_up(),
        "epochs": EPOCHS,
        "items": len(pictures),
    }


def _plain(pictures: Tensor, labels: Tensor) -> float:
    """Seconds of the loop that anybody would write."""
    torch.manual_seed(0)
    net = DigitNet()
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    began = time.perf_counter()
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(pictures)), BATCH):
            optimiser.zero_grad()
            functional.cross_entropy(net(pictures[chosen]), labels[chosen]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return time.perf_counter() - began


def _system(folder: Path, pictures: Tensor, labels: Tensor) -> float:
    """Seconds of a job's loop, with its checkpoints."""
    recipe = Recipe(epochs=EPOCHS, batch_size=BATCH, optimiser=Optimiser(learning_rate=RATE))
    trainee: Trainee = Job(folder).prepare().trainee
    began = time.perf_counter()
    run = Run(recipe, trainee, Dataset((pictures,), labels), None, lambda _: None, partial(_keep, folder))
    train(run, Seat(trainee.module), None)
    return time.perf_counter() - began


def _keep(folder: Path, checkpoint: Checkpoint) -> None:
    checkpoint.write(folder / "bench.safetensors")


def _team_speed_up() -> float:
    """Seconds an epoch of one process over those of two, of the same number of items; the first epoch warms up."""
    seconds = []
    for team in (1, TEAM):
        with tempfile.TemporaryDirectory() as folder:
            method = "single" if team == 1 else "distributed"
            job = digits_job(Path(folder), method=method, processes=team, epochs=EPOCHS, batch_size=1024 // team)
            seconds.append(statistics.median(point.seconds for point in job.train().curve[1:]))
    return seconds[0] / seconds[1]
