"""Small networks are several times slower on two threads than on one, and more so on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch


@contextmanager
def on_one_thread() -> Iterator[None]:
    """torch computes on one thread inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Every test of a package whose conftest imports this."""
    with on_one_thread():
        yield
