"""The command `anh watch`."""

from __future__ import annotations

import threading
from functools import partial
from typing import Annotated

import typer

from prover.disputer import Disputer
from prover.sources import Sources
from prover.watcher import Watchtower
from rollup.blobs import FolderStore
from rollup.chain.anvil import CHAIN_ID
from rollup.chain.client import Client
from rollup.chain.daemon import Daemon
from rollup.chain.follower import Follower
from rollup.config import Settings
from rollup.daemon import SettingsFile, serve

# Stays in the Vault for the next bonds; what is above it is pulled out.
RESERVE_WEI = 10**18


def watch(
    settings: SettingsFile = None,
    challenge_unserved: Annotated[
        bool,
        typer.Option(
            "--challenge-unserved",
            help="Challenge outputs that nobody serves by half of the challenge window. An honest executor whose "
            "endpoint is down wins half of each such bond.",
        ),
    ] = False,
    paranoid: Annotated[
        bool,
        typer.Option(
            "--paranoid",
            help="Generate texts again, though one pass checks them, and warn where tokens differ, without acting. "
            "Inferences are re-run anyway; of a training there is nothing to run again: any weights that have the "
            "claimed scores are right.",
        ),
    ] = False,
) -> None:
    """Re-runs claims, checks scores, challenges what is beyond reach, proves faults. Without a key it watches only."""
    serve(partial(run_watchtower, challenges_unserved=challenge_unserved, is_paranoid=paranoid), settings)


def run_watchtower(
    settings: Settings, stop: threading.Event, challenges_unserved: bool = False, is_paranoid: bool = False
) -> None:
    """Runs until `stop`. Raises what a Daemon raises at its start, and Stop if going on would be unsafe."""
    if settings.key is None:
        client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
        follower = Follower.from_settings(settings, client)
        _watch(settings, stop, follower, Disputer(client, settings.deployment, None), is_paranoid)
        return
    with Daemon.start(settings) as daemon:
        disputer = Disputer(daemon.client, settings.deployment, daemon.sender, challenges_unserved)
        _watch(settings, stop, daemon.follower, disputer, is_paranoid)


def _watch(
    settings: Settings, stop: threading.Event, follower: Follower, disputer: Disputer, is_paranoid: bool
) -> None:
    # On the development chain everybody is at home on this machine.
    is_development = settings.deployment.chain_id == CHAIN_ID
    sources = Sources(FolderStore(settings.blobs), lambda: list(follower.view.state.endpoints.values()), is_development)
    watchtower = Watchtower(sources, disputer, RESERVE_WEI, is_paranoid)
    # One thread follows and looks, so the view holds still.
    follower.run(stop, lambda: watchtower.step(follower.view))
