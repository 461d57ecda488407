"""Claims and their disputes."""

from __future__ import annotations

from fastapi import APIRouter

from api.answers import claim_state, dispute_state
from api.dependencies import AClaimId, TheWindow
from api.errors import documented
from api.schemas import ClaimJson, DisputeJson

router = APIRouter(prefix="/v1", tags=["claims"])


@router.get("/claims/{claim_id}", responses=documented(404, 422, 429, 503))
def read_claim(claim_id: AClaimId, window: TheWindow) -> ClaimJson:
    """One claim: who made it, its output, how sure it is."""
    with window.reading() as view:
        claim = view.claim(claim_id)
        return claim_state(claim, view.model(view.request(claim.request).request.model), view.now)


@router.get("/disputes/{claim_id}", responses=documented(404, 422, 429, 503))
def read_dispute(claim_id: AClaimId, window: TheWindow) -> DisputeJson:
    """The dispute of a claim: where it stands, and when it ends."""
    with window.reading() as view:
        return dispute_state(view.dispute(claim_id), view.now)
