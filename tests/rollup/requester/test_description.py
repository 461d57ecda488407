"""From a file to terms: what is refused by name, and what the terms then say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from executor.training.recipe import Recipe
from rollup.blobs import open_blobs
from rollup.call import f32_bits
from rollup.errors import BadInput, NotFound
from rollup.properties.pool import Pool
from rollup.properties.types import Aggregate, Comparison, Property, TrainingTerms
from rollup.requester.description import Description, terms_of
from rollup.requester.keys import PoolKeys
from rollup.types import ZERO_WORD
from tests.rollup.requester.desk import SCORER, narrower, write_description


def terms(folder: Path, **changes: Any) -> TrainingTerms:
    description = Description.load(write_description(folder, **changes))
    return terms_of(description, SCORER, PoolKeys(folder / "keys").draw(), open_blobs(folder / "blobs"))


def test_load__no_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no description"):
        Description.load(tmp_path / "training.toml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scorer": None}, "'scorer'"),
        ({"scorer": "0x22"}, "the scorer's id has 32 bytes of hex, got '0x22'"),
        ({"epochs": 3}, "epochs"),
        ({"fee_wei": -1}, "fee_wei cannot be -1"),
        ({"fee_wei": True}, "fee_wei cannot be True"),
        ({"comparison": "about"}, "ABOUT"),
    ],
)
def test_load__what_describes_no_training__is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match="describes no training") as refused:
        Description.load(write_description(tmp_path, **changes))
    assert words in str(refused.value)


def test_terms_of__pool_that_cannot_be_drawn_from__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="8 items is no multiple"):
        terms(tmp_path, open_count=3)


def test_terms_of__pool_without_a_sealed_part__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="8 items is no multiple, at least twice, of the 8 opened"):
        terms(tmp_path, open_count=8)


def test_terms_of__recipe_that_is_missing__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no recipe of at most"):
        terms(tmp_path, recipe="recipe.json")


def test_terms_of__target_that_the_scorer_does_not_take__is_refused(tmp_path: Path) -> None:
    description = Description.load(write_description(tmp_path))
    with pytest.raises(BadInput, match="outside 0 to 0"):
        terms_of(description, narrower(SCORER, 0), PoolKeys(tmp_path / "keys").draw(), open_blobs(tmp_path / "blobs"))


def test_terms_of__what_is_described__is_what_is_asked(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    asked = terms(tmp_path, recipe="recipe.json", comparison="at-most", aggregate="sum", bonus_wei=7)
    assert asked.property == Property(Aggregate.SUM, Comparison.AT_MOST, f32_bits(0.75))
    assert (asked.pool_count, asked.open_count, asked.bonus_wei) == (8, 2, 7)
    assert (asked.open, asked.commit, asked.reveal, asked.claim) == (30, 60, 30, 30)
    assert asked.recipe == hashlib.sha256(b"{}").digest()
    blobs = open_blobs(tmp_path / "blobs")
    assert blobs.get_named(asked.recipe, bytes) == b"{}"
    assert blobs.get_named(asked.pool_root, Pool.decode).root == asked.pool_root
    assert len(blobs.get_tensors(asked.data_root)) == 2
    assert PoolKeys(tmp_path / "keys").has(asked.key_hash)


def test_terms_of__no_recipe__names_none(tmp_path: Path) -> None:
    assert terms(tmp_path).recipe == ZERO_WORD


def test_the_example__describes_a_training() -> None:
    example = Description.load(Path(__file__).parents[3] / "deploy" / "training.toml")
    assert (example.data.name, example.open_count, example.claim) == ("data.safetensors", 25, 7_200)
    assert example.recipe is not None
    Recipe.read(example.recipe)
