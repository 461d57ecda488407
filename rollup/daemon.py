"""How every long-running process of the product starts and ends.

Settings are read once; logs are JSON lines on standard error; SIGTERM and SIGINT set a stop event, and the process has
ten seconds to hand over. Knows nothing of what the process does.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer

from rollup.config import Settings

Run = Callable[[Settings, threading.Event], None]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="TOML file; ANH_* variables override it.")]


def serve(run: Run, settings_file: Path | None) -> None:
    """Runs one daemon until a signal stops it. What it raises ends the process with the error's exit status."""
    configure_logs()
    run(Settings.load(settings_file), stop_on_signals())


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set, instead of what they do by default."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def configure_logs() -> None:
    """JSON lines on standard error, from `info` on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
