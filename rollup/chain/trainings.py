"""Trainings: networks to order. One method a function; see ITrainings.sol for what each does and raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.properties.types import (
    Commit,
    OpenedItem,
    PoolItem,
    StrayElement,
    Training,
    TrainingId,
    TrainingState,
    TrainingTerms,
    Unmasking,
)
from rollup.types import Address, BundleRoot, Certainty, ClaimBatch, ModelId


@dataclass(frozen=True)
class ScoreCall:
    """Arguments of one `score` call: commitment `number`, its secret, and the scores (big-endian f32) of `items`."""

    number: int
    weights_root: BundleRoot
    salt: bytes
    items: tuple[BundleRoot, ...]
    scores: bytes
    bond_wei: int


class Trainings(Contract):
    """Money in wei. `turn` tells a deed from an equal one of another time."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("ITrainings", deployment.trainings)

    def request(self, terms: TrainingTerms, turn: str) -> Intent:
        """Pays fee and bonus. `turn` is best the requester's next nonce."""
        return self._intent("request", terms, value_wei=terms.fee_wei + terms.bonus_wei, turn=turn)

    def encoded(self, terms: TrainingTerms) -> bytes:
        """The terms as Solidity encodes them, for a contract that asks."""
        # The call's only argument, and of fixed length: what follows the selector is the struct itself.
        return self._abi.encode_call("request", terms)[4:]

    def open(self, training: Training, items: Sequence[OpenedItem]) -> Intent:
        return self._intent("open", training, list(items))

    def commit(self, training: Training, commitment: bytes) -> Intent:
        """Pays the commit fee. A salt makes every commitment one of a kind."""
        return self._intent("commit", training, commitment, value_wei=training.terms.commit_fee_wei)

    def reveal(self, training: Training, pool_key: bytes) -> Intent:
        return self._intent("reveal", training, pool_key)

    def score(self, training: Training, call: ScoreCall, value_wei: int = 0) -> Intent:
        """`value_wei` is added to the caller's Vault balance first."""
        arguments = (call.number, call.weights_root, call.salt, list(call.items), call.scores, call.bond_wei)
        return self._intent("score", training, *arguments, value_wei=value_wei)

    def spoil(self, training: Training, item: PoolItem) -> Intent:
        return self._intent("spoil", training, item)

    def spoil_by_range(self, training: Training, shown: StrayElement) -> Intent:
        return self._intent("spoilByRange", training, shown)

    def unmask(self, training: Training, number: int, claims: ClaimBatch, shown: Unmasking) -> Intent:
        return self._intent("unmask", training, number, claims, shown)

    def settle(self, training: Training) -> Intent:
        return self._intent("settle", training)

    def training_id_of(self, at: Snapshot, training: Training) -> TrainingId:
        return TrainingId(self._read(at, "trainingIdOf", training)[0])

    def state_of(self, at: Snapshot, id_: TrainingId) -> TrainingState:
        return to_record(TrainingState, self._read(at, "stateOf", id_)[0])

    def commit_of(self, at: Snapshot, id_: TrainingId, number: int) -> Commit:
        return to_record(Commit, self._read(at, "commitOf", id_, number)[0])

    def trained(self, at: Snapshot, id_: TrainingId) -> tuple[ModelId, Certainty]:
        """The trained model, and how sure it is: NONE, PROVISIONAL (scores stand, no model yet), FINAL."""
        model, certainty = self._read(at, "trained", id_)
        return ModelId(model), Certainty(certainty)

    def sealed_index(self, at: Snapshot, seed: bytes, pool_count: int, open_count: int, item: int) -> int:
        return int(self._read(at, "sealedIndex", seed, pool_count, open_count, item)[0])

    def nonce_of(self, at: Snapshot, requester: Address) -> int:
        return int(self._read(at, "nonceOf", requester)[0])
