"""Generations: texts on request. One method a function; see IGenerations.sol for what each does and raises."""

from __future__ import annotations

from rollup.chain.abi import to_record
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.properties.types import Generation, GenerationState, GenerationTerms
from rollup.types import Address, ClaimBatch, RequestId


class Generations(Contract):
    """Money in wei; `value_wei` is added to the caller's Vault balance first.

    `turn` tells a deed from an equal one of another time.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IGenerations", deployment.generations)

    def request(self, terms: GenerationTerms, turn: str) -> Intent:
        """Pays the fee. `turn` is best the requester's next nonce."""
        return self._intent("request", terms, value_wei=terms.fee_wei, turn=turn)

    def draw(self, generation: Generation, turn: str = "") -> Intent:
        """`turn`: a draw that came too late moves the anchor, and is made again."""
        return self._intent("draw", generation, turn=turn)

    def take(self, generation: Generation, turn: str, value_wei: int = 0) -> Intent:
        """`turn`: a lease may be taken again."""
        return self._intent("take", generation, value_wei=value_wei, turn=turn)

    def claim(
        self, generation: Generation, said: tuple[bytes, bytes], bond_wei: int, turn: str = "", value_wei: int = 0
    ) -> Intent:
        """`said`: canonical bytes of the new tokens, and of their scores. `turn`: after a fall the same may be said."""
        return self._intent("claim", generation, *said, bond_wei, value_wei=value_wei, turn=turn)

    def reopen(self, generation: Generation, turn: str) -> Intent:
        """`turn`: claims may fall again."""
        return self._intent("reopen", generation, turn=turn)

    def settle(self, generation: Generation, claims: ClaimBatch, tokens: bytes, turn: str = "") -> Intent:
        """`turn`: a callback that failed may be fired again."""
        return self._intent("settle", generation, claims, tokens, turn=turn)

    def refund(self, generation: Generation) -> Intent:
        return self._intent("refund", generation)

    def uniforms_of(self, at: Snapshot, seed: bytes, count: int) -> bytes:
        return bytes(self._read(at, "uniformsOf", seed, count)[0])

    def generation_id_of(self, at: Snapshot, generation: Generation) -> RequestId:
        return RequestId(self._read(at, "generationIdOf", generation)[0])

    def state_of(self, at: Snapshot, id_: RequestId) -> GenerationState:
        return to_record(GenerationState, self._read(at, "stateOf", id_)[0])

    def nonce_of(self, at: Snapshot, requester: Address) -> int:
        return int(self._read(at, "nonceOf", requester)[0])
