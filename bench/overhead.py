"""What claiming costs a forward pass: the executor's run of a batch against the plain model's, in one process.

MiniLM, eight texts of 128 tokens. Both are given the same stacked input; the executor's also gives every request's
canonical output bytes. `ratio` is the median of many pairs' ratios; `noise` is that of the plain model against itself,
measured in the same rounds: what this machine calls equal.
"""

from __future__ import annotations

from typing import Any

import torch

from bench._subjects import Subject, subject
from bench._timing import CORES, in_turn, ratio, typical
from executor.runner import Runner
from executor.threads import thread_count

BATCH, TOKENS = 8, 128
ROUNDS = 400


def run(seconds: float = 90.0) -> dict[str, Any]:
    """Rounds for so many seconds. `ratio`: claimed forward over plain forward."""
    return measured(subject("minilm", TOKENS), BATCH, seconds)


def measured(model: Subject, batch: int, limit_seconds: float, threads: int = CORES) -> dict[str, Any]:
    """The figures of one model; times in seconds."""
    inputs = [torch.cat(parts) for parts in zip(*(model.draw(seed) for seed in range(batch)), strict=True)]
    runner = Runner(model.network)

    def plain() -> None:
        with torch.inference_mode():
            model.module(*inputs)

    def claimed() -> None:
        runner.run_stacked(inputs)

    with thread_count(threads):
        rounds = in_turn([plain, claimed, plain], ROUNDS, limit_seconds)
    return {
        "ratio": ratio(rounds, 1),
        "noise": ratio(rounds, 2),
        "rounds": len(rounds),
        "batch": batch,
        "plain_seconds": typical(rounds, 0),
        "claimed_seconds": typical(rounds, 1),
        "threads": threads,
    }
