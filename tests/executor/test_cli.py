"""The commands that make scorers and read ranges."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import typer

from executor.capture import export_to_folder
from executor.cli import executor, ranges_of, scorer
from executor.scorer import Score
from rollup.errors import BadInput
from rollup.package import read_folder
from tests.digits import DigitNet


@pytest.mark.parametrize("text", ["0", "0:1:2", "a:b", "0:1,"])
def test_ranges_of__what_is_none__is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="ranges are lo:hi"):
        ranges_of(text)


def test_ranges_of__one_for_each_input() -> None:
    assert ranges_of("") == ()
    assert ranges_of("0:1,-2:9") == ((0.0, 1.0), (-2.0, 9.0))


def test_executor__that_only_trains_and_has_no_folder_for_it__is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="--only-train needs a folder"):
        executor(only_train=True)


def test_scorer__folder_without_a_model__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no program\.json"):
        scorer(tmp_path, tmp_path / "out")


def test_scorer__is_written_with_the_architectures_weights(tmp_path: Path) -> None:
    export_to_folder(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)], tmp_path / "net")
    scorer(tmp_path / "net", tmp_path / "scorer", Score.LIKELIHOOD)
    architecture, made = read_folder(tmp_path / "net"), read_folder(tmp_path / "scorer")
    assert [tensor.root for tensor in made.weights] == [tensor.root for tensor in architecture.weights]
    assert len(made.program.inputs) == len(architecture.program.inputs) + 1


def test_scorer__certified__has_the_same_weights_and_more_calls(tmp_path: Path) -> None:
    export_to_folder(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)], tmp_path / "net")
    scorer(tmp_path / "net", tmp_path / "plain")
    scorer(tmp_path / "net", tmp_path / "certified", certified=True)
    plain, certified = read_folder(tmp_path / "plain"), read_folder(tmp_path / "certified")
    assert certified.program.weights == plain.program.weights
    assert len(certified.program.calls) > len(plain.program.calls)
