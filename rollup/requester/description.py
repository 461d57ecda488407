"""What a requester writes down of a training: a TOML file, which becomes the terms of the request.

Money in wei, periods in seconds, scores as plain numbers. Paths count from the file's folder. Knows no chain.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollup.blobs import Blobs
from rollup.blobs.content import MAX_RECIPE_BYTES
from rollup.call import f32_bits
from rollup.errors import BadInput, NotFound
from rollup.hexes import read_word
from rollup.properties.draw import Draw
from rollup.properties.types import Aggregate, Comparison, Property, TrainingTerms
from rollup.requester.items import put_data, put_pool, read_items
from rollup.requester.keys import PoolKey
from rollup.types import ZERO_WORD, Model, ModelId

_MODELS = ("architecture", "scorer")
_PATHS = ("data", "pool", "recipe")


@dataclass(frozen=True)
class Description:
    """`data`, `pool`: safetensors of items; `recipe`: one that trainers may follow, or None."""

    architecture: ModelId
    scorer: ModelId
    data: Path
    pool: Path
    open_count: int
    threshold: float
    fee_wei: int
    open: int
    commit: int
    reveal: int
    claim: int
    recipe: Path | None = None
    aggregate: Aggregate = Aggregate.MEAN
    comparison: Comparison = Comparison.AT_LEAST
    bonus_wei: int = 0
    full_score: float = 1.0
    commit_fee_wei: int = 10**15
    min_bond_wei: int = 0
    unscored_share: int = 5_000

    @classmethod
    def load(cls, path: Path) -> Description:
        """Raises NotFound without the file, BadInput for a name that is missing, unknown, or of another type."""
        try:
            given: dict[str, Any] = tomllib.loads(path.read_text())
            given |= {name: ModelId(read_word(given[name], f"the {name}'s id")) for name in _MODELS}
            given |= {name: path.parent / given[name] for name in _PATHS if name in given}
            for name, kinds in (("aggregate", Aggregate), ("comparison", Comparison)):
                if name in given:
                    given[name] = kinds[str(given[name]).replace("-", "_").upper()]
            _require_numbers(given)
            return cls(**given)
        except FileNotFoundError as error:
            raise NotFound(f"there is no description {path} of a training") from error
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, BadInput) as error:
            raise BadInput(f"{path} describes no training: {error}") from error

    @property
    def property(self) -> Property:
        return Property(self.aggregate, self.comparison, f32_bits(self.threshold))


def _require_numbers(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, bool) or (isinstance(value, int | float) and value < 0 and name.endswith("_wei")):
            raise ValueError(f"{name} cannot be {value}")


def terms_of(description: Description, scorer: Model, key: PoolKey, blobs: Blobs) -> TrainingTerms:
    """Stores data, masked pool and recipe, and gives the terms of the request.

    Raises BadInput for items that do not fit, or for a pool that cannot be drawn from; BadEncoding for files that are
    none.
    """
    pool_items = read_items(description.pool, scorer.inputs)
    Draw(ZERO_WORD, len(pool_items), description.open_count)
    data = read_items(description.data, scorer.inputs)
    pool = put_pool(blobs, key, pool_items)
    return TrainingTerms(
        architecture=description.architecture,
        scorer=description.scorer,
        data_root=put_data(blobs, data),
        recipe=put_recipe(blobs, description.recipe),
        pool_root=pool.root,
        pool_count=len(pool_items),
        open_count=description.open_count,
        key_hash=key.hash,
        property=description.property,
        fee_wei=description.fee_wei,
        bonus_wei=description.bonus_wei,
        full_score=f32_bits(description.full_score),
        commit_fee_wei=description.commit_fee_wei,
        min_bond_wei=description.min_bond_wei,
        unscored_share=description.unscored_share,
        open=description.open,
        commit=description.commit,
        reveal=description.reveal,
        claim=description.claim,
    )


def put_recipe(blobs: Blobs, path: Path | None) -> bytes:
    """Stores a recipe under its SHA-256, which the terms name; a zero word without one. Raises BadInput."""
    if path is None:
        return ZERO_WORD
    if not path.is_file() or path.stat().st_size > MAX_RECIPE_BYTES:
        raise BadInput(f"{path} is no recipe of at most {MAX_RECIPE_BYTES} bytes")
    return blobs.put_recipe(path.read_bytes())
