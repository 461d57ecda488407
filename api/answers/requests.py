"""Requests as JSON: as the chain has them, or as the journal does until then."""

from __future__ import annotations

from api.answers.claims import certainty_text, claim_state, seconds_left
from api.schemas import RequestJson, RequestStateJson, Status, to_hex
from rollup.journal import AcceptedRequest, RequestStatus
from rollup.types import Certainty
from rollup.view import OrderedRequest, View

# Nothing changes any more once a request is there.
ENDS = frozenset({Status.FINAL, Status.UNDEFINED, Status.REFUNDED, Status.EMPTY, Status.DROPPED})


def request_state(view: View, ordered: OrderedRequest | None, accepted: AcceptedRequest | None) -> RequestStateJson:
    """A request as the chain has it, or as the journal has it until then. One of the two is given."""
    if ordered is None:
        assert accepted is not None
        return _waiting(accepted)
    claim = view.state.claims[ordered.claims[-1]] if ordered.claims else None
    model = view.model(ordered.request.model)
    return RequestStateJson(
        id=to_hex(ordered.id),
        status=_status(view, ordered),
        certainty=certainty_text(view.certainty(ordered)),
        n=accepted.n if accepted else None,
        lane=ordered.lane,
        number=ordered.number,
        batch=to_hex(ordered.batch),
        index=ordered.index,
        empty_reason=None,
        seconds_left=seconds_left(claim, view.now) if claim else None,
        attempts=ordered.attempts,
        request=RequestJson.of(ordered.request),
        claim=claim_state(claim, model, view.now) if claim else None,
    )


def _waiting(accepted: AcceptedRequest) -> RequestStateJson:
    status = {
        RequestStatus.EMPTY: Status.EMPTY,
        RequestStatus.DROPPED: Status.DROPPED,
    }.get(accepted.status, Status.ACCEPTED)
    reason = accepted.empty_reason
    return RequestStateJson(
        id=to_hex(accepted.id),
        status=status,
        certainty=certainty_text(Certainty.NONE),
        n=accepted.n,
        lane=None,
        number=None,
        batch=to_hex(accepted.batch_id) if accepted.batch_id else None,
        index=accepted.batch_index,
        empty_reason=reason.name.lower() if status is Status.EMPTY and reason is not None else None,
        seconds_left=None,
        attempts=0,
        request=RequestJson.of(accepted.signed.request),
        claim=None,
    )


def _status(view: View, ordered: OrderedRequest) -> Status:
    if ordered.refunded:
        return Status.REFUNDED
    live = view.live_claim(ordered)
    if live is None:
        return Status.ORDERED
    ends = {Certainty.FINAL: Status.FINAL, Certainty.UNDEFINED: Status.UNDEFINED}
    return ends.get(live.certainty, Status.CLAIMED)
