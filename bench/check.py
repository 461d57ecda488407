"""What doubting costs: a watchtower's check of one MiniLM claim (128 tokens), divided by a plain forward pass.

`opened_ratio`: everything it does with an opened trace, from fetching and hashing to the judgement of every element of
every step. `rerun_ratio`: its own run and comparison, which is all it does while nobody lies. `memory_ratio`: most
memory taken by the check, the trace itself included, divided by the trace.
"""

from __future__ import annotations

from typing import Any

import torch

from bench._detection.desk import Desk
from bench._memory import peak_bytes
from bench._subjects import Subject, subject
from bench._timing import CORES, in_turn, ratio, typical
from executor.runner import Runner
from executor.tensors import canonical_bytes
from executor.threads import thread_count
from executor.trace import Trace, replay
from rollup.types import Verdict

TOKENS = 128
ROUNDS = 40


def run(seconds: float = 60.0) -> dict[str, Any]:
    """Rounds for so many seconds."""
    return measured(subject("minilm", TOKENS), seconds)


def measured(model: Subject, limit_seconds: float, threads: int = CORES) -> dict[str, Any]:
    """The figures of one model; times in seconds."""
    inputs = list(model.draw(0))
    desk = Desk.of(model)
    with thread_count(threads):
        runner = Runner(model.network)
        trace = Trace.of(replay(model.network, runner, inputs))
        shelf = desk.served(trace)
        verdicts: list[Verdict] = []

        def plain() -> None:
            with torch.inference_mode():
                model.module(*inputs)

        def opened() -> None:
            verdicts.append(desk.opened_verdict(inputs, trace, shelf))

        data = [canonical_bytes(tensor) for tensor in inputs]
        # An honest claim is of the fast kernels, whose bits a replay need not have.
        (output,) = runner.run([data])

        def rerun() -> None:
            desk.checker.deviations([data], [output])

        rounds = in_turn([plain, opened, rerun], ROUNDS, limit_seconds)
        peak = peak_bytes(opened)
    trace_bytes = sum(tensor.spec.byte_length for tensor in trace.tensors)
    return {
        "opened_ratio": ratio(rounds, 1),
        "rerun_ratio": ratio(rounds, 2),
        "memory_ratio": peak / trace_bytes,
        "trace_bytes": trace_bytes,
        "faults_found": sum(verdict is not Verdict.NO_FAULT for verdict in verdicts),
        "rounds": len(rounds),
        "plain_seconds": typical(rounds, 0),
        "opened_seconds": typical(rounds, 1),
        "rerun_seconds": typical(rounds, 2),
    }
