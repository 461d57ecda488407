"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.stage import InProcess, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.journal.close()


@pytest.fixture
def http(stage: Stage) -> Iterator[httpx.Client]:
    """Calls without a network between."""
    with httpx.Client(transport=InProcess(stage.app), base_url="http://stage") as client:
        yield client
