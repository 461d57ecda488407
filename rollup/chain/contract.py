"""What the wrappers of the contracts share: calls become intents, answers become records.

Decides nothing. A wrapper has one method for every function of its contract that is used off chain.
"""

from __future__ import annotations

from typing import Any

from rollup.chain.artifacts import abi_of
from rollup.chain.client import Snapshot
from rollup.chain.sender import Intent
from rollup.merkle import keccak256
from rollup.types import Address


class Contract:
    """One deployed contract, known by its interface."""

    def __init__(self, interface: str, address: Address) -> None:
        self.address = address
        self._abi = abi_of(interface)

    def _intent(self, function: str, *arguments: Any, value_wei: int = 0, turn: str = "") -> Intent:
        """A call to be sent. Its key names function, arguments and value, so the same call is the same deed; where a
        deed may rightly be done again, `turn` tells one time from the next.
        """
        data = self._abi.encode_call(function, *arguments)
        digest = keccak256(self.address + data + value_wei.to_bytes(32, "big") + turn.encode()).hex()
        return Intent(f"{self._abi.name[1:]}.{function}:{digest[:32]}", self.address, data, value_wei)

    def _read(self, at: Snapshot, function: str, *arguments: Any, payer: Address | None = None) -> tuple[Any, ...]:
        return at.read(self._abi, self.address, function, *arguments, payer=payer)
