"""The Python SDK: deposit, sign, submit, follow, wait.

The key stays here: what is sent is signed. The server is not believed where it can be checked: ids are computed here,
and receipts must carry the sequencer's signature.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from api.schemas import ReceiptJson, RequestJson, from_hex, to_hex
from api.server import Server
from rollup.chain.client import Client
from rollup.chain.keys import Key, recover
from rollup.chain.sender import Intent, Sender
from rollup.chain.transactions import MemoryStore
from rollup.codec import Domain, request_id
from rollup.errors import (
    BadInput,
    Doubt,
    NotFound,
    NotYet,
    Unavailable,
)
from rollup.inputs import inputs_root
from rollup.properties.types import TrainingId
from rollup.receipts import Receipt, receipt_digest
from rollup.tensor import Tensor
from rollup.types import ZERO_ADDRESS, ZERO_WORD, Address, ModelId, Request, RequestId

RETRY_SECONDS = 0.5
# Requests whose terms are equal share a batch, so deadlines are rounded up to full minutes.
DEADLINE_GRAIN_SECONDS = 60
ENDS = ("final", "undefined", "refunded", "empty", "dropped")


@dataclass(frozen=True)
class Offer:
    """What is paid for an answer, wei, and for how long it may be claimed, seconds."""

    fee_wei: int
    tip_wei: int = 0
    min_bond_wei: int = 0
    life_seconds: int = 3600
    callback: Address = ZERO_ADDRESS
    callback_gas: int = 0


class AnhClient:
    """One account's dealings with one server. Not shared between threads: it counts the account's nonces.

    Errors are those of rollup/errors.py, as the server named them.
    """

    def __init__(self, url: str, key: bytes, transport: httpx.BaseTransport | None = None) -> None:
        self._key = Key.from_bytes(key)
        self.address = self._key.address
        self._buckets: dict[ModelId, list[dict[str, Any]]] = {}
        self._server = Server(url, transport)

    def close(self) -> None:
        self._server.close()

    @cached_property
    def system(self) -> dict[str, Any]:
        """Chain, contracts, sequencer, least fee."""
        return self._get("/v1/system")

    @property
    def domain(self) -> Domain:
        contracts = self.system["contracts"]
        inbox, claim_chain = (Address(from_hex(contracts[name])) for name in ("inbox", "claim_chain"))
        return Domain(self.system["chain_id"], inbox, claim_chain)

    def account(self) -> dict[str, Any]:
        """Next nonce, wei in the Vault, and how to deposit."""
        return self._get(f"/v1/accounts/{to_hex(self.address)}")

    def sign(self, request: Request) -> bytes:
        """65 bytes r | s | v over the request's EIP-712 digest."""
        return self._key.sign_digest(request_id(request, self.domain))

    def ask(self, model: ModelId, inputs: Sequence[Tensor], offer: Offer) -> RequestId:
        """Signs and submits one request with its inputs; returns its id once the server has it for sure.

        `model` may be a family: the shapes of the inputs say which of its buckets is asked.
        """
        return self.ask_all(model, [inputs], offer)[0]

    def ask_all(self, model: ModelId, inputs: Sequence[Sequence[Tensor]], offer: Offer) -> list[RequestId]:
        """The same, for many inputs under one offer; they share batches. Those before an error stay submitted."""
        nonce = int(self.account()["next_nonce"])
        deadline = -(-(int(time.time()) + offer.life_seconds) // DEADLINE_GRAIN_SECONDS) * DEADLINE_GRAIN_SECONDS
        return [
            self.submit(self._request(self._bucket(model, tensors), tensors, offer, nonce + number, deadline), tensors)
            for number, tensors in enumerate(inputs)
        ]

    def submit(self, request: Request, inputs: Sequence[Tensor]) -> RequestId:
        """Submits a request of one's own making. Its id is the idempotency key, so that it may be sent again.

        Raises Doubt if the receipt is not the sequencer's, or not for this request.
        """
        id_ = request_id(request, self.domain)
        body = {
            "request": RequestJson.of(request).model_dump(),
            "inputs": to_hex(b"".join(tensor.data for tensor in inputs)),
            "signature": to_hex(self.sign(request)),
        }
        answer = self._server.call("POST", "/v1/requests", json=body, headers={"Idempotency-Key": to_hex(id_)})
        self._require_receipt(ReceiptJson.model_validate(answer), id_)
        return id_

    def request(self, id_: RequestId) -> dict[str, Any]:
        """Where a request stands."""
        return self._get(f"/v1/requests/{to_hex(id_)}")

    def follow(self, id_: RequestId, seconds: float = math.inf) -> Iterator[dict[str, Any]]:
        """Each state of a request, until its end, until the server closes the stream, or for about so many seconds.

        Raises Unavailable if the server, which gives a sign of life every 15 s, gives none.
        """
        return self._server.follow(f"/v1/requests/{to_hex(id_)}/events", seconds)

    def wait(self, id_: RequestId, seconds: float) -> dict[str, Any]:
        """The end of a request. Raises NotYet if it has none within `seconds`."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            try:
                for state in self.follow(id_, left):
                    if state["status"] in ENDS:
                        return state
            except Unavailable:
                time.sleep(min(RETRY_SECONDS, max(0.0, limit - time.monotonic())))
        raise NotYet(f"request 0x{id_.hex()} has no end after {seconds:g} s")

    def training(self, id_: TrainingId) -> dict[str, Any]:
        """Where a training stands: phase, deadlines, commitments, curves, and the model once it is trained."""
        return self._get(f"/v1/trainings/{to_hex(id_)}")

    def generation(self, id_: RequestId) -> dict[str, Any]:
        """Where a generation stands, and its tokens once they are claimed."""
        return self._get(f"/v1/generations/{to_hex(id_)}")

    def trainings(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """All trainings, or those that stand there, the newest first; page by page."""
        return self._pages("trainings", status)

    def generations(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """All generations, or those that stand there, the newest first; page by page."""
        return self._pages("generations", status)

    def follow_training(self, id_: TrainingId, seconds: float = math.inf) -> Iterator[dict[str, Any]]:
        """Each state of a training and each epoch that executors tell of, as `follow` does."""
        return self._server.follow(f"/v1/trainings/{to_hex(id_)}/events", seconds)

    def follow_generation(self, id_: RequestId, seconds: float = math.inf) -> Iterator[dict[str, Any]]:
        """Each state of a generation, as `follow` does."""
        return self._server.follow(f"/v1/generations/{to_hex(id_)}/events", seconds)

    def _pages(self, noun: str, status: str | None) -> Iterator[dict[str, Any]]:
        offset: int | None = 0
        while offset is not None:
            wanted = {"offset": offset, **({} if status is None else {"status": status})}
            page = self._server.call("GET", f"/v1/{noun}", params=wanted)
            yield from page[noun]
            offset = page["next"]

    def deposit(self, rpc_url: str, amount_wei: int) -> None:
        """Puts wei into the Vault from this account's own balance, by a transaction over `rpc_url`."""
        how = self.account()["deposit"]
        client = Client.connect(rpc_url, self.system["chain_id"])
        sender = Sender(client, self._key, MemoryStore())
        sender.send(Intent("deposit", Address(from_hex(how["to"])), from_hex(how["data"]), amount_wei))

    def _bucket(self, model: ModelId, inputs: Sequence[Tensor]) -> ModelId:
        """The model itself, or the bucket of a family that takes such inputs. Raises BadInput if there is none."""
        if model not in self._buckets:
            try:
                self._buckets[model] = self._get(f"/v1/models/{to_hex(model)}/buckets")["buckets"]
            except NotFound:
                # Whether there is such a model is said where the request is taken.
                return model
        buckets = self._buckets[model]
        shapes = [[tensor.spec.dtype.name.lower(), list(tensor.spec.shape)] for tensor in inputs]
        for bucket in buckets:
            if len(buckets) == 1 or [[item["dtype"], item["shape"]] for item in bucket["inputs"]] == shapes:
                return ModelId(from_hex(bucket["id"]))
        raise BadInput(f"no bucket of 0x{model.hex()} takes inputs {shapes}")

    def _request(self, model: ModelId, inputs: Sequence[Tensor], offer: Offer, nonce: int, deadline: int) -> Request:
        return Request(
            self.address,
            nonce,
            0,
            model,
            inputs_root(inputs),
            ZERO_WORD,
            ZERO_WORD,
            offer.fee_wei,
            offer.tip_wei,
            offer.min_bond_wei,
            deadline,
            offer.callback,
            offer.callback_gas,
        )

    def _require_receipt(self, answer: ReceiptJson, id_: RequestId) -> None:
        receipt = Receipt(RequestId(from_hex(answer.request)), answer.n, answer.issued_at)
        signer = to_hex(recover(receipt_digest(receipt, self.domain), from_hex(answer.signature)))
        if receipt.request != id_ or signer != self.system["sequencer"]:
            raise Doubt(f"the receipt for 0x{id_.hex()} names {answer.request} and is signed by {signer}")

    def _get(self, path: str) -> dict[str, Any]:
        return self._server.call("GET", path)
