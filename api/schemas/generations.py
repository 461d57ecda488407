"""Generations: what is wished for, and the text that is claimed."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from api.schemas.claims import OutputJson
from api.schemas.scores import ScoresJson
from api.schemas.values import AddressText, Hex, Json, Real, Wei, Word


class GenerationStatusText(StrEnum):
    """Where a generation stands. FINAL and REFUNDED are the ends."""

    OPEN = "open"
    CLAIMED = "claimed"
    FINAL = "final"
    REFUNDED = "refunded"


class GenerationTermsJson(Json):
    """A wish for a text. `prompt`: canonical bytes of its tokens; every score must be at least -`delta`."""

    scorer: Word
    prompt: Hex
    new_tokens: int
    sampled: bool
    delta: Real
    fee_wei: Wei
    min_bond_wei: Wei
    deadline: int
    callback: AddressText
    callback_gas: int


class GenerationJson(Json):
    """One generation. `seed`: of its uniforms, once drawn. `lessee`: who alone may claim, until `leased_until`.

    `deadline`: as extended by claims that fell, of which there are `attempts`. `prompt` and `tokens`: decoded.
    """

    id: Word
    status: GenerationStatusText
    certainty: str
    requester: AddressText
    nonce: int
    requested_at: int
    terms: GenerationTermsJson
    deadline: int
    seed: Word | None
    lessee: AddressText | None
    leased_until: int | None
    attempts: int
    prompt: OutputJson
    tokens: OutputJson | None
    claim: ScoresJson | None
    callback: str


class GenerationPageJson(Json):
    """A page of generations, the newest first; `next` is the offset of the next page, null at the end."""

    generations: list[GenerationJson]
    next: int | None = Field(description="offset of the next page")
