"""The sequencer's front door: signed requests are checked, journalled, and answered with a signed receipt.

Refuses what Inbox would not take. Posts nothing (post.py does), runs no model, and asks the chain only through
SequencerChain, whose reads for one decision come from one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from rollup.admission import (
    Account,
    Circumstances,
    Due,
    require_in_turn,
    require_inputs,
    require_signer,
    require_terms,
    require_well_formed,
)
from rollup.blobs import Blobs
from rollup.codec import Domain, request_id
from rollup.errors import BadInput, Conflict, NotFound
from rollup.inputs import split_inputs
from rollup.journal import AcceptedRequest, Idempotency, Requests, SignedRequest
from rollup.receipts import Receipt, SignedReceipt, receipt_digest
from rollup.types import MAX_INLINE_INPUT_BYTES, Address, Model, ModelId, RequestId


class SequencerChain(Protocol):
    """What the sequencer asks the chain. Raises Unavailable."""

    def circumstances(self, model: ModelId, requester: Address) -> Circumstances:
        """Raises NotFound for a model that is not registered."""

    def account(self, requester: Address) -> Account: ...

    def min_fee_wei(self) -> int:
        """Least fee that Inbox takes."""

    def sequencer(self) -> Address:
        """The one account that may post."""


class Signer(Protocol):
    """The sequencer's key, and who signed what."""

    def sign_digest(self, digest: bytes) -> bytes: ...

    def recover(self, digest: bytes, signature: bytes) -> Address:
        """Raises BadSignature if nobody can have signed."""


class Sequencer:
    """Accepts requests. Threads and processes may share a journal; each request gets one place in line."""

    def __init__(self, requests: Requests, blobs: Blobs, chain: SequencerChain, signer: Signer, domain: Domain) -> None:
        self._requests, self._blobs, self._chain = requests, blobs, chain
        self._signer, self._domain = signer, domain

    def accept(self, signed: SignedRequest, idempotency: Idempotency | None = None) -> SignedReceipt:
        """Journals a request and returns the receipt for its place in line; durable before it returns.

        The same request again gets the same receipt. Raises BadInput (fields, fee, deadline, inputs, funds),
        BadSignature, NotFound (model, inputs given by root), Conflict (nonce, idempotency key), Unavailable.
        """
        request = signed.request
        require_well_formed(request)
        id_ = request_id(request, self._domain)
        require_signer(self._signer.recover(id_, signed.signature), request)
        accepted = self._requests.find_known(id_, request.requester, idempotency)
        if accepted is None:
            accepted = self._accept_new(id_, signed, idempotency)
        return self.receipt_of(accepted)

    def receipt_of(self, accepted: AcceptedRequest) -> SignedReceipt:
        """The receipt that was given for an accepted request: signatures are deterministic."""
        receipt = Receipt(accepted.id, accepted.n, accepted.accepted_at)
        return SignedReceipt(receipt, self._signer.sign_digest(receipt_digest(receipt, self._domain)))

    def _accept_new(self, id_: RequestId, signed: SignedRequest, idempotency: Idempotency | None) -> AcceptedRequest:
        """Chain and journal are looked at a moment apart, and a batch may be mined between: nobody is refused on one
        look.
        """
        with suppress(BadInput, Conflict):
            return self._accept_on_one_look(id_, signed, idempotency)
        return self._accept_on_one_look(id_, signed, idempotency)

    def _accept_on_one_look(
        self, id_: RequestId, signed: SignedRequest, idempotency: Idempotency | None
    ) -> AcceptedRequest:
        request = signed.request
        found = self._chain.circumstances(request.model, request.requester)
        require_terms(request, found.model, found.min_fee_wei, found.now)

        def check(open_dues: Sequence[Due]) -> None:
            require_in_turn(request, found.account, open_dues)

        # Once before anything is stored, and once more when no other request can come between.
        check(self._requests.dues_of(request.requester))
        kept = replace(signed, inputs=self._keep_inputs(signed, found.model))
        return self._requests.accept(id_, kept, found.now, check, idempotency)

    def _keep_inputs(self, signed: SignedRequest, model: Model) -> bytes:
        """What of the inputs travels inline; larger ones, and those given by root, are kept as blobs."""
        root = signed.request.inputs_root
        if not signed.inputs:
            if not self._blobs.exists(root):
                raise NotFound(f"no inputs came with the request, and none are kept under 0x{root.hex()}")
            return b""
        require_inputs(signed.request, signed.inputs, model)
        if len(signed.inputs) <= MAX_INLINE_INPUT_BYTES:
            return signed.inputs
        self._blobs.put_tensors(split_inputs(model.inputs, signed.inputs))
        return b""
