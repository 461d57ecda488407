"""A whole stack on this machine: a chain, Redis, the contracts, and every process of the layer-2, on free ports.

For `anh up`, the demo and the stories. The accounts are the chain's published development accounts, so nothing here may
touch a real network. Knows the other packages by their commands only.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import TracebackType

import httpx

from rollup.chain.anvil import CHAIN_ID, anvil_arguments, development_key, development_secret
from rollup.chain.client import Client
from rollup.chain.deploy import System, demo_system, deploy
from rollup.chain.keys import Key
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.config import Deployment
from rollup.errors import Unavailable
from rollup.processes import Process, Processes, free_port
from rollup.redis_server import RedisServer
from rollup.types import Address

ROOT = Path(__file__).resolve().parent.parent
# The variable that hands a process its key; only that process's environment has it.
KEY_VARIABLE = "ANH_KEY"
PASS_SECONDS, POLL_SECONDS = 30.0, 0.1


class Account(IntEnum):
    """Which development account plays which part; the rest are for users and cheats."""

    DEPLOYER = 0
    SEQUENCER = 1
    EXECUTOR = 2
    WATCHTOWER = 3
    KEEPER = 4
    FIRST_USER = 5


@dataclass(frozen=True)
class Part:
    """One process of the stack: its command, the account that it signs with, and options and settings of its own."""

    command: str
    account: int | None = None
    options: tuple[str, ...] = ()
    settings: Mapping[str, str] | None = None


# The parts that make a whole stack, in order of starting.
PARTS = (
    Part("sequencer", Account.SEQUENCER),
    Part("api", Account.SEQUENCER),
    Part("executor", Account.EXECUTOR),
    Part("worker"),
    Part("watch", Account.WATCHTOWER),
    Part("keeper", Account.KEEPER, ("--refunds",)),
)


class Devnet:
    """A context: everything it started is gone when it ends."""

    def __init__(self, folder: Path, accounts: int = 40, block_seconds: int = 1) -> None:
        self.folder = folder
        self.rpc_url = f"http://127.0.0.1:{free_port()}"
        self.api_url = f"http://127.0.0.1:{free_port()}"
        self.blobs_url = f"http://127.0.0.1:{free_port()}"
        self.processes = Processes(folder / "logs")
        self.redis = RedisServer(folder / "redis")
        self._accounts, self._block_seconds = accounts, block_seconds
        self.deployment: Deployment
        self.client: Client

    def __enter__(self) -> Devnet:
        try:
            self._start_chain()
            self.redis.start()
            self._deploy(demo_system(self.address(Account.SEQUENCER)))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.processes.stop()
        self.redis.stop()

    def pass_until(self, instant: int) -> None:
        """Moves the chain's clock on to an instant (seconds), for waits in which nobody has anything to do.

        Returns when a block is that late. Raises Unavailable if the chain does not do it.
        """
        seconds = max(0, instant - self.client.head().timestamp)
        body = {"jsonrpc": "2.0", "id": 1, "method": "evm_increaseTime", "params": [seconds]}
        try:
            answer = httpx.post(self.rpc_url, json=body, timeout=10).json()
        except httpx.HTTPError as error:
            raise Unavailable(f"the chain does not answer: {error}") from error
        if "error" in answer:
            raise Unavailable(f"evm_increaseTime: {answer['error']}")
        # Not the processes' own wait: one that was killed, or is done, is no reason for time to stop.
        limit = time.monotonic() + PASS_SECONDS
        while self.client.head().timestamp < instant:
            if time.monotonic() > limit:
                raise Unavailable(f"no block is as late as {instant} within {PASS_SECONDS:g} s")
            time.sleep(POLL_SECONDS)

    def key(self, number: int) -> Key:
        return development_key(number)

    def address(self, number: int) -> Address:
        return self.key(number).address

    def start(self, parts: Sequence[Part] = PARTS) -> None:
        """Starts the parts; returns when the API answers, if it is among them."""
        for part in parts:
            self.start_part(part)
        if any(part.command == "api" for part in parts):
            self.processes.wait_until("the API answers", self._api_answers)

    def _api_answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/v1/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    def start_part(self, part: Part, name: str | None = None) -> Process:
        """Starts one part under `name`, with settings and a journal of its own."""
        name = name or part.command
        env = {KEY_VARIABLE: development_secret(part.account)} if part.account is not None else {}
        arguments = [part.command, *part.options, "--settings", str(self.write_settings(name, part))]
        return self.processes.start_anh(name, arguments, env)

    def process(self, name: str) -> Process:
        """A running part by name. Raises Unavailable if there is none."""
        return self.processes.named(name)

    def write_settings(self, name: str, part: Part) -> Path:
        """The settings file of one process: no secret in it."""
        journal = "executor" if part.command == "worker" else "sequencer" if part.command == "api" else name
        settings = {
            "deployment": str(self.folder / "deployment.json"),
            "rpc_url": self.rpc_url,
            "redis_url": self.redis.url,
            "api_url": self.api_url,
            "blobs_url": self.blobs_url,
            "journal_url": f"sqlite:///{self.folder / journal}.db",
            "blobs": str(self.folder / "blobs"),
            "locks": str(self.folder / "locks"),
            "poll_seconds": "0.3",
            **({"key_variable": KEY_VARIABLE} if part.account is not None else {}),
            **(part.settings or {}),
        }
        path = self.folder / f"{name}.toml"
        path.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return path

    def _start_chain(self) -> None:
        port = int(self.rpc_url.rsplit(":", 1)[1])
        self.processes.start("chain", anvil_arguments(port, self._accounts, self._block_seconds))
        self.client = Client(self.rpc_url, CHAIN_ID)
        self.processes.wait_until("the chain answers", self._chain_answers)

    def _chain_answers(self) -> bool:
        try:
            self.client.require_chain()
        except Unavailable:
            return False
        return True

    def _deploy(self, system: System) -> None:
        sender = Sender(self.client, self.key(Account.DEPLOYER), MemoryStore())
        self.deployment = deploy(self.client, sender, system)
        self.deployment.save(self.folder / "deployment.json")


def run_folder() -> Path:
    """A fresh folder for one run's state and logs."""
    folder = ROOT / "build" / "runs" / secrets.token_hex(4)
    folder.mkdir(parents=True)
    return folder
