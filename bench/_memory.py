"""How much memory an act takes at its peak, as the kernel counts this process's pages."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"


def peak_bytes(act: Callable[[], object]) -> int:
    """Most resident bytes during `act`, above those before it."""
    gc.collect()
    _give_back_freed_pages()
    (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
    before = _status("VmRSS")
    act()
    return max(0, _status("VmHWM") - before)


def _give_back_freed_pages() -> None:
    """glibc keeps what was freed: an act that takes it again would seem to take nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")
