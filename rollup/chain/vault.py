"""Vault: who owns what, in wei. See IVault.sol for what each function does and raises."""

from __future__ import annotations

from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.types import Address


class Vault(Contract):
    """`turn` tells a payment from an equal one of another time."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IVault", deployment.vault)

    def deposit(self, account: Address, amount_wei: int, turn: str) -> Intent:
        return self._intent("deposit", account, value_wei=amount_wei, turn=turn)

    def withdraw(self, to: Address, amount_wei: int, turn: str) -> Intent:
        return self._intent("withdraw", to, amount_wei, turn=turn)

    def balance_of(self, at: Snapshot, account: Address) -> int:
        return int(self._read(at, "balanceOf", account)[0])

    def escrow_of(self, at: Snapshot, module: Address) -> int:
        return int(self._read(at, "escrowOf", module)[0])

    def burned(self, at: Snapshot) -> int:
        return int(self._read(at, "burned")[0])
