"""A server as the SDK sees it: calls and streams of events, its problems as the errors that they were there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx

from rollup.errors import (
    BadInput,
    BadSignature,
    Conflict,
    NotFound,
    NotYet,
    Overloaded,
    Refused,
    Unavailable,
)

TIMEOUT_SECONDS = 30.0
_ERRORS = {error.__name__: error for error in (BadInput, BadSignature, Conflict, NotFound, NotYet, Unavailable)}


class Server:
    """Knows nothing of what is asked, nor of accounts."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One answer. Raises the error that the server named, Unavailable if there is no answer."""
        with _translated():
            response = self._http.request(method, path, **options)
        if response.is_error:
            raise _error(response)
        return cast(dict[str, Any], response.json())

    def follow(self, url: str, seconds: float) -> Iterator[dict[str, Any]]:
        """Each event's data, until the stream ends or for about so many seconds.

        Raises Unavailable if the server, which gives a sign of life every 15 s, gives none.
        """
        limit, silence = time.monotonic() + seconds, min(seconds, TIMEOUT_SECONDS)
        with _translated(), self._http.stream("GET", url, timeout=silence) as response:
            if response.status_code != 200:
                response.read()
                raise _error(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))
                if time.monotonic() > limit:
                    return


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Unavailable(f"the server does not answer: {error!r}") from error


def _error(response: httpx.Response) -> Exception:
    """The server's problem as the error it was there."""
    try:
        problem = response.json()
        kind, detail = str(problem["title"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind, detail = "", f"the server answered {response.status_code} without a reason"
    if response.status_code == 429:
        return Overloaded(detail, float(response.headers.get("Retry-After", "1")))
    if kind in _ERRORS:
        return _ERRORS[kind](detail)
    return Unavailable(detail) if response.status_code >= 500 else Refused(detail)
