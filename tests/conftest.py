"""Fixtures that every package's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollup.config import Deployment
from tests.chain_fixture import Anvil, deploy_system


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """A chain of its own for one test; a block for every transaction."""
    with Anvil() as chain:
        yield chain


@pytest.fixture
def deployment(anvil: Anvil) -> Deployment:
    """A whole system on that chain."""
    return deploy_system(anvil)
