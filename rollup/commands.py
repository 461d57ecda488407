"""The ground floor's own commands: `anh up`, `anh sequencer`, `anh keeper`."""

from __future__ import annotations

import signal
import threading

from rich.console import Console
from rich.table import Table

from rollup.daemon import SettingsFile, configure_logs, serve
from rollup.devnet import PARTS, Account, Devnet, run_folder
from rollup.errors import Unavailable
from rollup.finality import run_keeper
from rollup.sequencer.daemon import run_sequencer

CHECK_SECONDS = 1.0


def sequencer(settings: SettingsFile = None) -> None:
    """Posts accepted requests to Inbox, in order."""
    serve(run_sequencer, settings)


def keeper(settings: SettingsFile = None) -> None:
    """Finalises and settles claims when their windows are over, for the tips."""
    serve(run_keeper, settings)


def up() -> None:
    """Keeps a whole development stack running until Ctrl-C: chain, Redis, API, executor, watchtower, keeper."""
    configure_logs()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    console = Console()
    with Devnet(run_folder()) as net:
        net.start(PARTS)
        console.print(_addresses(net))
        console.print(f"API [bold]{net.api_url}/docs[/]   logs {net.processes.folder}   stop with Ctrl-C")
        while not stop.wait(CHECK_SECONDS):
            dead = net.processes.dead()
            if dead:
                raise Unavailable(f"{dead[0].name} ended with {dead[0].handle.returncode}:\n{dead[0].last_words()}")


def _addresses(net: Devnet) -> Table:
    table = Table("what", "where", title="ANH is up")
    table.add_row("chain", net.rpc_url)
    table.add_row("blobs", net.blobs_url)
    for name in ("inbox", "claim_chain", "dispute_game", "model_registry", "vault", "step_judge"):
        table.add_row(name, "0x" + getattr(net.deployment, name).hex())
    for account in (Account.SEQUENCER, Account.EXECUTOR, Account.WATCHTOWER, Account.KEEPER):
        table.add_row(account.name.lower(), "0x" + net.address(account).hex())
    return table
