"""Processes of a stack: one can be ended without being missed, and all are gone in the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rollup.errors import Unavailable
from rollup.processes import Processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_end__unknown_name__is_refused(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(Unavailable, match="no process rival was started"):
        processes.end("rival")


def test_end__one_of_two__is_gone_and_not_missed(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        kept, ended = processes.start("kept", SLEEP), processes.start("rival", SLEEP)
        processes.end("rival")
        assert not ended.running
        assert kept.running
        assert processes.dead() == []
        # It would name a dead process that it misses.
        processes.wait_until("nothing", lambda: True)
    assert not kept.running


def test_wait_until__a_process_that_died__is_named(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("hasty", [sys.executable, "-c", "raise SystemExit(3)"]).handle.wait()
        with pytest.raises(Unavailable, match="hasty ended with 3 before the end of days"):
            processes.wait_until("the end of days", lambda: False)
