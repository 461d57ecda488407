"""A deployed system with a registered model and the people who use it: sentences for tests against a real chain."""

from __future__ import annotations

from rollup.chain.claims import Claim, Claims
from rollup.chain.client import Receipt, Snapshot
from rollup.chain.disputes import Disputes
from rollup.chain.events import EventStream
from rollup.chain.follower import Follower
from rollup.chain.inbox import Inbox
from rollup.chain.models import Models
from rollup.chain.sender import Intent
from rollup.chain.vault import Vault
from rollup.codec import model_id, request_id
from rollup.config import Deployment
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    ClaimId,
    PostTerms,
    Request,
    RequestId,
    Signed,
    Wish,
)
from rollup.view import OrderedRequest, View
from tests.chain_fixture import EXECUTOR, REGISTRANT_BOND_WEI, SEQUENCER, USER, Anvil, anvil_key
from tests.rollup.story import MODEL

ENTRY = b"\x3f\x80\x00\x00\x40\x00\x00\x00"
INPUTS = bytes.fromhex("3f000000") * 4
FEE, TIP, LIFE = 10**15, 10**14, 500


class World:
    """Every deed waits for its receipt and for the view."""

    def __init__(self, anvil: Anvil, deployment: Deployment) -> None:
        self.anvil, self.deployment = anvil, deployment
        self.client = anvil.client()
        self.senders = {number: anvil.sender(number) for number in range(6)}
        self.inbox, self.models, self.vault = Inbox(deployment), Models(deployment), Vault(deployment)
        self.claims, self.disputes = Claims(deployment), Disputes(deployment)
        self.follower = Follower(View(deployment.domain), EventStream(self.client, deployment))
        self.model = model_id(MODEL)
        self.do(0, self.models.register(MODEL, REGISTRANT_BOND_WEI))

    @property
    def view(self) -> View:
        return self.follower.view

    @property
    def now(self) -> Snapshot:
        return self.anvil.snapshot()

    def do(self, who: int, intent: Intent) -> Receipt:
        receipt = self.senders[who].send(intent)
        self.follower.catch_up()
        return receipt

    def warp(self, seconds: int) -> None:
        self.anvil.warp(seconds)
        self.follower.catch_up()

    def requested(self, callback: Address = ZERO_ADDRESS) -> OrderedRequest:
        """The user asks in lane 0, inputs inline."""
        deadline = self.client.head().timestamp + LIFE
        gas = 100_000 if callback != ZERO_ADDRESS else 0
        nonce = self.inbox.nonce_of(self.now, anvil_key(USER).address)
        wish = Wish(self.model, INPUTS, BundleRoot(ZERO_WORD), FEE, TIP, 10**16, deadline, callback, gas)
        self.do(USER, self.inbox.request(wish, turn=str(nonce)))
        return list(self.view.state.requests.values())[-1]

    def posted(self, count: int, first_nonce: int) -> list[RequestId | None]:
        """The sequencer posts the user's signed requests; the last of them is not signed by the user."""
        terms = PostTerms(self.model, FEE, TIP, 10**16, self.client.head().timestamp + LIFE, ZERO_ADDRESS, 0)
        signed = [self._signed(terms, first_nonce + i, USER if i < count - 1 else SEQUENCER) for i in range(count)]
        self.do(SEQUENCER, self.inbox.post(terms, signed))
        return list(list(self.view.state.request_batches.values())[-1].requests)

    def _signed(self, terms: PostTerms, nonce: int, signer: int) -> Signed:
        spec = TensorSpec.from_header(MODEL.inputs[0].header)
        root = Bundle([Tensor(spec, INPUTS).root]).root
        request = Request(
            anvil_key(USER).address, nonce, 0, terms.model, root, ZERO_WORD, ZERO_WORD, terms.fee_wei, terms.tip_wei,
            terms.min_bond_wei, terms.deadline, terms.callback, terms.callback_gas,
        )  # fmt: skip
        signature = anvil_key(signer).sign_digest(request_id(request, self.deployment.domain))
        return Signed(request.requester, nonce, INPUTS, root, signature)

    def claimed(self, request: OrderedRequest, who: int = EXECUTOR) -> ClaimId:
        """Leases and claims one request, with the least bond and a bit, from a deposit that comes along."""
        batch = self.view.batch_of(request).batch
        address = anvil_key(who).address
        bond = 2 * self.claims.minimum_bond(self.now, batch, request.refutations, payer=address)
        turn = str(request.attempts)
        self.do(who, self.claims.lease(batch, request.scope, turn, value_wei=10**15))
        claim = Claim(batch, request.index, 1, (request.index,), (ENTRY,), False, bond)
        self.do(who, self.claims.claim(claim, turn, value_wei=bond))
        return self.view.request(request.id).claims[-1]
