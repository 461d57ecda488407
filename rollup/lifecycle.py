"""Which certainty a claim may have after which: one table, not scattered ifs.

Void has no way in: requests have no parents, and it is for the children of fallen ones. Knows nothing of time or money.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollup.errors import Doubt
from rollup.types import Certainty

# From a certainty to those that may follow. An acquitted claim is Provisional again and can still fall until it is
# final; a claim with an eager trace falls in the transaction that challenges it.
MOVES: Mapping[Certainty, frozenset[Certainty]] = {
    Certainty.NONE: frozenset({Certainty.PROVISIONAL}),
    Certainty.PROVISIONAL: frozenset(
        {Certainty.CHALLENGED, Certainty.FINAL, Certainty.UNDEFINED, Certainty.REJECTED, Certainty.REFUTED}
    ),
    Certainty.CHALLENGED: frozenset({Certainty.PROVISIONAL, Certainty.REJECTED, Certainty.REFUTED}),
    Certainty.FINAL: frozenset(),
    Certainty.REJECTED: frozenset(),
    Certainty.REFUTED: frozenset(),
    Certainty.VOID: frozenset(),
    Certainty.UNDEFINED: frozenset(),
}
# Nothing more can be said against it; UNDEFINED where the claim named an overflow in place of an output.
ENDED = frozenset({Certainty.FINAL, Certainty.UNDEFINED})
# A request with such a claim cannot be claimed.
STANDING = frozenset({Certainty.PROVISIONAL, Certainty.CHALLENGED}) | ENDED
FALLEN = frozenset({Certainty.REJECTED, Certainty.REFUTED, Certainty.VOID})


def moved(before: Certainty, after: Certainty, contested: bool) -> Certainty:
    """`after`, if a claim may go there from `before`.

    `contested`: whether it was challenged before, for a claim falls, and is challenged, at most once. Raises Doubt for
    an impossible move: then this view and the chain disagree.
    """
    possible = after in MOVES[before]
    if before is Certainty.PROVISIONAL:
        possible &= contested is (after in FALLEN) or after in ENDED
    if not possible:
        raise Doubt(f"a claim cannot go from {before.name} to {after.name}{' once contested' if contested else ''}")
    return after
