"""Claims of scores as JSON."""

from __future__ import annotations

from api.answers.claims import certainty_text
from api.schemas import ScoresJson, to_hex
from rollup.types import Certainty
from rollup.view import MadeScores


def scores_state(scores: MadeScores, now: int) -> ScoresJson:
    provisional = scores.certainty is Certainty.PROVISIONAL
    return ScoresJson(
        id=to_hex(scores.id),
        executor=to_hex(scores.executor),
        certainty=certainty_text(scores.certainty),
        bond_wei=str(scores.claim.claims.bond_wei),
        items=scores.claim.count,
        disputed=len(scores.disputed),
        claimed_at=scores.claimed_at,
        final_from=scores.final_from,
        seconds_left=max(0, scores.final_from - now) if provisional else None,
    )
