"""DisputeGame: challenge, open, demand, supply, prove, conclude. See IDisputeGame.sol for what each does and raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.types import (
    Address,
    ClaimBatch,
    ClaimId,
    ClaimWitness,
    Dispute,
    FaultProof,
    LeafRef,
    Opening,
    StepProof,
    TraceOpening,
)


@dataclass(frozen=True)
class Supply:
    """Leaves of one demand page: `refs` are all of the page, the rest is one for each of `positions`."""

    page: int
    refs: tuple[LeafRef, ...]
    positions: tuple[int, ...]
    steps: tuple[StepProof, ...]
    openings: tuple[Opening, ...]


class Disputes(Contract):
    """Money in wei; `value_wei` is added to the caller's Vault balance first."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IDisputeGame", deployment.dispute_game)

    def challenge(self, witness: ClaimWitness, value_wei: int = 0) -> Intent:
        return self._intent("challenge", witness, value_wei=value_wei)

    def open(self, claims: ClaimBatch, openings: Sequence[TraceOpening]) -> Intent:
        return self._intent("open", claims, list(openings))

    def demand(
        self, witness: ClaimWitness, refs: Sequence[LeafRef], steps: Sequence[StepProof], value_wei: int = 0
    ) -> Intent:
        return self._intent("demand", witness, list(refs), list(steps), value_wei=value_wei)

    def supply(self, witness: ClaimWitness, supply: Supply) -> Intent:
        lists = (list(supply.refs), list(supply.positions), list(supply.steps), list(supply.openings))
        return self._intent("supply", witness, supply.page, *lists)

    def prove(self, witness: ClaimWitness, proof: FaultProof) -> Intent:
        return self._intent("prove", witness, proof)

    def prove_eager(self, witness: ClaimWitness, proof: FaultProof) -> Intent:
        return self._intent("proveEager", witness, proof)

    def conclude(self, witness: ClaimWitness) -> Intent:
        return self._intent("conclude", witness)

    def dispute_of(self, at: Snapshot, claim: ClaimId) -> Dispute:
        return to_record(Dispute, self._read(at, "disputeOf", claim)[0])

    def challenge_bond(self, at: Snapshot, claim_bond_wei: int, payer: Address) -> int:
        """Bond of a challenge at the snapshot's base fee, wei. `payer`: any account with some wei."""
        return int(self._read(at, "challengeBond", claim_bond_wei, payer=payer)[0])

    def demand_deposit(self, at: Snapshot, leaves: int, payer: Address) -> int:
        """Deposit for a demand at the snapshot's base fee, wei. `payer`: any account with some wei."""
        return int(self._read(at, "demandDeposit", leaves, payer=payer)[0])
