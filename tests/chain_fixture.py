"""A real anvil on a free port, killed at the end; and a whole system deployed on it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from web3 import Web3

from rollup.chain.anvil import CHAIN_ID, anvil_arguments, development_key
from rollup.chain.client import Client, Snapshot
from rollup.chain.deploy import LONGEST_WINDOWS, System, deploy
from rollup.chain.keys import Key
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.config import Deployment
from rollup.errors import Unavailable
from rollup.processes import Processes, free_port
from rollup.types import Address, Windows

START_SECONDS = 20.0
# Enough for every system that tests deploy.
REGISTRANT_BOND_WEI = 10**15
SEQUENCER, EXECUTOR, CHALLENGER, KEEPER, USER = range(1, 6)


def anvil_key(number: int) -> Key:
    """One of anvil's ten funded accounts."""
    return development_key(number)


class Anvil:
    """A running chain. `block_seconds` None mines a block for every transaction."""

    def __init__(self, block_seconds: float | None = None) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.chain_id = CHAIN_ID
        self._arguments = anvil_arguments(port, block_seconds=block_seconds)
        self._folder = TemporaryDirectory(prefix="anvil-")
        self._processes = Processes(Path(self._folder.name))
        self.web3 = Web3(Web3.HTTPProvider(self.url, request_kwargs={"timeout": 10}))

    def __enter__(self) -> Anvil:
        try:
            self._processes.start("anvil", self._arguments)
            self._processes.wait_until(f"anvil answers at {self.url}", self.web3.is_connected, START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        self._processes.stop()

    def client(self) -> Client:
        return Client.connect(self.url, self.chain_id, timeout_seconds=10.0)

    def sender(self, number: int) -> Sender:
        """A sender of funded account `number` that does not outlive the test."""
        return Sender(self.client(), anvil_key(number), MemoryStore(), poll_seconds=0.02)

    def rpc(self, method: str, *parameters: Any) -> Any:
        """A call of anvil's own, such as `evm_mine` or `anvil_reorg`. Raises Unavailable with its error."""
        answer: Any = self.web3.provider.make_request(method, list(parameters))  # type: ignore[arg-type]
        if "error" in answer:
            raise Unavailable(f"{method}: {answer['error']}")
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def warp(self, seconds: int) -> None:
        """Moves the chain's clock on and mines one block there."""
        self.rpc("evm_increaseTime", seconds)
        self.mine()

    def snapshot(self) -> Snapshot:
        client = self.client()
        return client.at(client.head())


def small_system(sequencer: Address) -> System:
    """A system with windows of any length, so that tests can choose."""
    prices = (10**12, 10**9, 10**12, REGISTRANT_BOND_WEI)
    return System(sequencer, Windows(1, 1, 1, 1, 1), LONGEST_WINDOWS, 100_000, 30, *prices)


def deploy_system(anvil: Anvil) -> Deployment:
    """All contracts, by account 0, for the sequencer's account."""
    return deploy(anvil.client(), anvil.sender(0), small_system(anvil_key(SEQUENCER).address))
