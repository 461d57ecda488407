"""Models that strangers registered: verified, bounded, and asked for once a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from executor.models import LoadedModel
from executor.tensors import to_canonical
from prover import known as module
from prover.known import Held, KnownModels
from rollup.blobs import BlobReader, Blobs
from rollup.errors import BadInput, NotFound, Overloaded
from rollup.package import Package, store
from rollup.types import BundleRoot, Model
from tests.prover.desk import Shelf


@pytest.fixture(scope="module")
def shelf(model: LoadedModel) -> Shelf:
    made = Shelf()
    weights = tuple(to_canonical(weight) for weight in model.network.weights)
    store(Blobs(made), Package(model.network.program, weights), model.numerics)
    return made


@pytest.fixture
def others(model: LoadedModel) -> list[Model]:
    """The same network under three ids."""
    return [replace(model.record, min_bond_gas=gas) for gas in (1, 2, 3)]


def weight_bytes(model: LoadedModel) -> int:
    return model.network.byte_length


def test_know__a_model_that_nobody_serves__is_asked_for_once_a_look(model: LoadedModel) -> None:
    empty = Shelf()
    models = KnownModels(BlobReader(empty))
    for asked in (1, 1):
        with pytest.raises(NotFound):
            models.know(model.record)
        assert len(empty.asked) == asked
    models.new_look()
    with pytest.raises(NotFound):
        models.know(model.record)
    assert len(empty.asked) == 2


def test_know__a_model_whose_run_is_too_large__is_refused_before_its_weights_are_read(
    model: LoadedModel, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RUN_BYTES", 100)
    before = len(shelf.asked)
    with pytest.raises(BadInput, match=r"bytes, at most 100 are watched"):
        KnownModels(BlobReader(shelf)).know(model.record)
    assert shelf.asked[before:] == [model.record.graph_root]


def test_know__a_model_above_the_limit__is_refused(model: LoadedModel, shelf: Shelf) -> None:
    with pytest.raises(Overloaded):
        KnownModels(BlobReader(shelf), weight_bytes(model) - 1).know(model.record)


def test_know__a_model_twice__loads_it_once(model: LoadedModel, shelf: Shelf) -> None:
    models = KnownModels(BlobReader(shelf))
    known = models.know(model.record)
    assert models.know(model.record) is known
    assert known.weights.bundle.root == model.record.weights_root
    assert known.graph.root == model.record.graph_root


def test_know__more_than_fit__drops_the_least_used(model: LoadedModel, shelf: Shelf, others: Sequence[Model]) -> None:
    models = KnownModels(BlobReader(shelf), 2 * weight_bytes(model))
    first, second = models.know(others[0]), models.know(others[1])
    models.know(others[0])
    models.know(others[2])
    assert models.know(others[0]) is first
    assert models.know(others[1]) is not second


def test_held__without_tensors__is_an_empty_bundle() -> None:
    assert Held([]).bundle.root != BundleRoot(bytes(32))
