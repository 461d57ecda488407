"""The executor's commands: `anh executor`, `anh worker`; `anh model`: `calibrate`, `scorer`, `transplant`, `push`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from executor.calibration import Calibration, Plan, Tell
from executor.calibration.document import read_document
from executor.network import Network
from executor.registration import Registration, Terms, enter, measure, read_samples, require_one_weights
from executor.scorer import Score, scorer_of
from executor.service import Options, run_executor
from executor.tasks import run_worker
from executor.trainer.materials import Sources
from executor.trainer.policy import Policy
from executor.trainer.service import Studio
from rollup.blobs import RemoteBlobs, open_blobs
from rollup.chain.client import Client
from rollup.chain.daemon import Daemon
from rollup.chain.models import Models
from rollup.codec import family_id, model_id
from rollup.config import Settings
from rollup.daemon import SettingsFile, configure_logs, serve
from rollup.hexes import read_word
from rollup.journal import open_journal
from rollup.package import load_weights, read_folder, write_folder
from rollup.types import ModelId, Windows

# Between two lines of a calibration's progress.
PROGRESS_SECONDS = 5.0
model = typer.Typer(no_args_is_help=True, help="Models: calibrate, store and register them.")


def executor(
    settings_file: SettingsFile = None,
    eager: Annotated[bool, typer.Option(help="Claims carry their trace roots.")] = False,
    train: Annotated[Path | None, typer.Option(help="Train networks to order, and keep each in this folder.")] = None,
    only_train: Annotated[bool, typer.Option(help="Lease no requests and no texts: without a worker.")] = False,
    recipe: Annotated[Path | None, typer.Option(help="Train by this recipe, not by what requesters suggest.")] = None,
    training_fee: Annotated[int, typer.Option(help="Train for no less than this, in wei.")] = 1,
    fetch: Annotated[list[str] | None, typer.Option(help="Endpoints that blobs of trainings may come from.")] = None,
) -> None:
    """Leases requests, has workers run them, claims the outputs, answers challenges, serves blobs; may train."""
    if only_train and train is None:
        raise typer.BadParameter("--only-train needs a folder to --train in")
    policy = Policy(least_fee_wei=training_fee)
    studio = None if train is None else Studio(train, recipe, policy, tuple(fetch or ()))
    serve(lambda settings, stop: run_executor(settings, stop, Options(eager, studio, only_train)), settings_file)


def worker(
    settings_file: SettingsFile = None,
    retain: Annotated[bool, typer.Option(help="Keep the trace of every run: slower, and no claim is lost.")] = False,
) -> None:
    """Runs requests for an executor that shares its journal, its blobs and its Redis."""
    configure_logs()
    run_worker(Settings.load(settings_file), retain)


Folder = Annotated[Path, typer.Argument(help="Holds program.json and weights.safetensors.")]
SampleFile = Annotated[Path | None, typer.Option(help="Safetensors: input_0 [n, ...], input_1 ...")]
Least = Annotated[float, typer.Option(help="Least value of an input element.")]
Greatest = Annotated[float, typer.Option(help="Greatest value of an input element.")]
Ranges = Annotated[str, typer.Option(help="lo:hi of each input, separated by commas, in place of --lo and --hi.")]


@model.command("calibrate")
def calibrate_model(
    folder: Folder,
    document: Annotated[Path, typer.Argument(help="Where the calibration is written, for `push --calibration`.")],
    samples: SampleFile = None,
    lo: Least = 0.0,
    hi: Greatest = 1.0,
    ranges: Ranges = "",
    device: Annotated[list[str] | None, typer.Option(help="A device to measure on; cpu if none is given.")] = None,
) -> None:
    """Measures how much honest runs of a model err, and writes what was found. Registers nothing."""
    configure_logs()
    package = read_folder(folder)
    requests = read_samples(samples, package.program) if samples else []
    terms = Terms(lo, hi, 0, Windows(0, 0, 0, 0, 0), ranges_of(ranges))
    plan = Plan(devices=tuple(device or ("cpu",)))
    calibration = measure(Network.from_package(package), terms, requests, plan, told_in_the_log())
    document.write_bytes(calibration.document)
    _show(calibration)


@model.command()
def scorer(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Folder that the scorer is written to, for `push`.")],
    score: Annotated[Score, typer.Option(help="How an output is compared with its target.")] = Score.ACCURACY,
    certified: Annotated[
        bool, typer.Option(help="Score what the output is in exact arithmetic at worst, not what a run made of it.")
    ] = False,
) -> None:
    """Writes the scorer of an architecture: the same weights, and the target as its last input."""
    configure_logs()
    package = read_folder(folder)
    write_folder(out, scorer_of(package.program, score, certified), package.weights)


@model.command()
def transplant(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A registered model, say one that was trained to order.")],
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Folder that the model is written to, for `push`.")],
    settings_file: SettingsFile = None,
    fetch: Annotated[list[str] | None, typer.Option(help="Endpoints that its weights may come from.")] = None,
) -> None:
    """Writes a folder's program with the weights of a registered model.

    What a trained network is used by must have its weights: the scorer of its texts, a bucket for other sizes of input.
    """
    configure_logs()
    settings, package = Settings.load(settings_file), read_folder(folder)
    client = Client.connect(settings.rpc_url, settings.deployment.chain_id, settings.rpc_timeout_seconds)
    model = ModelId(read_word(id_, "a model's id"))
    record = Models(settings.deployment).model(client.at(client.head()), model)
    remotes = [RemoteBlobs(endpoint, fetch or ()) for endpoint in fetch or ()]
    reader = Sources(open_blobs(settings.blobs), remotes).reader
    write_folder(out, package.program, load_weights(reader, record.weights_root, package.program))


@model.command()
def push(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Each holds program.json and weights.safetensors; several are buckets of one family."),
    ],
    settings_file: SettingsFile = None,
    samples: Annotated[
        list[Path] | None,
        typer.Option(help="Safetensors: input_0 [n, ...], input_1 ...; one for each folder, or none."),
    ] = None,
    lo: Least = 0.0,
    hi: Greatest = 1.0,
    ranges: Ranges = "",
    calibration: Annotated[
        list[Path] | None, typer.Option(help="What `calibrate` wrote, one for each folder; else it is done now.")
    ] = None,
    min_bond_gas: Annotated[int, typer.Option(help="Least bond of a claim, in gas.")] = 3_000_000,
    windows: Annotated[
        str, typer.Option(help="Seconds to challenge, open, collect, supply, prove.")
    ] = "3600,1800,900,1800,1800",
) -> None:
    """Checks, calibrates and stores a model, and registers it. Prints its id.

    Several folders hold one network for inputs of several sizes, over the same weights: each is registered, then the
    family that they are.
    """
    configure_logs()
    settings = Settings.load(settings_file)
    terms = Terms(lo, hi, min_bond_gas, windows_of(windows), ranges_of(ranges))
    blobs = open_blobs(settings.blobs)
    registrations, found = [], []
    for folder, sample, document in zip(folders, _each(samples, folders), _each(calibration, folders), strict=True):
        package = read_folder(folder)
        network = Network.from_package(package)
        requests = read_samples(sample, package.program) if sample else []
        found.append(
            read_document(document.read_bytes(), network)
            if document
            else measure(network, terms, requests, tell=told_in_the_log())
        )
        registrations.append(enter(blobs, package, terms, found[-1]))
    id_ = register(settings, *registrations)
    for each in found:
        _show(each)
    # Alone on its line, for scripts.
    print("0x" + id_.hex())


def told_in_the_log() -> Tell:
    """Says in the log how far a calibration is: as a stage begins, and then every few seconds."""
    log, last, at = structlog.get_logger(), "", 0.0

    def tell(stage: str, done: int, of: int) -> None:
        nonlocal last, at
        if stage != last or time.monotonic() - at >= PROGRESS_SECONDS:
            last, at = stage, time.monotonic()
            log.info("calibration.runs", stage=stage, done=done, of=of)

    return tell


def _each(files: list[Path] | None, folders: list[Path]) -> Sequence[Path | None]:
    """A file for each folder, or none for any. Raises typer's BadParameter for another number."""
    if files and len(files) != len(folders):
        raise typer.BadParameter(f"{len(files)} files are not one for each of {len(folders)} folders")
    return files or [None] * len(folders)


