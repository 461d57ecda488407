"""Claims and disputes as JSON."""

from __future__ import annotations

from api.answers.outputs import output_state
from api.schemas import ClaimJson, DisputeJson, OverflowJson, to_hex
from rollup.codec import Overflow
from rollup.tensor import TensorSpec
from rollup.types import Certainty, Model
from rollup.view import DisputeState, MadeClaim


def certainty_text(certainty: Certainty) -> str:
    return certainty.name.lower()


def seconds_left(claim: MadeClaim, now: int) -> int | None:
    """Until it can be final if nothing else happens; None once it cannot or is."""
    return max(0, claim.final_from - now) if claim.certainty is Certainty.PROVISIONAL else None


def claim_state(claim: MadeClaim, model: Model, now: int) -> ClaimJson:
    return ClaimJson(
        id=to_hex(claim.id),
        request=to_hex(claim.request),
        batch=to_hex(claim.batch),
        index=claim.index,
        executor=to_hex(claim.executor),
        certainty=certainty_text(claim.certainty),
        bond_wei=str(claim.bond_wei),
        claimed_at=claim.claimed_at,
        final_from=claim.final_from,
        seconds_left=seconds_left(claim, now),
        contested=claim.contested,
        trace_root=to_hex(claim.trace_root) if claim.trace_root else None,
        callback=claim.delivery.name.lower(),
        output=None if claim.undefined else output_state(TensorSpec.from_header(model.output_header), claim.output),
        overflow=_overflow(claim) if claim.undefined else None,
    )


def _overflow(claim: MadeClaim) -> OverflowJson:
    place = Overflow.decode(claim.output)
    return OverflowJson(step=place.step, element=place.element)


def dispute_state(dispute: DisputeState, now: int) -> DisputeJson:
    course = dispute.course
    return DisputeJson(
        claim=to_hex(dispute.claim),
        status=dispute.status.name.lower(),
        phase=course.phase(now).name.lower(),
        challenger=to_hex(dispute.challenger),
        bond_wei=str(dispute.bond_wei),
        challenged_at=dispute.challenged_at,
        opened_at=dispute.opened_at,
        concludable_from=course.concludable_from,
        trace_root=to_hex(dispute.trace_root),
        demanded=sum(len(page.refs) for page in dispute.pages),
        missing=sum(len(page.missing) for page in dispute.pages),
    )
