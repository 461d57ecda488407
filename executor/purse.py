"""What an executor pays with: its Vault balance first, and wei sent along for what is missing."""

from __future__ import annotations

from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.types import Address


class TextLeaseTerms(Contract):
    """What Generations fixes about leases, beyond its interface."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("Generations", deployment.generations)

    def deposit_wei(self, at: Snapshot) -> int:
        """Deposit for a lease of one generation."""
        return int(self._read(at, "leaseDepositWei")[0])


class LeaseTerms(Contract):
    """What ClaimChain fixes about leases, beyond its interface."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("ClaimChain", deployment.claim_chain)

    def deposit_wei(self, at: Snapshot) -> int:
        """Deposit for each unclaimed request of a lease."""
        return int(self._read(at, "leaseDepositWei")[0])


class Purse:
    """The balance of one account at one block, spent in thought."""

    def __init__(self, deployment: Deployment, at: Snapshot, account: Address) -> None:
        self._left = Vault(deployment).balance_of(at, account)

    def take(self, amount_wei: int) -> int:
        """Takes an amount; returns how much of it has to be sent along."""
        missing = max(0, amount_wei - self._left)
        self._left = max(0, self._left - amount_wei)
        return missing
