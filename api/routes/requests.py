"""Requests: submit one that is signed, read where it stands."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.dependencies import ARequestId, TheWindow
from api.errors import documented
from api.schemas import ReceiptJson, RequestStateJson, SubmissionJson
from rollup.journal import Idempotency

router = APIRouter(prefix="/v1/requests", tags=["requests"])


@router.post("", status_code=201, responses=documented(400, 401, 404, 408, 409, 413, 422, 429, 503))
def submit(
    submission: SubmissionJson,
    window: TheWindow,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")] = None,
) -> ReceiptJson:
    """Takes a signed request, and answers with the sequencer's signed receipt; it is durable by then.

    The same request again gets the same receipt, with or without an idempotency key.
    """
    body_hash = sha256(submission.model_dump_json().encode()).digest()
    idempotency = Idempotency(idempotency_key, body_hash) if idempotency_key else None
    receipt = ReceiptJson.of(window.sequencer.accept(submission.to_record(), idempotency))
    response.headers["Location"] = f"/v1/requests/{receipt.request}"
    window.changes.announce()
    return receipt


@router.get("/{request_id}", responses=documented(404, 422, 429, 503))
def read(request_id: ARequestId, window: TheWindow) -> RequestStateJson:
    """Where a request stands: its place, its claim, certainty, seconds left, and the output, decoded."""
    return window.request_state(request_id)
