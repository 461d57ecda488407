"""A model on trial: registered on a real chain, asked, answered honestly and falsely, judged.

The executor's run and trace, the watchtower and the contracts are the product's own. Time is the test's: a block for
every transaction, and windows that pass when the story says so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from bench._detection.swaps import SWAPS
from executor.calibration import Plan, calibrate
from executor.capture import capture
from executor.models import LoadedModel, load_model
from executor.network import Network
from executor.registration import Terms, enter
from executor.tensors import canonical_bytes, to_canonical
from executor.trace import Results, Trace, recompute
from prover.disputer import Disputer
from prover.sources import Sources
from prover.watcher import Watchtower
from rollup.blobs import FolderStore, open_blobs
from rollup.chain.deploy import demo_system, deploy
from rollup.chain.disputes import Disputes
from rollup.chain.events import EventStream
from rollup.chain.follower import Follower
from rollup.chain.inbox import Inbox
from rollup.chain.models import Models
from rollup.codec import model_id
from rollup.package import Package
from rollup.types import (
    MAX_INLINE_INPUT_BYTES,
    ZERO_ADDRESS,
    ZERO_WORD,
    BundleRoot,
    Certainty,
    ClaimId,
    RequestId,
    Windows,
    Wish,
)
from rollup.view import View
from tests.actors import Griefer, Liar, Lie, Place
from tests.chain_fixture import CHALLENGER, KEEPER, REGISTRANT_BOND_WEI, SEQUENCER, USER, Anvil, anvil_key
from tests.zoo import Specimen

# A float64 run of a language model may take minutes where the machine has other work.
LEASE_SECONDS = 1800
WINDOWS = Windows(challenge=3000, open=600, collect=600, supply=600, prove=1200)
ETHER = 10**18
EXECUTOR, LIAR, DOUBTER = 6, 7, 8
MAX_BYTES = 2**31
SAMPLES = 2
# What an owner in a hurry would do: margins of a calibration are wide.
PLAN = Plan(batch_sizes=(1, 2), requests=2, reach_elements=8)
# What is asked in a trial; the registered ranges must hold all of it.
FIRST_ASKED, MAX_ASKED = 1000, 12


class Honest(Lie):
    """No lie: the fast run's output, and the trace that its executor opens for it."""

    name = "honest"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return model.runner.run([[canonical_bytes(tensor) for tensor in inputs]])[0]

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return model.trace([canonical_bytes(tensor) for tensor in inputs], self.output(model, inputs))


