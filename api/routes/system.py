"""The system: what is signed for, and whether it answers."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.dependencies import TheWindow, window_of
from api.errors import documented
from api.schemas import HealthJson, SystemJson, to_hex
from api.window import Window

router = APIRouter(prefix="/v1", tags=["system"])


@router.get("/system", responses=documented(429, 503))
def read_system(window: TheWindow) -> SystemJson:
    """Chain, contracts, sequencer and least fee: all that a requester needs to sign and to check receipts."""
    fields = {field.name: getattr(window.deployment, field.name) for field in dataclasses.fields(window.deployment)}
    return SystemJson(
        chain_id=window.deployment.chain_id,
        contracts={name: to_hex(value) for name, value in fields.items() if isinstance(value, bytes)},
        sequencer=to_hex(window.chain.sequencer()),
        min_fee_wei=str(window.chain.min_fee_wei()),
    )


@router.get("/health", responses={503: {"model": HealthJson}})
def read_health(window: Annotated[Window, Depends(window_of)], response: Response) -> HealthJson:
    """200 if requests can be taken, else 503. Not counted against limits: monitors ask often."""
    health = window.health()
    response.status_code = 200 if health.is_good else 503
    status = "ok" if health.is_good else "failing"
    return HealthJson(status=status, chain=health.chain, journal=health.journal, redis=health.redis)
