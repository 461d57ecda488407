"""The requester's commands: `anh training request`, `prepare`, `serve`, `status`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from rollup.blobs import open_blobs
from rollup.chain.client import Client
from rollup.chain.daemon import Daemon
from rollup.chain.follower import Follower
from rollup.chain.models import Models
from rollup.chain.trainings import Trainings
from rollup.config import Settings
from rollup.daemon import SettingsFile, configure_logs, serve
from rollup.hexes import read_address, read_word
from rollup.journal import open_journal
from rollup.properties.aggregate import score_of
from rollup.properties.types import TrainingId
from rollup.requester.daemon import run_requester
from rollup.requester.description import Description, terms_of
from rollup.requester.keys import PoolKeys
from rollup.view import MadeCommit, OrderedTraining, View

training = typer.Typer(
    no_args_is_help=True, help="Networks trained to order: ask, open and reveal, see what came of it."
)
KeyFolder = Annotated[Path, typer.Option("--keys", help="Where pools' keys lie, readable by their owner only.")]
KEYS = Path("pool-keys")
DescriptionFile = Annotated[Path, typer.Argument(help="TOML description of the training.")]


@training.command()
def request(
    description: DescriptionFile,
    settings_file: SettingsFile = None,
    keys: KeyFolder = KEYS,
) -> None:
    """Masks the pool, stores pool and data as blobs, and asks. Prints the training's id.

    `serve` has to run with the same keys from then on: what is not opened or revealed in time costs money.
    """
    configure_logs()
    settings = Settings.load(settings_file)
    wanted, blobs = Description.load(description), open_blobs(settings.blobs)
    trainings = Trainings(settings.deployment)
    with Daemon.start(settings, open_journal(settings.journal_url).transactions) as daemon:
        at = daemon.client.at(daemon.client.head())
        scorer = Models(settings.deployment).model(at, wanted.scorer)
        terms = terms_of(wanted, scorer, PoolKeys(keys).draw(), blobs)
        daemon.sender.send(trainings.request(terms, str(trainings.nonce_of(at, daemon.sender.address))))
        known = _asked(daemon.follower, terms.key_hash)
    # Alone on its line, for scripts.
    print("0x" + known.id.hex())


def _asked(follower: Follower, key_hash: bytes) -> OrderedTraining:
    """The training with this pool key; every request has its own."""
    follower.catch_up()
    with follower.reading() as view:
        return next(known for known in view.trainings() if known.training.terms.key_hash == key_hash)


@training.command()
def prepare(description: DescriptionFile, settings_file: SettingsFile = None, keys: KeyFolder = KEYS) -> None:
    """Masks the pool, stores pool and data as blobs, and prints the terms for a contract that will ask, as Solidity has
    them: `abi.decode(terms, (TrainingTerms))`. Asks for nothing, and needs no account.

    `serve --requester` has to run with the same keys before the contract asks.
    """
    configure_logs()
    settings = Settings.load(settings_file)
    wanted, blobs = Description.load(description), open_blobs(settings.blobs)
    client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
    scorer = Models(settings.deployment).model(client.at(client.head()), wanted.scorer)
    terms = terms_of(wanted, scorer, PoolKeys(keys).draw(), blobs)
    # Alone on its line, for scripts.
    print("0x" + Trainings(settings.deployment).encoded(terms).hex())


@training.command("serve")
def serve_trainings(
    settings_file: SettingsFile = None,
    keys: KeyFolder = KEYS,
    requester: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A contract that asks, besides this account. May be given several times."),
    ] = None,
) -> None:
    """Opens what is drawn and reveals keys in time, for every training of this account, or of a contract that is named,
    whose key is here.
    """
    contracts = [read_address(text) for text in requester or ()]
    serve(partial(run_requester, keys=keys, contracts=contracts), settings_file)


@training.command()
def status(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The training's id, as `request` prints it.")],
    settings_file: SettingsFile = None,
) -> None:
    """Shows where a training stands, and its commitments."""
    training_id = TrainingId(read_word(id_, "a training's id"))
    settings = Settings.load(settings_file)
    client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
    follower = Follower.from_settings(settings, client)
    follower.catch_up()
    with follower.reading() as view:
        known = view.training(training_id)
        title = f"{known.status.name}: {known.phase(view.now).value}"
        table = Table("commitment", Column("executor", no_wrap=True), "scores", "score", title=title)
        for commit in known.commits:
            table.add_row(*_row(view, known, commit))
    console = Console()
    console.print(table)
    if any(known.model):
        print("0x" + known.model.hex())


def _row(view: View, known: OrderedTraining, commit: MadeCommit) -> tuple[str, str, str, str]:
    scores = view.scores_of(commit)
    score = f"{score_of(known.training.terms.property, commit.total, scores.claim.count):.6g}" if scores else ""
    return str(commit.number), f"0x{commit.executor.hex()}", view.certainty_of(commit).name, score
