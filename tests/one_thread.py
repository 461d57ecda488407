"""Small networks are several times slower on two threads than on one, and more so on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from executor.threads import thread_count


def on_one_thread() -> AbstractContextManager[None]:
    """torch computes on one thread inside."""
    return thread_count(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Every test of a package whose conftest imports this."""
    with on_one_thread():
        yield
