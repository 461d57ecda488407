"""A real anvil on a free port, killed at the end."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from eth_account import Account
from web3 import Web3

from rollup.chain.client import Client
from rollup.chain.keys import Key
from rollup.errors import Unavailable
from rollup.processes import free_port

ROOT = Path(__file__).resolve().parent.parent
CHAIN_ID = 31337
START_SECONDS = 20.0
_MNEMONIC = "test test test test test test test test test test test junk"
_BINARIES = ("@foundry-rs/anvil-linux-amd64/bin/anvil", "@foundry-rs/anvil-linux-arm64/bin/anvil", ".bin/anvil")


def anvil_key(number: int) -> Key:
    """One of anvil's ten funded accounts."""
    Account.enable_unaudited_hdwallet_features()
    return Key(Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}"))


class Anvil:
    """A running chain. `block_seconds` None mines a block for every transaction."""

    def __init__(self, block_seconds: float | None = None, chain_id: int = CHAIN_ID) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.chain_id = chain_id
        self._arguments = ["--port", str(self.port), "--chain-id", str(chain_id), "--silent", "--hardfork", "prague"]
        if block_seconds is not None:
            self._arguments += ["--block-time", str(block_seconds)]
        self.web3 = Web3(Web3.HTTPProvider(self.url, request_kwargs={"timeout": 10}))

    def __enter__(self) -> Anvil:
        self._process = subprocess.Popen([_binary(), *self._arguments], stdin=subprocess.DEVNULL)
        limit = time.monotonic() + START_SECONDS
        while not self.web3.is_connected():
            if self._process.poll() is not None or time.monotonic() > limit:
                self._process.kill()
                raise Unavailable(f"anvil does not answer on port {self.port}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def client(self) -> Client:
        return Client.connect(self.url, self.chain_id, timeout_seconds=10.0)

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


def _binary() -> str:
    paths = [ROOT / "node_modules" / name for name in _BINARIES]
    return str(next(path for path in paths if os.access(path, os.X_OK)))
