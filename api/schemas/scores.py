"""Claims of scores."""

from __future__ import annotations

from api.schemas.values import AddressText, Json, Wei, Word


class ScoresJson(Json):
    """One claim of scores, which stands or falls as a whole; its items are claims and disputes of their own.

    `disputed`: items in dispute now. `seconds_left`: until it can be final if nothing else happens; null once it cannot
    or is.
    """

    id: Word
    executor: AddressText
    certainty: str
    bond_wei: Wei
    items: int
    disputed: int
    claimed_at: int
    final_from: int
    seconds_left: int | None
