"""Thread counts, for as long as somebody wants them."""

from __future__ import annotations

import pytest
import torch

from executor.threads import thread_count


def test_thread_count__of_what_fails__is_put_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), thread_count(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_thread_count__holds_inside() -> None:
    before = torch.get_num_threads()
    with thread_count(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_thread_count__around_a_function__holds_at_each_call() -> None:
    counted = thread_count(3)(torch.get_num_threads)
    assert [counted(), counted()] == [3, 3]
    assert torch.get_num_threads() != 3
