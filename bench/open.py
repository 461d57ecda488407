"""What being doubted costs an executor: to open the trace of one MiniLM claim (128 tokens), and to register the model.

`ratio`: replay, hash and open, divided by a plain forward pass; opening is the Merkle path of a leaf of every step.
`checked_ratio`: the executor's own check of what it opens included. `register_seconds`: from torch weights to the roots
that go on chain, every blob written.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from bench._subjects import Subject, subject
from bench._timing import CORES, in_turn, ratio, seconds, typical
from executor.capture import capture
from executor.runner import Runner
from executor.threads import thread_count
from executor.trace import Trace, is_inside, replay
from rollup.blobs import open_blobs
from rollup.package import Package, store

TOKENS = 128
ROUNDS = 40


def run(seconds: float = 60.0) -> dict[str, Any]:
    """Rounds for so many seconds."""
    return measured(subject("minilm", TOKENS), seconds)


def measured(model: Subject, limit_seconds: float, threads: int = CORES) -> dict[str, Any]:
    """The figures of one model; times in seconds."""
    inputs, runner = list(model.draw(0)), Runner(model.network)
    numerics = model.calibration.numerics

    def plain() -> None:
        with torch.inference_mode():
            model.module(*inputs)

    def opened() -> None:
        trace = Trace.of(replay(model.network, runner, inputs))
        for number, tensor in enumerate(trace.tensors):
            tensor.open(0, 1, trace.bundle.path(number))

    def checked() -> None:
        results = replay(model.network, runner, inputs)
        assert is_inside(model.network, numerics, inputs, results)
        Trace.of(results)

    with thread_count(threads):
        rounds = in_turn([plain, opened, checked], ROUNDS, limit_seconds)
    return {
        "ratio": ratio(rounds, 1),
        "checked_ratio": ratio(rounds, 2),
        "rounds": len(rounds),
        "plain_seconds": typical(rounds, 0),
        "open_seconds": typical(rounds, 1),
        **_registered(model),
    }


def _registered(model: Subject) -> dict[str, Any]:
    captured = capture(model.module, model.draw(0))
    with TemporaryDirectory() as folder:
        blobs = open_blobs(Path(folder))

        def register() -> None:
            store(blobs, Package(captured.program, captured.committed), model.calibration.numerics)

        taken = seconds(register)
    return {"register_seconds": taken, "weight_bytes": sum(weight.nbytes for weight in captured.weights.values())}
