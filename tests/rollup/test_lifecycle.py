"""The table of certainties, against the protocol's own list of legal moves."""

from __future__ import annotations

from itertools import product

import pytest

from rollup.errors import Doubt
from rollup.lifecycle import moved
from rollup.types import Certainty

# From, to, whether the claim was contested before: all that may ever happen (PROTOCOL.md, 4).
LEGAL = {
    (Certainty.NONE, Certainty.PROVISIONAL, False),
    (Certainty.PROVISIONAL, Certainty.CHALLENGED, False),
    (Certainty.PROVISIONAL, Certainty.FINAL, False),
    (Certainty.PROVISIONAL, Certainty.FINAL, True),
    (Certainty.PROVISIONAL, Certainty.UNDEFINED, False),
    (Certainty.PROVISIONAL, Certainty.UNDEFINED, True),
    (Certainty.PROVISIONAL, Certainty.REFUTED, True),
    (Certainty.PROVISIONAL, Certainty.REJECTED, True),
    (Certainty.CHALLENGED, Certainty.PROVISIONAL, True),
    (Certainty.CHALLENGED, Certainty.REFUTED, True),
    (Certainty.CHALLENGED, Certainty.REJECTED, True),
}


@pytest.mark.parametrize(("before", "after", "contested"), list(product(Certainty, Certainty, (False, True))))
def test_moved__allows_what_the_protocol_allows(before: Certainty, after: Certainty, contested: bool) -> None:
    if before in (Certainty.NONE, Certainty.CHALLENGED):
        # Whether a claim is contested follows from these.
        contested = before is Certainty.CHALLENGED
    if (before, after, contested) in LEGAL:
        assert moved(before, after, contested) is after
    else:
        with pytest.raises(Doubt, match=f"from {before.name} to {after.name}"):
            moved(before, after, contested)
