"""The executor's commands: `anh executor`, `anh worker`, `anh model calibrate`, `anh model push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from executor.calibration import Calibration, Plan
from executor.calibration.document import read_document
from executor.network import Network
from executor.registration import Registration, Terms, enter, measure, read_samples
from executor.service import Options, run_executor
from executor.tasks import run_worker
from rollup.blobs import open_blobs
from rollup.chain.daemon import Daemon
from rollup.chain.models import Models
from rollup.codec import model_id
from rollup.config import Settings
from rollup.daemon import SettingsFile, configure_logs, serve
from rollup.journal import open_journal
from rollup.package import read_folder
from rollup.types import Windows

model = typer.Typer(no_args_is_help=True, help="Models: calibrate, store and register them.")


def executor(
    settings_file: SettingsFile = None,
    eager: Annotated[bool, typer.Option(help="Claims carry their trace roots.")] = False,
) -> None:
    """Leases requests, has workers run them, claims the outputs, answers challenges, serves blobs."""
    serve(lambda settings, stop: run_executor(settings, stop, Options(eager)), settings_file)


def worker(settings_file: SettingsFile = None) -> None:
    """Runs requests for an executor that shares its journal, its blobs and its Redis."""
    configure_logs()
    run_worker(Settings.load(settings_file))


Folder = Annotated[Path, typer.Argument(help="Holds program.json and weights.safetensors.")]
SampleFile = Annotated[Path | None, typer.Option(help="Safetensors: input_0 [n, ...], input_1 ...")]
Least = Annotated[float, typer.Option(help="Least value of an input element.")]
Greatest = Annotated[float, typer.Option(help="Greatest value of an input element.")]


@model.command("calibrate")
def calibrate_model(
    folder: Folder,
    document: Annotated[Path, typer.Argument(help="Where the calibration is written, for `push --calibration`.")],
    samples: SampleFile = None,
    lo: Least = 0.0,
    hi: Greatest = 1.0,
    device: Annotated[list[str] | None, typer.Option(help="A device to measure on; cpu if none is given.")] = None,
) -> None:
    """Measures how much honest runs of a model err, and writes what was found. Registers nothing."""
    configure_logs()
    package = read_folder(folder)
    requests = read_samples(samples, package.program) if samples else []
    terms = Terms(lo, hi, 0, Windows(0, 0, 0, 0, 0))
    plan = Plan(devices=tuple(device or ("cpu",)))
    calibration = measure(Network.from_package(package), terms, requests, plan)
    document.write_bytes(calibration.document)
    _show(calibration)


@model.command()
def push(
    folder: Folder,
    settings_file: SettingsFile = None,
    samples: SampleFile = None,
    lo: Least = 0.0,
    hi: Greatest = 1.0,
    calibration: Annotated[Path | None, typer.Option(help="What `calibrate` wrote; else it is done now.")] = None,
    min_bond_gas: Annotated[int, typer.Option(help="Least bond of a claim, in gas.")] = 3_000_000,
    windows: Annotated[
        str, typer.Option(help="Seconds to challenge, open, collect, supply, prove.")
    ] = "3600,1800,900,1800,1800",
) -> None:
    """Checks, calibrates and stores a model, and registers it. Prints its id."""
    configure_logs()
    settings = Settings.load(settings_file)
    package = read_folder(folder)
    terms = Terms(lo, hi, min_bond_gas, windows_of(windows))
    requests = read_samples(samples, package.program) if samples else []
    network = Network.from_package(package)
    found = read_document(calibration.read_bytes(), network) if calibration else measure(network, terms, requests)
    registration = enter(open_blobs(settings.blobs), package, terms, found)
    register(settings, registration)
    _show(found)
    # Alone on its line, for scripts.
    print("0x" + model_id(registration.record).hex())


def register(settings: Settings, registration: Registration) -> None:
    """Sends `register` and waits for it, unless the model is registered. Raises what a Daemon raises at its start."""
    models = Models(settings.deployment)
    with Daemon.start(settings, open_journal(settings.journal_url).transactions) as daemon:
        if not models.exists(daemon.client.at(daemon.client.head()), model_id(registration.record)):
            daemon.sender.send(models.register(registration.record))


def windows_of(text: str) -> Windows:
    """Five periods in seconds, separated by commas. Raises typer's BadParameter."""
    parts = text.split(",")
    if len(parts) != 5 or not all(part.strip().isdigit() for part in parts):
        raise typer.BadParameter(f"windows are five numbers of seconds, got {text!r}")
    return Windows(*(int(part) for part in parts))


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
