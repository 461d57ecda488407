"""The sequencer's sight of the chain: what one block says about a request, and batches put into lane 1.

Implements SequencerChain and PosterChain. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.admission import Account, Circumstances
from rollup.chain.artifacts import abi_of
from rollup.chain.client import Client, Receipt, Snapshot
from rollup.chain.events import Decoder
from rollup.chain.inbox import Inbox
from rollup.chain.models import Models
from rollup.chain.sender import Sender
from rollup.chain.vault import Vault
from rollup.config import Deployment
from rollup.errors import BadInput, NotFound, Reverted, Unavailable
from rollup.events import Posted
from rollup.types import LANE_SEQUENCER, Address, Model, ModelId, PostTerms, Signed


class LaneReader:
    """SequencerChain over one RPC endpoint. Models and the minimum fee never change, so they are read once."""

    def __init__(self, client: Client, deployment: Deployment) -> None:
        self._client, self._inbox_address = client, deployment.inbox
        self._inbox, self._models, self._vault = Inbox(deployment), Models(deployment), Vault(deployment)
        self._known: dict[ModelId, Model] = {}
        self._min_fee_wei: int | None = None

    def circumstances(self, model: ModelId, requester: Address) -> Circumstances:
        """All read from one block. Raises NotFound for an unknown model, BadInput for a closed one, Unavailable."""
        at = self._client.at(self._client.head())
        known = self.model(model)
        if not self._models.is_open(at, model):
            raise BadInput(f"model 0x{model.hex()} takes no more requests: it was retired, or struck")
        return Circumstances(known, self._account(at, requester), self.min_fee_wei(), at.block.timestamp)

    def account(self, requester: Address) -> Account:
        return self._account(self._client.at(self._client.head()), requester)

    def min_fee_wei(self) -> int:
        if self._min_fee_wei is None:
            at = self._client.at(self._client.head())
            self._min_fee_wei = int(at.read(abi_of("Inbox"), self._inbox_address, "MIN_FEE_WEI")[0])
        return self._min_fee_wei

    def model(self, id_: ModelId) -> Model:
        """Raises NotFound if it is not registered."""
        if id_ not in self._known:
            try:
                self._known[id_] = self._models.model(self._client.at(self._client.head()), id_)
            except Reverted as error:
                if error.name != "UnknownModel":
                    raise
                raise NotFound(f"no model 0x{id_.hex()} is registered; of a family, name the bucket") from error
        return self._known[id_]

    def earliest_deadline(self, terms: PostTerms) -> int:
        return self._client.head().timestamp + self.model(terms.model).windows.challenge

    def lane_length(self) -> int:
        """Requests that the sequencer's lane holds."""
        return self._inbox.lane_length(self._client.at(self._client.head()), LANE_SEQUENCER)

    def sequencer(self) -> Address:
        """The one account that may post."""
        return self._inbox.sequencer(self._client.at(self._client.head()))

    def _account(self, at: Snapshot, requester: Address) -> Account:
        return Account(self._inbox.nonce_of(at, requester), self._vault.balance_of(at, requester))


class LaneWriter(LaneReader):
    """PosterChain: the one that may post. `timeout_seconds`: how long one call waits for a transaction."""

    def __init__(self, client: Client, deployment: Deployment, sender: Sender, timeout_seconds: float = 10.0) -> None:
        super().__init__(client, deployment)
        self._sender, self._timeout_seconds = sender, timeout_seconds
        self._decoder = Decoder.of_contracts()

    def post(self, terms: PostTerms, requests: Sequence[Signed]) -> Posted:
        """Posts once, however often it is called: the sender knows the call by its content, and nonces make it unique.

        Raises NotYet, Unavailable, Reverted, BadInput as PosterChain says.
        """
        return self._said(self._sender.send(self._inbox.post(terms, requests), self._timeout_seconds))

    def push(self) -> None:
        """Sends again what a reorg or a full pool has dropped."""
        self._sender.push()

    def _said(self, receipt: Receipt) -> Posted:
        timestamp = self._client.block(receipt.block_hash).timestamp
        for log in self._client.logs([self._inbox_address], receipt.block, receipt.block):
            if log.transaction == receipt.transaction and log.emitter == self._inbox_address:
                event = self._decoder.decode(log, timestamp)
                if isinstance(event, Posted):
                    return event
        raise Unavailable(f"block {receipt.block} was reorganised away while its post was read")