@dataclass(frozen=True)
class Swapped(Lie):
    """Another model's run, or what else a swap of bench/_detection makes."""

    name: str
    seed: int = 0

    def _run(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Results:
        return SWAPS[self.name](model.network, inputs, self.seed)

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return canonical_bytes(self._run(model, inputs)[-1])

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(self._run(model, inputs))


class Forged(Lie):
    """Claims a number that nothing made, and opens an honest trace."""

    name = "forged output"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        result = recompute(model.network, inputs)[-1].clone()
        result.view(-1)[0] += 1 if not result.is_floating_point() else 1 + result.abs().max()
        return canonical_bytes(result)

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(recompute(model.network, inputs))


class Trial:
    """One chain with a whole system and one model on it."""

    def __init__(self, anvil: Anvil, folder: Path, specimen: Specimen, size: int | None = None) -> None:
        self._anvil, self._folder, self._specimen, self._size = anvil, folder, specimen, size
        self.client = anvil.client()
        system = replace(demo_system(anvil_key(SEQUENCER).address), lease_term_seconds=LEASE_SECONDS)
        self.deployment = deploy(self.client, anvil.sender(0), system)
        self._blobs = open_blobs(folder / "blobs")
        self.model = self._registered()
        self._place = Place(self.client, self.deployment, self.model, self._blobs)
        self._follower = Follower(View(self.deployment.domain), EventStream(self.client, self.deployment, 0))
        sources = Sources(FolderStore(folder / "blobs"), lambda: list(self.view.state.endpoints.values()), True)
        self._tower = Watchtower(sources, Disputer(self.client, self.deployment, anvil.sender(CHALLENGER)), ETHER)
        self._asked = 0

    def _registered(self) -> LoadedModel:
        """The model as a stranger would have it: captured, packed, calibrated, on chain, loaded back."""
        requests = [self._request(seed) for seed in range(SAMPLES)]
        captured = capture(self._specimen.module, requests[0])
        asked = [self._request(FIRST_ASKED + number) for number in range(MAX_ASKED)]
        terms = Terms(0.0, 1.0, 1_000_000, WINDOWS, _ranges([*requests, *asked]))
        package = Package(captured.program, captured.committed)
        calibration = calibrate(Network.from_package(package), requests, PLAN)
        registration = enter(self._blobs, package, terms, calibration)
        self._anvil.sender(0).send(Models(self.deployment).register(registration.record, REGISTRANT_BOND_WEI))
        return load_model(self._blobs, registration.record, MAX_BYTES)

    def _request(self, seed: int) -> Sequence[Tensor]:
        return self._specimen.request(seed, self._size)

    @property
    def view(self) -> View:
        self._follower.catch_up()
        return self._follower.view

    def ask(self) -> RequestId:
        """A user asks about inputs of its own."""
        assert self._asked < MAX_ASKED, "the ranges hold no more"
        tensors = [to_canonical(tensor) for tensor in self._request(FIRST_ASKED + self._asked)]
        self._asked += 1
        data = b"".join(tensor.data for tensor in tensors)
        root = BundleRoot(ZERO_WORD)
        if len(data) > MAX_INLINE_INPUT_BYTES:
            data, root = b"", self._blobs.put_tensors(tensors)
        until = self.view.now + 10 * sum((WINDOWS.challenge, WINDOWS.open, WINDOWS.prove))
        wish = Wish(model_id(self.model.record), data, root, 10**15, 10**14, 0, until, ZERO_ADDRESS, 0)
        self._anvil.sender(USER).send(Inbox(self.deployment).request(wish, str(self._asked)))
        return list(self.view.state.requests)[-1]

    def claimed(self, lie: Lie, account: int) -> tuple[Liar, ClaimId]:
        """Somebody claims a new request; returns who, and the claim."""
        request = self.ask()
        actor = Liar(lie, anvil_key(account), self._place, self._folder / f"{account}-{self._asked}")
        actor.claim(self.view, request)
        return actor, list(self.view.state.claims)[-1]

    def look(self, times: int = 1) -> None:
        """What the watchtower does after a block, and its transactions mined."""
        for _ in range(times):
            self._tower.step(self.view)
            self._until_mined()

    def doubted(self, claim: ClaimId) -> None:
        """A stranger challenges, if the watchtower has not."""
        if claim not in self.view.state.disputes:
            Griefer(anvil_key(DOUBTER), self._place).challenge(self.view, claim)

    def judged(self, lie: Lie) -> Certainty:
        """A claim is made, doubted, opened and looked at; what the chain says in the end."""
        actor, claim = self.claimed(lie, EXECUTOR if isinstance(lie, Honest) else LIAR)
        try:
            self.look()
            self.doubted(claim)
            actor.answer(self.view, claim)
            self.look(2)
            if self.view.claim(claim).certainty is Certainty.CHALLENGED:
                self._anvil.warp(WINDOWS.collect + WINDOWS.prove)
                self.look()
                self._concluded(claim)
        finally:
            actor.close()
        return self.view.claim(claim).certainty

    def _concluded(self, claim: ClaimId) -> None:
        if self.view.claim(claim).certainty is Certainty.CHALLENGED:
            self._anvil.sender(KEEPER).send(Disputes(self.deployment).conclude(self.view.witness(claim)))

    def _until_mined(self) -> None:
        me, limit = anvil_key(CHALLENGER).address, time.monotonic() + 20
        while self.client.nonce(me) < self.client.nonce(me, "pending"):
            assert time.monotonic() < limit, "a transaction of the watchtower is not mined"
            time.sleep(0.01)


def _ranges(requests: Sequence[Sequence[Tensor]]) -> tuple[tuple[float, float], ...]:
    """What each input spans over all these requests."""
    parts = [torch.cat(tensors) for tensors in zip(*requests, strict=True)]
    return tuple((float(part.min()), float(part.max())) for part in parts)
