"""A real stack for the executor's tests: chain, Redis, contracts, a registered model, requests on L1."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from executor.capture import capture
from executor.cli import register
from executor.registration import Registration, Terms, prepare
from executor.tensors import canonical_bytes
from rollup.blobs import open_blobs
from rollup.chain.anvil import development_secret
from rollup.chain.events import EventStream
from rollup.chain.follower import Follower
from rollup.chain.inbox import Inbox
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.codec import model_id
from rollup.config import Settings
from rollup.devnet import KEY_VARIABLE, Account, Devnet, Part
from rollup.package import Package
from rollup.processes import Process
from rollup.types import ZERO_ADDRESS, ZERO_WORD, BundleRoot, RequestId, Windows, Wish
from rollup.view import View
from tests.executor.nets import ConvNet

FEE_WEI = 10**15
# Long enough for a busy machine; a test waits the last three out.
WINDOWS = Windows(challenge=60, open=30, collect=8, supply=15, prove=8)
DEADLINE_SECONDS = 3600
TERMS = Terms(0.0, 1.0, 1_000_000, WINDOWS)
EXECUTOR = Part("executor", Account.EXECUTOR)
WORKER = Part("worker", Account.EXECUTOR)
SetVariable = Callable[[str, str], None]


class Stack:
    """A devnet with one model, and somebody who asks."""

    def __init__(self, devnet: Devnet, registration: Registration, set_variable: SetVariable) -> None:
        self.devnet, self.registration = devnet, registration
        self._set_variable = set_variable
        self.blobs = open_blobs(devnet.folder / "blobs")
        self.user = Sender(devnet.client, devnet.key(Account.FIRST_USER), MemoryStore(), poll_seconds=0.05)
        self._follower = Follower(
            View(devnet.deployment.domain), EventStream(devnet.client, devnet.deployment, confirmations=0)
        )
        self._generator = np.random.default_rng(4)

    def ask(self, count: int) -> list[bytes]:
        """`count` requests on L1 with inputs of their own; returns the inputs."""
        inputs = [self._generator.random((1, 1, 8, 8), dtype=np.float32) for _ in range(count)]
        data = [canonical_bytes(torch.from_numpy(picture)) for picture in inputs]
        self.ask_for(data)
        return data

    def ask_for(self, data: Sequence[bytes]) -> None:
        """A request on L1 for each input."""
        inbox = Inbox(self.devnet.deployment)
        intents = [inbox.request(self._wish(item), str(place)) for place, item in enumerate(data)]
        for intent in intents:
            self.user.submit(intent)
        for intent in intents:
            assert self.user.wait(intent).succeeded

    def _wish(self, inputs: bytes) -> Wish:
        deadline = self.devnet.client.head().timestamp + DEADLINE_SECONDS
        return Wish(
            model_id(self.registration.record), inputs, BundleRoot(ZERO_WORD), FEE_WEI, 0, 0, deadline, ZERO_ADDRESS, 0
        )

    def view(self) -> View:
        """All that has happened so far."""
        self._follower.catch_up()
        return self._follower.view

    def wait(self, what: str, ready: Callable[[View], bool], seconds: float) -> None:
        """Until the view of the chain is as wanted; see `until`."""
        self.until(what, lambda: ready(self.view()), seconds)

    def until(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        """Polls. Fails with the ends of all logs; processes may die meanwhile, for tests kill them."""
        limit = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > limit:
                logs = sorted((self.devnet.folder / "logs").glob("*.log"))
                ends = "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in logs)
                raise AssertionError(f"{what}: not within {seconds:g} s\n{ends}")
            time.sleep(0.05)

    def claimed(self) -> dict[RequestId, bytes]:
        """Outputs of all claims, by request; a request must not have two."""
        view = self.view()
        requests = [claim.request for claim in view.state.claims.values()]
        assert len(set(requests)) == len(requests), "a request was claimed twice"
        return {claim.request: claim.output for claim in view.state.claims.values()}

    def start(self, part: Part, name: str | None = None) -> Process:
        return self.devnet.start_part(part, name)

    def set_key(self, account: Account) -> None:
        """Lets this process act as `account`."""
        self._set_variable(KEY_VARIABLE, development_secret(account))

    def settings(self, account: Account) -> Settings:
        path = self.devnet.write_settings("test", Part("test", account))
        return Settings.load(path, {})


@contextmanager
def running_stack(
    folder: Path, set_variable: SetVariable, net: type[torch.nn.Module] = ConvNet, terms: Terms = TERMS
) -> Iterator[Stack]:
    """`set_variable` puts keys into this process's environment, for as long as the caller likes."""
    torch.manual_seed(6)
    captured = capture(net().eval(), [torch.zeros(1, 1, 8, 8)])
    package = Package(captured.program, captured.committed)
    with Devnet(folder) as devnet:
        registration = prepare(open_blobs(devnet.folder / "blobs"), package, terms)
        stack = Stack(devnet, registration, set_variable)

        stack.set_key(Account.DEPLOYER)
        register(stack.settings(Account.DEPLOYER), registration)
        yield stack
