"""What every route is given: the window, and the call counted against its caller's limit; ids parsed from paths,
and the limits of pages.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.schemas import from_hex
from api.window import Window
from rollup.properties.types import TrainingId
from rollup.types import Address, ClaimId, ModelId, RequestId

MAX_PAGE = 100
_WORD = Path(pattern=r"^0x[0-9a-fA-F]{64}$", description="32 bytes as 0x-hex")
_ADDRESS = Path(pattern=r"^0x[0-9a-fA-F]{40}$", description="20 bytes as 0x-hex")


def window_of(request: Request) -> Window:
    window: Window = request.app.state.window
    return window


def counted_window(request: Request) -> Window:
    """Raises Overloaded for a caller above its limit."""
    window = window_of(request)
    window.counter.take(request.client.host if request.client else "unknown")
    return window


def _request_id(request_id: Annotated[str, _WORD]) -> RequestId:
    return RequestId(from_hex(request_id))


def _claim_id(claim_id: Annotated[str, _WORD]) -> ClaimId:
    return ClaimId(from_hex(claim_id))


def _training_id(training_id: Annotated[str, _WORD]) -> TrainingId:
    return TrainingId(from_hex(training_id))


def _generation_id(generation_id: Annotated[str, _WORD]) -> RequestId:
    return RequestId(from_hex(generation_id))


def _model_id(model_id: Annotated[str, _WORD]) -> ModelId:
    return ModelId(from_hex(model_id))


def _address(address: Annotated[str, _ADDRESS]) -> Address:
    return Address(from_hex(address))


TheWindow = Annotated[Window, Depends(counted_window)]
ARequestId = Annotated[RequestId, Depends(_request_id)]
AClaimId = Annotated[ClaimId, Depends(_claim_id)]
ATrainingId = Annotated[TrainingId, Depends(_training_id)]
AGenerationId = Annotated[RequestId, Depends(_generation_id)]
AModelId = Annotated[ModelId, Depends(_model_id)]
AnAddress = Annotated[Address, Depends(_address)]
ALimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="most entries of a page")]
AnOffset = Annotated[int, Query(ge=0, lt=2**31, description="entries before the page")]
