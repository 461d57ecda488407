"""Requests: as they are submitted, as they are promised a place, as they stand."""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.schemas.claims import ClaimJson
from api.schemas.values import MAX_UINT64, AddressText, Json, SignatureText, Wei, Word, from_hex, to_hex
from rollup.journal import SignedRequest
from rollup.receipts import SignedReceipt
from rollup.types import ZERO_ADDRESS, ZERO_WORD, Address, BundleRoot, ModelId, Request


class RequestJson(Json):
    """A request, field by field as it is signed (EIP-712, PROTOCOL.md 2.5)."""

    requester: AddressText
    nonce: int = Field(ge=0, le=MAX_UINT64)
    kind: int = Field(default=0, ge=0, le=255)
    model: Word
    inputs_root: Word
    property: Word = to_hex(ZERO_WORD)
    parents: Word = to_hex(ZERO_WORD)
    fee_wei: Wei
    tip_wei: Wei = "0"
    min_bond_wei: Wei = "0"
    deadline: int = Field(ge=0, lt=2**40)
    callback: AddressText = to_hex(ZERO_ADDRESS)
    callback_gas: int = Field(default=0, ge=0, lt=2**32)

    def to_record(self) -> Request:
        return Request(
            Address(from_hex(self.requester)),
            self.nonce,
            self.kind,
            ModelId(from_hex(self.model)),
            BundleRoot(from_hex(self.inputs_root)),
            from_hex(self.property),
            from_hex(self.parents),
            int(self.fee_wei),
            int(self.tip_wei),
            int(self.min_bond_wei),
            self.deadline,
            Address(from_hex(self.callback)),
            self.callback_gas,
        )

    @classmethod
    def of(cls, request: Request) -> RequestJson:
        values: dict[str, Any] = {name: getattr(request, name) for name in cls.model_fields}
        return cls.model_validate(
            {name: to_hex(value) if isinstance(value, bytes) else value for name, value in values.items()}
        )


def _decoded(text: str) -> str:
    """Inputs as 0x-hex, whichever way they came."""
    if text.startswith("0x"):
        try:
            return to_hex(bytes.fromhex(text[2:]))
        except ValueError:
            raise ValueError("inputs that begin with 0x must be hex") from None
    try:
        return to_hex(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise ValueError("inputs must be 0x-hex or base64") from None


class SubmissionJson(Json):
    """A signed request. `inputs`: canonical bytes of all input tensors, concatenated, as 0x-hex or base64; empty where
    `inputs_root` names inputs that are kept here already."""

    request: RequestJson
    inputs: Annotated[str, AfterValidator(_decoded)] = "0x"
    signature: SignatureText

    def to_record(self) -> SignedRequest:
        return SignedRequest(self.request.to_record(), from_hex(self.inputs), from_hex(self.signature))


class ReceiptJson(Json):
    """The sequencer's signed promise: requests of smaller `n` come before this one."""

    request: Word
    n: int
    issued_at: int
    signature: SignatureText

    @classmethod
    def of(cls, signed: SignedReceipt) -> ReceiptJson:
        receipt = signed.receipt
        return cls(
            request=to_hex(receipt.request),
            n=receipt.n,
            issued_at=receipt.issued_at,
            signature=to_hex(signed.signature),
        )


class Status(StrEnum):
    """Where a request stands. FINAL, UNDEFINED, REFUNDED, EMPTY and DROPPED are the ends."""

    ACCEPTED = "accepted"
    ORDERED = "ordered"
    CLAIMED = "claimed"
    FINAL = "final"
    UNDEFINED = "undefined"
    REFUNDED = "refunded"
    EMPTY = "empty"
    DROPPED = "dropped"


class RequestStateJson(Json):
    """One request. `n`: its place in line, if signed; `lane`, `number`: its place on chain, once it is ordered."""

    id: Word
    status: Status
    certainty: str
    n: int | None
    lane: int | None
    number: int | None
    batch: Word | None
    index: int | None
    empty_reason: str | None
    seconds_left: int | None
    attempts: int
    request: RequestJson
    claim: ClaimJson | None
