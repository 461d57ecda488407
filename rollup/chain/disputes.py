"""DisputeGame: challenge, open, demand, supply, prove, conclude. See IDisputeGame.sol for what each does and raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.properties.types import LANE_SCORES
from rollup.types import (
    LANE_L1,
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


class _Game(Contract):
    """One of the two, by the interface that both have."""

    def intent(self, function: str, *arguments: Any, value_wei: int = 0) -> Intent:
        return self._intent(function, *arguments, value_wei=value_wei)

    def read(self, at: Snapshot, function: str, *arguments: Any, payer: Address | None = None) -> tuple[Any, ...]:
        return self._read(at, function, *arguments, payer=payer)


class Disputes:
    """The two games: of claims on requests, and of the items of claims of scores. A claim's lane says which is its own.

    Money in wei; `value_wei` is added to the caller's Vault balance first.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._game = _Game("IDisputeGame", deployment.dispute_game)
        self._score_game = _Game("IDisputeGame", deployment.score_game)

    def _of(self, lane: int) -> _Game:
        return self._score_game if lane == LANE_SCORES else self._game

    def challenge(self, witness: ClaimWitness, value_wei: int = 0) -> Intent:
        return self._of(witness.requests.lane).intent("challenge", witness, value_wei=value_wei)

    def open(self, claims: ClaimBatch, openings: Sequence[TraceOpening], lane: int = LANE_L1) -> Intent:
        """`lane`: of the requests that the claims answer."""
        return self._of(lane).intent("open", claims, list(openings))

    def demand(
        self, witness: ClaimWitness, refs: Sequence[LeafRef], steps: Sequence[StepProof], value_wei: int = 0
    ) -> Intent:
        return self._of(witness.requests.lane).intent("demand", witness, list(refs), list(steps), value_wei=value_wei)

    def supply(self, witness: ClaimWitness, supply: Supply) -> Intent:
        lists = (list(supply.refs), list(supply.positions), list(supply.steps), list(supply.openings))
        return self._of(witness.requests.lane).intent("supply", witness, supply.page, *lists)

    def prove(self, witness: ClaimWitness, proof: FaultProof) -> Intent:
        return self._of(witness.requests.lane).intent("prove", witness, proof)

    def prove_eager(self, witness: ClaimWitness, proof: FaultProof) -> Intent:
        return self._of(witness.requests.lane).intent("proveEager", witness, proof)

    def conclude(self, witness: ClaimWitness) -> Intent:
        return self._of(witness.requests.lane).intent("conclude", witness)

    def dispute_of(self, at: Snapshot, claim: ClaimId, lane: int = LANE_L1) -> Dispute:
        return to_record(Dispute, self._of(lane).read(at, "disputeOf", claim)[0])

    def challenge_bond(self, at: Snapshot, claim_bond_wei: int, payer: Address) -> int:
        """Bond of a challenge at the snapshot's base fee, wei, in either game. `payer`: any account with some wei.

        The game of scores asks for twice that with every `DISPUTES_PER_DOUBLING` other items of the claim in dispute.
        """
        return int(self._game.read(at, "challengeBond", claim_bond_wei, payer=payer)[0])

    def demand_deposit(self, at: Snapshot, leaves: int, payer: Address) -> int:
        """Deposit for a demand at the snapshot's base fee, wei, in either game. `payer`: any account with some wei."""
        return int(self._game.read(at, "demandDeposit", leaves, payer=payer)[0])
