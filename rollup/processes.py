"""Runs the processes of a stack: starts them, watches them, stops them all, in reverse order, within ten seconds.

Knows nothing of what they do. Their output goes to one log file each; secrets reach them by environment, never by
arguments, which every user of a machine can read.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rollup.errors import Unavailable

STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Process:
    """One running process of a stack."""

    name: str
    log: Path
    handle: subprocess.Popen[bytes]

    @property
    def running(self) -> bool:
        return self.handle.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """A context that stops what was started in it, whatever happens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[Process] = []
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Process:
        """Starts one process in a session of its own, so that a Ctrl-C reaches it only through `stop`."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            handle = subprocess.Popen(
                argv,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = Process(name, log, handle)
        self._running.append(process)
        return process

    def start_anh(self, name: str, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> Process:
        """Starts `anh <arguments>` with this interpreter."""
        return self.start(name, [sys.executable, "-m", "rollup.cli", *arguments], env)

    def wait_until(self, what: str, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Polls `ready`. Raises Unavailable with the log's end if a process dies or the time is over."""
        limit = time.monotonic() + seconds
        while not ready():
            for process in self._running:
                if not process.running:
                    code = process.handle.returncode
                    raise Unavailable(f"{process.name} ended with {code} before {what}:\n{process.last_words()}")
            if time.monotonic() > limit:
                raise Unavailable(f"{what} did not happen within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def named(self, name: str) -> Process:
        """The process started last under `name`. Raises Unavailable if there is none."""
        for process in reversed(self._running):
            if process.name == name:
                return process
        raise Unavailable(f"no process {name} was started")

    def dead(self) -> list[Process]:
        """Processes that ended by themselves."""
        return [process for process in self._running if not process.running]

    def failed(self) -> list[Process]:
        """Processes that ended by themselves, but for those that were done; nor such as were killed."""
        return [process for process in self.dead() if process.handle.returncode not in (0, -signal.SIGKILL)]

    def end(self, name: str) -> None:
        """SIGTERM to one process, which is not missed from then on; SIGKILL if it is not gone in time.

        Raises Unavailable if there is none.
        """
        process = self.named(name)
        _signal(process, signal.SIGTERM)
        _await(process, STOP_SECONDS)
        self._running.remove(process)

    def stop(self) -> None:
        """SIGTERM in reverse order of starting, SIGKILL to those that are not gone in time."""
        limit = time.monotonic() + STOP_SECONDS
        for process in reversed(self._running):
            _signal(process, signal.SIGTERM)
        for process in reversed(self._running):
            _await(process, max(0.1, limit - time.monotonic()))
        self._running.clear()


def _await(process: Process, seconds: float) -> None:
    try:
        process.handle.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.handle.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.handle.pid, number)
    except ProcessLookupError:
        # It ended between the look and the signal, which is what the signal was for.
        return