def register(settings: Settings, *registrations: Registration) -> ModelId:
    """Registers what is not registered yet, several as a family too; returns the id of the whole.

    Raises BadInput for several over other weights, and what a Daemon raises at its start.
    """
    require_one_weights(registrations)
    models, ids = Models(settings.deployment), [model_id(registration.record) for registration in registrations]
    with Daemon.start(settings, open_journal(settings.journal_url).transactions) as daemon:
        at = daemon.client.at(daemon.client.head())
        for id_, registration in zip(ids, registrations, strict=True):
            if not models.exists(at, id_):
                daemon.sender.send(models.register(registration.record, models.minimum_bond(at)))
        if len(ids) == 1:
            return ids[0]
        if not models.buckets_of(at, family_id(ids)):
            daemon.sender.send(models.register_family(ids))
    return family_id(ids)


def windows_of(text: str) -> Windows:
    """Five periods in seconds, separated by commas. Raises typer's BadParameter."""
    parts = text.split(",")
    if len(parts) != 5 or not all(part.strip().isdigit() for part in parts):
        raise typer.BadParameter(f"windows are five numbers of seconds, got {text!r}")
    return Windows(*(int(part) for part in parts))


def ranges_of(text: str) -> tuple[tuple[float, float], ...]:
    """Least and greatest value of each input. Raises typer's BadParameter."""
    ends = [part.split(":") for part in text.split(",")] if text else []
    try:
        return tuple((float(lo), float(hi)) for lo, hi in ends)
    except ValueError:
        raise typer.BadParameter(f"ranges are lo:hi separated by commas, got {text!r}") from None


def _show(calibration: Calibration) -> None:
    table = Table("step's worst error", "natural", "constant rows", "factor", title="Calibration, units of the scale")
    rows = zip(calibration.natural, calibration.constant, calibration.numerics.factors, strict=True)
    for number, (natural, constant, factor) in enumerate(rows):
        if factor:
            table.add_row(f"step {number}", f"{natural:.2f}", f"{constant:.2f}", f"{factor / 256:.2f}")
    console = Console()
    console.print(table)
    reach = calibration.reach
    console.print(f"output band {calibration.output_band:.3g}, slashing band {calibration.slash_band:.3g}")
    console.print(f"reach {reach.calibrated.max():.3g} calibrated, {reach.sound.max():.3g} sound")
