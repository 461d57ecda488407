"""Sets a stage for trainings: a running chain, the digit network and its scorer on it, executors that train."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.datasets import load_digits

from executor.calibration import Plan
from executor.capture import Captured, capture
from executor.network import Network
from executor.registration import Terms, enter, measure
from executor.scorer import Score, scorer_of
from rollup.blobs import Blobs, open_blobs
from rollup.chain.client import Snapshot
from rollup.chain.follower import Follower
from rollup.chain.models import Models
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.config import Settings
from rollup.devnet import Account, Devnet, Part
from rollup.errors import NotYet, Unavailable
from rollup.package import Package
from rollup.processes import Process, free_port
from rollup.properties.types import TrainingId
from rollup.types import Address, ModelId, Windows
from rollup.view import OrderedTraining, View
from tests.digits import DigitNet
from tests.executor.scored import RANGES

# Real time, a block a second.
WINDOWS = Windows(challenge=8, open=10, collect=4, supply=10, prove=8)
PLAN = Plan(threads=(1,), batch_sizes=(1, 8), requests=4, reach_samples=1, reach_elements=2)
SAMPLES = 8
MIN_BOND_GAS = 3_000_000
POLL_SECONDS = 0.25
REQUEST_SECONDS = 60
ETHER = 10**18
# There is no keeper here: executors finalise and settle what is theirs.
SECOND_EXECUTOR = Account.KEEPER
# Of 1,797 digits, shuffled: these are a pool, the others are shown.
POOL, OPEN = 240, 60
SHUFFLE = 7
TERMS: dict[str, Any] = {
    "data": "data.safetensors",
    "pool": "pool.safetensors",
    "open_count": OPEN,
    "threshold": 0.85,
    "fee_wei": ETHER // 2,
    "bonus_wei": ETHER // 4,
    "commit_fee_wei": 10**15,
    "open": 10,
    "commit": 36,
    "reveal": 8,
    "claim": 10,
}
# Two recipes that have nothing in common but what comes of them.
_FALLING = {"kind": "cosine", "warmup_epochs": 1}
SGD: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 16,
    "optimiser": {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    "schedule": _FALLING,
    "seed": 1,
}
HOGWILD: dict[str, Any] = {
    "method": "hogwild",
    "processes": 2,
    "epochs": 30,
    "batch_size": 16,
    "optimiser": {"kind": "adam", "learning_rate": 0.003},
    "schedule": _FALLING,
}
Arrays = dict[str, NDArray[Any]]


def shuffled() -> tuple[Arrays, Arrays]:
    """All digits, those of one hand not side by side: what is shown, and the pool."""
    known = load_digits()
    pictures, labels = (known.images / 16).astype(np.float32)[:, None], known.target.astype(np.int64)
    order = np.random.default_rng(SHUFFLE).permutation(len(labels))
    shown, pool = order[POOL:], order[:POOL]
    return (
        {"input_0": pictures[shown], "targets": labels[shown]},
        {"input_0": pictures[pool], "targets": labels[pool]},
    )


@dataclass(frozen=True)
class Academy:
    """`folder` holds what the requester writes; `view` is brought up to date by `look`."""

    net: Devnet
    folder: Path
    architecture: ModelId
    scorer: ModelId
    follower: Follower
    blobs: Blobs

    def look(self) -> View:
        self.follower.catch_up()
        return self.follower.view

    def wait(self, what: str, done: Callable[[View], bool], seconds: float) -> View:
        """Looks until `done`. Raises NotYet when the time is over, Unavailable if a process failed."""
        limit = time.monotonic() + seconds
        while not done(view := self.look()):
            for process in self.net.processes.failed():
                raise Unavailable(f"{process.name} ended with {process.handle.returncode}:\n{process.last_words()}")
            if time.monotonic() > limit:
                raise NotYet(f"{what} did not happen within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return view

    def wait_for_hired(self, addresses: Sequence[Address], seconds: float = 60) -> None:
        self.wait("the executors are there", lambda view: set(addresses) <= view.state.endpoints.keys(), seconds)

    def describe(self, data: Mapping[str, NDArray[Any]], pool: Mapping[str, NDArray[Any]], **changes: Any) -> Path:
        """Writes what a requester wants; returns the description."""
        save_file(dict(data), self.folder / "data.safetensors")
        save_file(dict(pool), self.folder / "pool.safetensors")
        names = {"architecture": "0x" + self.architecture.hex(), "scorer": "0x" + self.scorer.hex()}
        path = self.folder / "training.toml"
        given = {**names, **TERMS, **changes}
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()))
        return path

    def ask(self, description: Path) -> TrainingId:
        """Requests, then serves until the end."""
        id_ = self.request(description)
        self.serve()
        return id_

    def request(self, description: Path) -> TrainingId:
        """`anh training request`, to its end. Raises Unavailable if it fails."""
        process = self.start_request(description)
        if process.handle.wait(REQUEST_SECONDS):
            raise Unavailable(f"anh training request ended with {process.handle.returncode}: {process.last_words()}")
        return TrainingId(bytes.fromhex(process.last_words(1).removeprefix("0x")))

    def prepare(self, description: Path) -> bytes:
        """`anh training prepare`, by somebody without an account: the terms as Solidity has them."""
        printed = self._printed("prepare", str(description), "--keys", str(self.folder / "keys"))
        return bytes.fromhex(printed.strip().removeprefix("0x"))

    def status(self, training: TrainingId) -> str:
        """What `anh training status` prints for anyone."""
        return self._printed("status", "0x" + training.hex())

    def _printed(self, *command: str) -> str:
        settings = self.net.write_settings("anyone", Part("training"))
        whole = [sys.executable, "-m", "rollup.cli", "training", *command, "--settings", str(settings)]
        return subprocess.run(whole, capture_output=True, text=True, timeout=REQUEST_SECONDS, check=True).stdout

    def start_request(self, description: Path) -> Process:
        """`anh training request`, in a process of its own."""
        return self._start_requester("request", str(description))

    def serve(self) -> None:
        """`anh training serve`, until the end, with the journal that the request was made with."""
        self._start_requester("serve")

    def serve_for(self, contract: Address, keeper: int) -> None:
        """The same by whoever keeps the key of a contract that asks."""
        self._start_requester("serve", "--requester", "0x" + contract.hex(), account=keeper)

    def _start_requester(self, *command: str, account: int = Account.FIRST_USER) -> Process:
        keys = ("--keys", str(self.folder / "keys"))
        return self.net.start_part(Part("training", account, (*command, *keys)), "requester")

    def kill(self, name: str) -> None:
        """`kill -9`, of a process and all that it started. Raises Unavailable if there is none."""
        killed = self.net.process(name)
        if killed.running:
            os.killpg(killed.handle.pid, signal.SIGKILL)
            killed.handle.wait()

    def snapshot(self) -> Snapshot:
        return self.net.client.at(self.net.client.head())

    def training(self, id_: TrainingId) -> OrderedTraining:
        return self.look().training(id_)


@dataclass(frozen=True)
class Subject:
    """What is taught. `ranges`: of the scorer's inputs. `trial`: a network of the kind that is hoped for, on which
    bands are measured; None to take the untrained one. `certified`: the scorer.
    """

    untrained: Captured
    score: Score
    ranges: tuple[tuple[float, float], ...]
    windows: Windows = WINDOWS
    trial: Captured | None = None
    certified: bool = False


def hire(net: Devnet, name: str, account: int, recipe: Mapping[str, Any], only_train: bool = True) -> Address:
    """Starts an executor that trains by a recipe of its own; returns its address."""
    path = net.folder / f"{name}.json"
    path.write_text(json.dumps(recipe))
    options: tuple[str, ...] = ("--train", str(net.folder / f"{name}-trainings"), "--recipe", str(path))
    options += ("--only-train",) if only_train else ()
    settings = {"blobs_url": f"http://127.0.0.1:{free_port()}"}
    net.start_part(Part("executor", account, options, settings), name)
    return net.address(account)


def open_academy(net: Devnet, registrant: int = Account.DEPLOYER, windows: Windows = WINDOWS) -> Academy:
    """One that teaches digits."""
    torch.manual_seed(0)
    untrained = capture(DigitNet().eval(), [torch.zeros(1, 1, 8, 8)])
    return found_academy(net, Subject(untrained, Score.ACCURACY, RANGES, windows, certified=True), registrant)


def found_academy(net: Devnet, subject: Subject, registrant: int = Account.DEPLOYER) -> Academy:
    """Registers an untrained network and its scorer."""
    architecture, trial = subject.untrained.program, subject.trial or subject.untrained
    blobs = open_blobs(net.folder / "blobs")
    settings = Settings(deployment=net.deployment, rpc_url=net.rpc_url, blobs=net.folder / "blobs")
    sender, models, ids = Sender(net.client, net.key(registrant), MemoryStore()), Models(net.deployment), []
    bond_wei = models.minimum_bond(net.client.at(net.client.head()))
    for program in (architecture, scorer_of(architecture, subject.score, subject.certified)):
        terms = Terms(0.0, 1.0, MIN_BOND_GAS, subject.windows, subject.ranges[: len(program.inputs)])
        calibration = measure(Network.from_package(Package(program, trial.committed)), terms, [], PLAN)
        registration = enter(blobs, Package(program, subject.untrained.committed), terms, calibration)
        sender.send(models.register(registration.record, bond_wei))
        ids.append(model_id(registration.record))
    follower = Follower.from_settings(settings, net.client)
    architecture_id, scorer_id = ids
    return Academy(net, _made(net.folder / "requester"), architecture_id, scorer_id, follower, blobs)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
