"""The development chain: where its program lies, how it is started, and its published accounts.

Everybody knows these accounts' keys. Nothing here may be used on a real network.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

from eth_account import Account

from rollup.chain.keys import Key
from rollup.errors import Unavailable

ROOT = Path(__file__).resolve().parent.parent.parent
CHAIN_ID = 31337
_MNEMONIC = "test test test test test test test test test test test junk"
_BINARIES = ("@foundry-rs/anvil-linux-amd64/bin/anvil", "@foundry-rs/anvil-linux-arm64/bin/anvil", ".bin/anvil")


def anvil_arguments(port: int, accounts: int = 10, block_seconds: float | None = None) -> list[str]:
    """Command line of a chain on `port`. `block_seconds` None mines a block for every transaction."""
    arguments = [find_anvil(), "--port", str(port), "--chain-id", str(CHAIN_ID), "--accounts", str(accounts)]
    arguments += ["--silent", "--hardfork", "prague"]
    return arguments if block_seconds is None else [*arguments, "--block-time", str(block_seconds)]


def find_anvil() -> str:
    """Path of the program. Raises Unavailable if the tool chain is not installed."""
    candidates = [str(ROOT / "node_modules" / name) for name in _BINARIES]
    found = next((path for path in candidates if os.access(path, os.X_OK)), shutil.which("anvil"))
    if found is None:
        raise Unavailable("anvil was not found: run `make setup` in the project's folder first")
    return found


@cache
def development_secret(number: int) -> str:
    """Hex of the key of funded account `number`."""
    Account.enable_unaudited_hdwallet_features()
    return bytes(Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}").key).hex()


def development_key(number: int) -> Key:
    return Key.from_bytes(bytes.fromhex(development_secret(number)))
