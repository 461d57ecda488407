"""The command: options are the parameters of a benchmark's `run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench import __main__ as command


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A benchmark called `twice`, and where results are kept."""
    module = ModuleType("bench.twice")
    module.run = lambda number=4.0: {"figure": 2 * number}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bench.twice", module)
    monkeypatch.setattr(command, "names", lambda: ["twice"])
    monkeypatch.setattr(command, "HERE", tmp_path)
    return tmp_path / "results" / "twice.json"


def test_a_benchmark__is_kept_and_printed(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["twice", "--json"]) == 0
    expected = {"name": "twice", "results": {"figure": 8.0}}
    assert json.loads(capsys.readouterr().out) == expected
    assert json.loads(benchmark.read_text()) == expected


def test_an_option__is_a_parameter_of_the_benchmark(benchmark: Path) -> None:
    assert command.main(["twice", "--number", "1e9"]) == 0
    assert json.loads(benchmark.read_text())["results"]["figure"] == 2e9


def test_an_option_that_the_benchmark_does_not_have__is_refused(benchmark: Path) -> None:
    with pytest.raises(SystemExit):
        command.main(["twice", "--other", "1"])
    assert not benchmark.exists()


def test_figures_that_are_not_to_be_written__are_only_printed(
    benchmark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["twice", "--number", "1", "--no-write"]) == 0
    assert "figure  2.0" in capsys.readouterr().out
    assert not benchmark.exists()


def test_what_must_not_be__fails_the_command(
    benchmark: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = sys.modules["bench.twice"]
    monkeypatch.setattr(module, "missed", lambda results: ["odd"] if results["figure"] % 4 else [], raising=False)
    assert command.main(["twice", "--number", "1"]) == 1
    assert capsys.readouterr().err == "missed: odd\n"
    assert command.main(["twice", "--number", "2"]) == 0
