"""Sets a stage for stories: a running stack, the digit network registered on it, and a loan office that asks it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from executor.capture import export_to_folder
from executor.models import load_model
from executor.tensors import f32_of_bits
from rollup.blobs import Blobs, FolderStore
from rollup.chain.anvil import development_secret
from rollup.chain.claims import Claims
from rollup.chain.client import Snapshot
from rollup.chain.follower import Follower
from rollup.chain.sender import Sender
from rollup.config import Settings
from rollup.devnet import KEY_VARIABLE, Account, Devnet, Part
from rollup.errors import NotYet, Unavailable
from rollup.types import Address, ModelId, RequestId, Windows
from rollup.view import View
from tests.actors import Place
from tests.digits import digits, trained
from tests.stories.office import ETHER, Nft, Office, open_office

# Real time, a block a second.
WINDOWS = Windows(challenge=20, open=15, collect=15, supply=15, prove=15)
# Fault proofs of this model fit in a few hundred thousand gas.
MIN_BOND_GAS = 3_000_000
MAX_BYTES = 2**24
POLL_SECONDS = 0.25
SAMPLES_FILE = "samples.safetensors"
POOL_WEI = 200 * ETHER


@dataclass(frozen=True)
class Stage:
    """`view` is brought up to date by `look`."""

    net: Devnet
    place: Place
    model: ModelId
    nft: Nft
    office: Office
    follower: Follower
    money: Sender

    def look(self) -> View:
        self.follower.catch_up()
        return self.follower.view

    def wait(self, what: str, done: Callable[[View], bool], seconds: float) -> View:
        """Looks until `done`. Raises NotYet when the time is over, Unavailable if a process of the stack has died."""
        limit = time.monotonic() + seconds
        while not done(view := self.look()):
            for process in self.net.processes.dead():
                raise Unavailable(f"{process.name} ended with {process.handle.returncode}:\n{process.last_words()}")
            if time.monotonic() > limit:
                raise NotYet(f"{what} did not happen within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return view

    def snapshot(self) -> Snapshot:
        return self.place.snapshot()

    @property
    def claims(self) -> Claims:
        return Claims(self.net.deployment)

    def mint(self, pictures: Sequence[tuple[Sender, NDArray[np.float32]]]) -> list[int]:
        """A new NFT for each owner, pledged to the office as soon as it asks; returns their ids."""
        first = self.nft.minted(self.snapshot())
        mints = [self.nft.mint(owner.address, canonical(picture)) for owner, picture in pictures]
        for mint in mints:
            self.money.submit(mint)
        for mint in mints:
            self.money.wait(mint)
        tokens = [first + number for number in range(len(pictures))]
        approvals = [
            (owner, self.nft.approve(self.office.address, token))
            for (owner, _), token in zip(pictures, tokens, strict=True)
        ]
        for owner, approval in approvals:
            owner.submit(approval)
        for owner, approval in approvals:
            owner.wait(approval)
        return tokens

    def ask(self, loans: Sequence[tuple[Sender, int, int]]) -> list[RequestId]:
        """Asks for a loan for each borrower, token and amount in wei; returns the requests the office made of them."""
        known = set(self.look().state.requests)
        for borrower, token, amount_wei in loans:
            borrower.submit(self.office.request_loan(token, amount_wei))
        borrowers = [borrower.address for borrower, _, _ in loans]
        asked: dict[Address, RequestId] = {}

        def all_there(view: View) -> bool:
            for id_ in view.state.requests:
                if id_ not in known and view.request(id_).request.requester == self.office.address:
                    asked[self.office.loan_of(self.snapshot(), id_).borrower] = id_
            return all(borrower in asked for borrower in borrowers)

        self.wait("the office's questions", all_there, 30)
        return [asked[borrower] for borrower in borrowers]


def canonical(picture: NDArray[np.float32]) -> bytes:
    """Big-endian bytes of a picture."""
    return picture.astype(">f4").tobytes()


def set_stage(net: Devnet) -> Stage:
    """Trains (or takes the trained) network, pushes it as a user would, opens the office, fills its pool."""
    folder = net.folder / "model"
    export_to_folder(trained(), [torch.zeros(1, 1, 8, 8)], folder)
    save_file({"input_0": digits().shown[:64]}, folder / SAMPLES_FILE)
    model = push(net, folder)
    settings = Settings(deployment=net.deployment, rpc_url=net.rpc_url, blobs=net.folder / "blobs")
    follower = Follower.from_settings(settings, net.client)
    follower.catch_up()
    record = follower.view.model(model)
    loaded = load_model(Blobs(FolderStore(settings.blobs)), record, MAX_BYTES)
    place = Place(net.client, net.deployment, loaded)
    money = place.sender(net.key(Account.DEPLOYER))
    # A closer call than this is no answer: twice what a logit may be off by.
    nft, office = open_office(money, net.deployment, model, margin=max(0.25, 2 * f32_of_bits(record.output_band)))
    money.send(office.join_pool(POOL_WEI))
    return Stage(net, place, model, nft, office, follower, money)


def push(net: Devnet, folder: Path) -> ModelId:
    """`anh model push`, in a process of its own; returns the model's id."""
    windows = ",".join(str(seconds) for seconds in dataclasses.astuple(WINDOWS))
    settings = net.write_settings("push", Part("model", Account.DEPLOYER))
    command = [sys.executable, "-m", "rollup.cli", "model", "push", str(folder), "--settings", str(settings)]
    command += ["--samples", str(folder / SAMPLES_FILE), "--lo=0", "--hi=1", f"--windows={windows}"]
    command += [f"--min-bond-gas={MIN_BOND_GAS}"]
    result = subprocess.run(
        command,
        env={**os.environ, KEY_VARIABLE: development_secret(Account.DEPLOYER)},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise Unavailable(f"anh model push ended with {result.returncode}: {result.stderr.strip()}")
    return ModelId(bytes.fromhex(result.stdout.split()[-1].removeprefix("0x")))
