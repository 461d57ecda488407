"""Fixtures that every package's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from rollup.config import Deployment
from tests.chain_fixture import Anvil, deploy_system


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A command that a test runs in this process points the logs at that test's standard error, which is closed."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """A chain of its own for one test; a block for every transaction."""
    with Anvil() as chain:
        yield chain


@pytest.fixture
def deployment(anvil: Anvil) -> Deployment:
    """A whole system on that chain."""
    return deploy_system(anvil)
