"""Moves to transactions: reads a claim's position at one block, checks every move against the rules, simulates, sends.

Somebody who was faster is progress, not an error. Decides nothing.
"""

from __future__ import annotations

import structlog

from prover.position import Challenge, ClaimMove, Conclude, Demand, Opinion, Position, Prove, Withdraw
from prover.rules import require_honest
from rollup.chain.client import Client, Snapshot
from rollup.chain.disputes import Disputes
from rollup.chain.sender import Intent, Sender
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.errors import Refused
from rollup.graph import Graph
from rollup.types import Address, ClaimId, StepProof
from rollup.view import View

# Kept in the account for gas: a fault proof of the largest size at a high price.
GAS_RESERVE_WEI = 10**17
_log = structlog.get_logger()


class Disputer:
    """The hands of a watchtower. Without a sender it reads and never acts."""

    def __init__(self, client: Client, deployment: Deployment, sender: Sender | None) -> None:
        self._client, self._sender = client, sender
        self._disputes, self._vault = Disputes(deployment), Vault(deployment)

    @property
    def address(self) -> Address | None:
        return self._sender.address if self._sender is not None else None

    def snapshot(self) -> Snapshot:
        return Snapshot(self._client, self._client.head())

    def position(self, view: View, claim: ClaimId, at: Snapshot) -> Position:
        """The claim and its dispute as of the snapshot's block."""
        made, me = view.claim(claim), self.address
        windows = view.model(view.request(made.request).request.model).windows
        payer = me or made.executor
        return Position(
            claim=claim,
            executor=made.executor,
            eager=made.eager,
            claimed_at=made.claimed_at,
            certainty=made.certainty,
            dispute=self._disputes.dispute_of(at, claim),
            windows=windows,
            now=at.block.timestamp,
            me=me,
            balance_wei=self.balance(at),
            challenge_bond_wei=self._disputes.challenge_bond(at, made.bond_wei, payer),
            leaf_deposit_wei=self._disputes.demand_deposit(at, 1, payer),
        )

    def balance(self, at: Snapshot) -> int:
        """What can be bonded: all in the Vault, and in the account above the reserve for gas."""
        if self.address is None:
            return 0
        spare = max(0, at.balance(self.address) - GAS_RESERVE_WEI)
        return self._vault.balance_of(at, self.address) + spare

    def vault_balance(self, at: Snapshot) -> int:
        return self._vault.balance_of(at, self.address) if self.address is not None else 0

    def act(self, view: View, move: ClaimMove, seen: tuple[Position, Opinion], graph: Graph) -> bool:
        """Sends one move and waits for it; whether it took effect. Raises Doubt for a move no honest party makes."""
        require_honest(move, *seen)
        return self._send(self._intent(view, move, graph, self.snapshot()))

    def withdraw(self, move: Withdraw) -> bool:
        if self._sender is None:
            return False
        turn = str(self._client.nonce(self._sender.address))
        return self._send(self._vault.withdraw(self._sender.address, move.amount_wei, turn))

    def _send(self, intent: Intent) -> bool:
        if self._sender is None:
            return False
        try:
            receipt = self._sender.send(intent)
        except Refused as error:
            _log.info("watchtower.refused", intent=intent.key, error=str(error))
            return False
        _log.info("watchtower.acted", intent=intent.key, gas=receipt.gas_used)
        return True

    def _intent(self, view: View, move: ClaimMove, graph: Graph, at: Snapshot) -> Intent:
        witness = view.witness(move.claim)
        match move:
            case Challenge(_, bond_wei):
                return self._disputes.challenge(witness, self._short_of(bond_wei, at))
            case Prove(_, fault, eager):
                send = self._disputes.prove_eager if eager else self._disputes.prove
                return send(witness, fault.proof)
            case Demand(_, leaves, deposit_wei):
                steps = [StepProof(graph.steps[ref.step].record, graph.step_path(ref.step)) for ref in leaves]
                return self._disputes.demand(witness, leaves, steps, self._short_of(deposit_wei, at))
            case Conclude():
                return self._disputes.conclude(witness)

    def _short_of(self, amount_wei: int, at: Snapshot) -> int:
        """What must be sent along because the Vault does not hold it; a little more, for a rising base fee."""
        return max(0, amount_wei + amount_wei // 4 - self.vault_balance(at))
