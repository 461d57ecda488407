"""A recipe is a stranger's: what it may say, and the one sentence for what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from executor.training.recipe import MAX_RECIPE_BYTES, Method, Recipe
from rollup.errors import BadInput


def recipe(**changes: Any) -> Recipe:
    return Recipe.from_json(json.dumps(changes).encode())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "import os"}, "code: Extra inputs"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 10**9}, "less than or equal to 100000"),
        ({"epochs": "30"}, "valid integer"),
        ({"batch_size": 2**20}, "batch_size"),
        ({"optimiser": {"kind": "lion"}}, "'sgd', 'adam' or 'adamw'"),
        ({"optimiser": {"learning_rate": 0}}, "greater than 0"),
        ({"optimiser": {"learning_rate": 1e999}}, "finite number"),
        ({"processes": 2}, "method single cannot have 2 processes"),
        ({"method": "hogwild"}, "method hogwild cannot have 1 processes"),
        ({"method": "distributed", "processes": 10**6}, "processes"),
        ({"seed": -1}, "seed"),
        ({"format": "anh.recipe.v2"}, "anh.recipe.v1"),
    ],
)
def test_from_json__what_a_recipe_cannot_say__is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match="the recipe cannot be used") as refused:
        recipe(**changes)
    assert words in str(refused.value)


def test_from_json__several_faults__are_named_at_once() -> None:
    with pytest.raises(BadInput, match=r"epochs: .*; seed: "):
        recipe(epochs=0, seed=-1)


def test_from_json__too_long__is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadInput, match=f"at most {MAX_RECIPE_BYTES} bytes, got {MAX_RECIPE_BYTES + 1}"):
        Recipe.from_json(b"{" * (MAX_RECIPE_BYTES + 1))


def test_read__no_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        Recipe.read(tmp_path / "recipe.json")


def test_from_json__nothing_said__is_a_plain_run() -> None:
    assert recipe() == Recipe()
    assert recipe(method="hogwild", processes=2).method is Method.HOGWILD


def test_learning_rate_at__cosine_after_a_warm_up() -> None:
    rates = [
        recipe(
            epochs=6, optimiser={"learning_rate": 1.0}, schedule={"kind": "cosine", "warmup_epochs": 2}
        ).learning_rate_at(epoch)
        for epoch in range(6)
    ]
    assert rates[0] == pytest.approx(1 / 3)
    assert rates[2] == 1.0
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[4] == pytest.approx(0.5)
