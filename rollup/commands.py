"""The ground floor's own commands: `anh deploy`, `anh up`, `anh sequencer`, `anh keeper`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rollup.chain.anvil import development_secret
from rollup.chain.client import Client
from rollup.chain.deploy import System
from rollup.chain.deploy import deploy as deploy_system
from rollup.chain.keys import load_key
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.config import KeySource
from rollup.daemon import SettingsFile, configure_logs, serve, stop_on_signals
from rollup.devnet import PARTS, Account, Devnet, Part, run_folder
from rollup.errors import Conflict, Unavailable
from rollup.finality import run_keeper
from rollup.sequencer.daemon import run_sequencer

CHECK_SECONDS = 1.0


def sequencer(settings: SettingsFile = None) -> None:
    """Posts accepted requests to Inbox, in order."""
    serve(run_sequencer, settings)


def keeper(
    settings: SettingsFile = None,
    refunds: Annotated[bool, typer.Option(help="Also pay the gas of refunds, which earn no tip.")] = False,
) -> None:
    """Finalises and settles claims when their windows are over, for the tips."""
    serve(lambda loaded, stop: run_keeper(loaded, stop, refunds), settings)


def deploy(
    description: Annotated[Path, typer.Argument(help="TOML description of the system, as deploy/system.toml.")],
    rpc_url: Annotated[str, typer.Option(help="The chain's RPC endpoint.")],
    chain_id: Annotated[int, typer.Option(help="The chain that the endpoint must serve.")],
    out: Annotated[Path, typer.Option(help="Where the deployment record is written.")] = Path("deployment.json"),
    key_variable: Annotated[str, typer.Option(help="Environment variable that holds the deployer's key.")] = "ANH_KEY",
) -> None:
    """Puts a whole system on a chain and writes its deployment record. The deployer keeps no power over it."""
    configure_logs()
    system = System.load(description)
    if out.exists():
        raise Conflict(f"{out} exists: a deployment record is not overwritten")
    key = load_key(KeySource(variable=key_variable))
    client = Client.connect(rpc_url, chain_id)
    deploy_system(client, Sender(client, key, MemoryStore()), system).save(out)
    print(out)


def up() -> None:
    """Keeps a whole development stack running until Ctrl-C: chain, Redis, API, executor, watchtower, keeper."""
    configure_logs()
    stop = stop_on_signals()
    console = Console()
    with Devnet(run_folder()) as net:
        trains = ("--train", str(net.folder / "trainings"))
        net.start([replace(part, options=trains) if part.command == "executor" else part for part in PARTS])
        console.print(_addresses(net))
        console.print(f"API [bold]{net.api_url}/docs[/]   logs {net.processes.folder}   stop with Ctrl-C")
        # Published with the chain's mnemonic and worth nothing; settings are named whole, to be pasted.
        console.print(f"export ANH_KEY={development_secret(Account.FIRST_USER)}", soft_wrap=True)
        user = net.write_settings("user", Part("user", Account.FIRST_USER))
        console.print(f"anh model push FOLDER --settings {user}", soft_wrap=True)
        while not stop.wait(CHECK_SECONDS):
            dead = net.processes.dead()
            if dead:
                raise Unavailable(f"{dead[0].name} ended with {dead[0].handle.returncode}:\n{dead[0].last_words()}")


def _addresses(net: Devnet) -> Table:
    table = Table("what", "where", title="ANH is up")
    table.add_row("chain", net.rpc_url)
    table.add_row("blobs", net.blobs_url)
    for name, address in net.deployment.contracts.items():
        table.add_row(name, "0x" + address.hex())
    for account in (Account.SEQUENCER, Account.EXECUTOR, Account.WATCHTOWER, Account.KEEPER):
        table.add_row(account.name.lower(), "0x" + net.address(account).hex())
    return table
