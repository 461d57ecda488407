"""JSON in and out: bytes as 0x-hex, wei as decimal strings, moments in seconds since the Unix epoch.

Converts between JSON and the records of rollup/types.py, and decides nothing.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rollup.journal import SignedRequest
from rollup.receipts import SignedReceipt
from rollup.types import ZERO_ADDRESS, ZERO_WORD, Address, BundleRoot, ModelId, Request

MAX_UINT64 = 2**64 - 1


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _lower(text: str) -> str:
    return text.lower()


def _as_text(value: Any) -> Any:
    """Wei may come as JSON integers too; floats never."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Word = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", examples=["0x" + "00" * 32]), AfterValidator(_lower)]
AddressText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "00" * 20]), AfterValidator(_lower)]
Hex = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$"), AfterValidator(_lower)]
SignatureText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$"), AfterValidator(_lower)]
Wei = Annotated[str, Field(pattern=r"^[0-9]{1,29}$", examples=["1000000000"]), BeforeValidator(_as_text)]


class Json(BaseModel):
    model_config = ConfigDict(extra="forbid")


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


class OutputJson(Json):
    """A claimed output: canonical bytes and their values, or the tensor root of a larger one.

    Values that JSON has no number for are the strings "NaN", "Infinity", "-Infinity".
    """

    dtype: str
    shape: list[int]
    data: Hex | None = None
    values: list[float | int | str] | None = None
    root: Word | None = None


class OverflowJson(Json):
    """Where an honest run overflows: a step of the model's graph, and the flat index of an element of its result."""

    step: int
    element: int


class ClaimJson(Json):
    """One claim: of an output, or that there is none since an honest run overflows; the other one is null.

    `seconds_left`: until it can be final if nothing else happens; null once it cannot or is.
    """

    id: Word
    request: Word
    batch: Word
    index: int
    executor: AddressText
    certainty: str
    bond_wei: Wei
    claimed_at: int
    final_from: int
    seconds_left: int | None
    contested: bool
    trace_root: Word | None
    callback: str
    output: OutputJson | None
    overflow: OverflowJson | None


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


class DisputeJson(Json):
    """One dispute. `concludable_from`: when it can be ended if nothing else happens, seconds."""

    claim: Word
    status: str
    phase: str
    challenger: AddressText
    bond_wei: Wei
    challenged_at: int
    opened_at: int
    concludable_from: int
    trace_root: Word
    demanded: int
    missing: int


class InputJson(Json):
    dtype: str
    shape: list[int]
    lo: float | int
    hi: float | int


class ModelJson(Json):
    """One registered model; windows in seconds, bands as absolute differences."""

    id: Word
    graph_root: Word
    weights_root: Word
    numerics_root: Word
    inputs: list[InputJson]
    output: OutputJson
    output_band: float
    slash_band: float
    min_bond_gas: int
    windows: dict[str, int]
    open: bool = Field(description="whether requests are taken")


class ModelPageJson(Json):
    """A page of models in order of registration; `next` is the offset of the next page, null at the end."""

    models: list[ModelJson]
    next: int | None = Field(description="offset of the next page")


class BucketsJson(Json):
    """Models that one id stands for. A request names the one whose inputs have its shapes."""

    buckets: list[ModelJson]


class AccountJson(Json):
    """An account: the nonce of its next request, its wei in the Vault, and the call that deposits more.

    `reserved_wei`: fees and tips of accepted requests that are not on chain yet.
    """

    address: AddressText
    next_nonce: int
    balance_wei: Wei
    reserved_wei: Wei
    deposit: DepositJson


class DepositJson(Json):
    """Send any amount of wei with this calldata to the Vault; it is credited to the account."""

    to: AddressText
    data: Hex


class SystemJson(Json):
    """What a requester signs for, and with whom it deals."""

    chain_id: int
    contracts: dict[str, AddressText]
    sequencer: AddressText
    min_fee_wei: Wei


class HealthJson(Json):
    """`ok` or what is wrong, for each thing that is needed."""

    status: str
    chain: str
    journal: str
    redis: str
