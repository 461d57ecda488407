"""Claims, what they claim, and their disputes."""

from __future__ import annotations

from api.schemas.values import AddressText, Hex, Json, Wei, Word


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
