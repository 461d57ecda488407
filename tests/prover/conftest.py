"""One small model, and one chain with it, for all tests of the daemon half."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from executor.models import LoadedModel
from prover.checker import Checker
from rollup.blobs import open_blobs
from tests.chain_fixture import Anvil
from tests.one_thread import one_thread as one_thread
from tests.prover.arena import Arena, prepared


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return prepared(open_blobs(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="session")
def checker(model: LoadedModel) -> Checker:
    return Checker(model)


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with Anvil() as chain:
        yield Arena(chain, tmp_path_factory.mktemp("arena"))
