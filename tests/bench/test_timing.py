"""Benches of times: ratios are of neighbours, orders rotate, a slower executor shows."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from bench import check, open, overhead
from bench._memory import peak_bytes
from bench._subjects import Subject
from bench._timing import WARM_UP, in_turn, ratio, typical
from executor.runner import Runner
from tests.executor.nets import conv_net


@pytest.fixture(scope="module")
def digits() -> Subject:
    module, _ = conv_net()
    return Subject("digits", module, lambda seed: [torch.rand(1, 1, 8, 8, generator=torch.manual_seed(seed))])


def test_acts__take_turns_whose_order_rotates() -> None:
    done: list[str] = []
    rounds = in_turn([lambda: done.append("a"), lambda: done.append("b"), lambda: done.append("c")], 3)
    assert len(rounds) == 3
    assert "".join(done[3 * WARM_UP :]) == "abcbcacab"


def test_rounds__end_with_their_time() -> None:
    assert len(in_turn([lambda: time.sleep(0.02)], 1000, 0.1)) < 20


def test_ratios__are_medians_of_rounds() -> None:
    rounds = [[1.0, 2.0], [10.0, 30.0], [1.0, 9.0]]
    assert ratio(rounds, 1) == 3.0
    assert typical(rounds, 0) == 1.0


def test_peak_memory__counts_what_is_gone_again() -> None:
    size = 2**26
    assert size * 0.9 < peak_bytes(lambda: torch.ones(size, dtype=torch.uint8)) < size * 1.5
    assert peak_bytes(lambda: None) < size // 16


def test_an_executor_that_takes_its_time__shows(digits: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Runner.run_stacked

    def slow(self: Runner, inputs: list[Tensor]) -> list[bytes]:
        time.sleep(0.02)
        return run(self, inputs)

    honest = overhead.measured(digits, 8, 2.0, threads=1)
    monkeypatch.setattr(Runner, "run_stacked", slow)
    late = overhead.measured(digits, 8, 2.0, threads=1)
    assert late["ratio"] > 2 * honest["ratio"]
    assert late["claimed_seconds"] > 0.02
    assert 0.5 < honest["noise"] < 2


def test_a_check__judges_the_whole_trace_and_finds_nothing_in_an_honest_one(digits: Subject) -> None:
    figures = check.measured(digits, 1.0, threads=1)
    assert figures["faults_found"] == 0
    assert figures["trace_bytes"] == sum(step.result.byte_length for step in digits.network.graph.steps)
    assert figures["opened_ratio"] > figures["rerun_ratio"] > 0.5


def test_opening__is_replay_and_hashes_and_its_check_costs_more(digits: Subject) -> None:
    figures = open.measured(digits, 1.0, threads=1)
    assert figures["checked_ratio"] > 1
    assert figures["weight_bytes"] == digits.network.byte_length
    assert 0 < figures["register_seconds"] < 5
