"""Fixtures that every package's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chain_fixture import Anvil


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """A chain of its own for one test; a block for every transaction."""
    with Anvil() as chain:
        yield chain


@pytest.fixture(scope="module")
def shared_anvil() -> Iterator[Anvil]:
    """A chain for all tests of a module, which keep out of each other's way."""
    with Anvil() as chain:
        yield chain
