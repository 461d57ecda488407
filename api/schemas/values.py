"""How values are written: bytes as 0x-hex, wei as decimal strings, moments in seconds since the Unix epoch."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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
# What JSON has no number for is the string "NaN", "Infinity" or "-Infinity".
Real = float | str


class Json(BaseModel):
    model_config = ConfigDict(extra="forbid")
