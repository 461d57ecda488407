"""Errors as problem+json (RFC 9457), through one table.

What the caller did wrong is told as it is; what is wrong here is told without inner details.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rollup import errors

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger()

# Most special first: the first family that an error belongs to decides.
STATUS: Mapping[type[errors.RollupError], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Reverted: 409,
    errors.BadSignature: 401,
    errors.Refused: 422,
    errors.Overloaded: 429,
    errors.NotYet: 425,
    errors.Retry: 503,
    errors.Stop: 503,
}
RETRY_AFTER_SECONDS = 2
# A problem in the OpenAPI document.
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:anh:BadInput"]},
        "title": {"type": "string", "description": "the kind of error, for programs", "examples": ["BadInput"]},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence, for people"},
    },
}


def status_of(error: errors.RollupError) -> int:
    return next((status for family, status in STATUS.items() if isinstance(error, family)), 500)


def problem(status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`kind` is the error's class name, the stable handle for programs; `detail` is for people."""
    body = {"type": f"urn:anh:{kind}", "title": kind, "status": status, "detail": detail}
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of the problems with which a route may answer."""
    content = {MEDIA_TYPE: {"schema": _SCHEMA}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Makes `app` answer every error with a problem."""

    @app.exception_handler(errors.RollupError)
    async def _rollup_error(_request: Request, error: errors.RollupError) -> JSONResponse:
        status = status_of(error)
        if isinstance(error, errors.Stop):
            _log.error("api.stopped", error=str(error))
        return problem(status, type(error).__name__, str(error), _headers(error, status))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "BadInput", "; ".join(_sentence(each) for each in error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "HttpError", str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def _unforeseen(_request: Request, error: Exception) -> JSONResponse:
        # As text, so that no renderer adds the values of local variables, which may be secret.
        _log.error("api.unforeseen", trace="".join(traceback.format_exception(error)))
        return problem(500, "InternalError", "an error that was not foreseen; it is in the server's log")


def _headers(error: errors.RollupError, status: int) -> dict[str, str]:
    if isinstance(error, errors.Overloaded):
        return {"Retry-After": str(math.ceil(error.retry_after_seconds))}
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (425, 503) else {}


def _sentence(error: Mapping[str, Any]) -> str:
    """Where and what, without the value: it may be megabytes, or secret."""
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}"
