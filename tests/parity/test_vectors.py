"""The vectors in the tree are those that the generator makes, and they try everything."""

from __future__ import annotations

from typing import Any

import pytest

from rollup.types import Verdict
from tests.parity import rounded
from tests.parity.generate import FOLDER, MAKERS, text_of, vectors

# What may be rejected without being refuted.
CALIBRATED = ("contract", "cancelling", "div", "link", "profiles", "sum", "undefined", *rounded.MAKERS)


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, list[Any]]]:
    return vectors()


def test_vectors__generated_again__are_the_same_bytes(made: dict[str, dict[str, list[Any]]]) -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(made)
    for name, content in made.items():
        assert (FOLDER / f"{name}.json").read_text() == text_of(content), (
            f"run: python -m tests.parity.generate ({name})"
        )


def test_vectors__every_file__is_small() -> None:
    for path in FOLDER.glob("*.json"):
        assert path.stat().st_size < 300_000, path.name


@pytest.mark.parametrize("name", MAKERS)
def test_vectors__every_operator__has_faults_and_acquittals(name: str, made: dict[str, dict[str, list[Any]]]) -> None:
    verdicts = set(made[name]["verdicts"])
    assert {Verdict.NO_FAULT, Verdict.BEYOND_SOUND} <= verdicts
    assert (Verdict.BEYOND_CALIBRATED in verdicts) == (name in CALIBRATED)


def test_vectors__network__alternates_honest_and_wrong(made: dict[str, dict[str, list[Any]]]) -> None:
    verdicts = made["network"]["verdicts"]
    assert set(verdicts[0::2]) == {Verdict.NO_FAULT}
    assert set(verdicts[1::2]) == {Verdict.BEYOND_SOUND}


def test_vectors__leaves__are_taken_once_for_each_tensor_and_refused_in_every_other_way(
    made: dict[str, dict[str, list[Any]]],
) -> None:
    reverts = made["leaves"]["reverts"]
    assert [place for place, refused in enumerate(reverts) if not refused] == [0, 8, 16, 24, 32]


def test_vectors__malformed__are_all_refused(made: dict[str, dict[str, list[Any]]]) -> None:
    assert set(made["malformed"]["reverts"]) == {1}
