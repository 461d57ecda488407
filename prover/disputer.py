"""Moves to transactions: a claim's position as of the view's block, every move checked against the rules, then sent.

Nothing is waited for: the next block shows what became of it, and a move that the chain does not show yet is the same
transaction, not another. Somebody who was faster is progress, not an error. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import structlog

from prover.pool_rules import require_honest_pool
from prover.position import (
    Challenge,
    ClaimMove,
    Conclude,
    Condemn,
    Demand,
    Opinion,
    PoolMove,
    PoolPosition,
    Position,
    Prove,
    Spoil,
    SpoilByRange,
    Unmask,
    Withdraw,
)
from prover.rules import require_honest
from prover.strikes import Strike, StrikePosition, require_honest_strike
from rollup.chain.client import Client, Snapshot
from rollup.chain.disputes import Disputes
from rollup.chain.models import Models
from rollup.chain.scores import Scores
from rollup.chain.sender import Intent, Sender
from rollup.chain.trainings import Trainings
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.errors import NotFound, NotYet, Refused
from rollup.graph import Graph
from rollup.types import (
    DISPUTES_PER_DOUBLING,
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    ClaimId,
    Dispute,
    DisputeStatus,
    Model,
    ModelId,
    StepPlace,
)
from rollup.view import MadeClaim, View

# Kept in the account for gas: a fault proof of the largest size at a high price.
GAS_RESERVE_WEI = 10**17
_UNTOUCHED = Dispute(DisputeStatus.NONE, ZERO_ADDRESS, 0, 0, 0, 0, 0, 0, BundleRoot(ZERO_WORD))
_log = structlog.get_logger()


@dataclass
class Look:
    """The chain as of one block, and the money that no move of this look has taken yet: in the Vault, and in the
    account above the reserve for gas. Prices are asked once."""

    at: Snapshot
    vault_wei: int = 0
    account_wei: int = 0
    leaf_deposit_wei: int = 0
    bonds: dict[int, int] = field(default_factory=dict)

    @property
    def balance_wei(self) -> int:
        return self.vault_wei + self.account_wei

    def take(self, amount_wei: int) -> int:
        """Reserves an amount, and a quarter for a rising base fee; returns what must be sent along for it."""
        wanted = amount_wei + amount_wei // 4
        kept = min(wanted, self.vault_wei)
        sent = min(wanted - kept, self.account_wei)
        self.vault_wei -= kept
        self.account_wei -= sent
        return sent


class Disputer:
    """The hands of a watchtower. Without a sender it reads and never acts.

    `challenges_unserved`: its operator stakes money on outputs that nobody serves.
    """

    def __init__(
        self, client: Client, deployment: Deployment, sender: Sender | None, challenges_unserved: bool = False
    ) -> None:
        self._client, self._sender, self._challenges_unserved = client, sender, challenges_unserved
        self._disputes, self._vault = Disputes(deployment), Vault(deployment)
        self._trainings, self._scores = Trainings(deployment), Scores(deployment)
        self._models = Models(deployment)
        # What was sent and may not show yet, by claim, move and the state of the dispute that it was made in.
        self._sent: dict[tuple[bytes, str, DisputeStatus, int], Intent] = {}

    @property
    def address(self) -> Address | None:
        return self._sender.address if self._sender is not None else None

    def look(self, view: View) -> Look:
        """Money and prices as of the view's block; pushes what is in flight. Raises NotYet if that block is gone."""
        try:
            at = Snapshot(self._client, self._client.block(view.block_hash))
        except NotFound as error:
            raise NotYet(f"the chain is being reorganised: {error}") from error
        if self._sender is None:
            return Look(at)
        self._sender.push()
        me = self._sender.address
        spare = max(0, at.balance(me) - GAS_RESERVE_WEI)
        return Look(at, self._vault.balance_of(at, me), spare, self._disputes.demand_deposit(at, 1, me))

    def challenge_bond(self, look: Look, claim_bond_wei: int) -> int:
        """Zero without a sender."""
        if self._sender is None:
            return 0
        if claim_bond_wei not in look.bonds:
            bond = self._disputes.challenge_bond(look.at, claim_bond_wei, self._sender.address)
            look.bonds[claim_bond_wei] = bond
        return look.bonds[claim_bond_wei]

    def position(self, view: View, made: MadeClaim, look: Look) -> Position:
        """The claim and its dispute; all of one block, the view's."""
        scores = view.state.scores.get(made.batch)
        siblings = len(scores.disputed - {made.index}) if scores is not None else 0
        return Position(
            claim=made.id,
            executor=made.executor,
            eager=made.eager,
            claimed_at=made.claimed_at,
            certainty=made.certainty,
            dispute=dispute_of(view, made.id),
            windows=view.model(view.request(made.request).request.model).windows,
            now=view.now,
            me=self.address,
            balance_wei=look.balance_wei,
            challenge_bond_wei=self.challenge_bond(look, made.bond_wei) << siblings // DISPUTES_PER_DOUBLING,
            leaf_deposit_wei=look.leaf_deposit_wei,
            challenges_unserved=self._challenges_unserved,
            siblings=siblings,
            is_scored=scores is not None,
            kept_open_until=scores.window_end if scores is not None else 0,
        )

    def act(self, view: View, move: ClaimMove, seen: tuple[Position, Opinion], look: Look, graph: Graph) -> None:
        """Sends one move, or what was sent for it before. Raises Doubt for a move no honest party makes."""
        position, opinion = seen
        require_honest(move, position, opinion)
        key = (move.claim, type(move).__name__, position.dispute.status, position.dispute.demanded)
        self._send(key, self._intent(view, move, graph, look))

    def strike_position(self, look: Look, id_: ModelId, record: Model, place: StepPlace) -> StrikePosition:
        """What a malformed model has at stake as of the look's block."""
        bond = self._models.bond_of(look.at, id_)
        return StrikePosition(id_, record, place, bond, look.at.block.base_fee_wei, self.address)

    def strike(self, move: Strike, position: StrikePosition) -> None:
        """Sends a strike. Raises Doubt for one that no honest party makes."""
        require_honest_strike(move, position)
        self._send((move.model, "Strike", DisputeStatus.NONE, 0), self._models.strike(move.model, move.place))

    def act_on_pool(self, view: View, move: PoolMove, position: PoolPosition) -> None:
        """Sends one move about a pool. Raises Doubt for one that no honest party makes."""
        require_honest_pool(move, position)
        training = view.training(position.training).training
        match move:
            case Spoil(training=id_):
                intent = self._trainings.spoil(training, move.item)
            case SpoilByRange(training=id_):
                intent = self._trainings.spoil_by_range(training, move.shown)
            case Unmask(claim=id_):
                intent = self._trainings.unmask(training, move.number, move.pooled.claim.claims, move.shown)
            case Condemn(claim=id_):
                intent = self._scores.condemn(move.requests, move.claims, move.shown)
        self._send((id_, type(move).__name__, DisputeStatus.NONE, 0), intent)

    def _send(self, key: tuple[bytes, str, DisputeStatus, int], intent: Intent) -> None:
        is_new = key not in self._sent
        intent = self._sent.setdefault(key, intent)
        if not self._submit(intent):
            del self._sent[key]
        elif is_new:
            _log.info("watchtower.move", move=key[1], claim=key[0].hex(), intent=intent.key)

    def forget(self, live: Collection[bytes]) -> None:
        """Drops what was sent about claims and trainings that are over."""
        self._sent = {key: intent for key, intent in self._sent.items() if key[0] in live}

    def withdraw(self, move: Withdraw) -> None:
        if self._sender is not None:
            turn = str(self._client.nonce(self._sender.address))
            self._submit(self._vault.withdraw(self._sender.address, move.amount_wei, turn))

    def _submit(self, intent: Intent) -> bool:
        if self._sender is None:
            return False
        try:
            self._sender.submit(intent)
        except Refused as error:
            _log.info("watchtower.refused", intent=intent.key, error=str(error))
            return False
        return True

    def _intent(self, view: View, move: ClaimMove, graph: Graph, look: Look) -> Intent:
        witness = view.witness(move.claim)
        match move:
            case Challenge(_, bond_wei):
                return self._disputes.challenge(witness, look.take(bond_wei))
            case Prove(_, fault, eager):
                send = self._disputes.prove_eager if eager else self._disputes.prove
                return send(witness, fault.proof)
            case Demand(_, leaves, deposit_wei):
                steps = [graph.step_proof(ref.step) for ref in leaves]
                return self._disputes.demand(witness, leaves, steps, look.take(deposit_wei))
            case Conclude():
                return self._disputes.conclude(witness)


def dispute_of(view: View, claim: ClaimId) -> Dispute:
    """The chain's record of a dispute, as its events tell it; of the challenge's cost they tell nothing: 0 here."""
    state = view.state.disputes.get(claim)
    if state is None:
        return _UNTOUCHED
    return Dispute(
        status=state.status,
        challenger=state.challenger,
        bond_wei=state.bond_wei,
        cost_wei=0,
        challenged_at=state.challenged_at,
        opened_at=state.opened_at,
        demanded=sum(len(page.refs) for page in state.pages),
        supplied=sum(len(page.supplied) for page in state.pages),
        trace_root=state.trace_root,
    )
