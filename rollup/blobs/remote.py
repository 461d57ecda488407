"""Blobs that somebody else serves at GET {endpoint}/blobs/{hash}.

Only endpoints that the caller allows are asked, no redirect is followed, and time and size are limited. Whatever comes
is checked against its name by the reader; nothing here is trusted.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from urllib.parse import urlsplit

import httpx

from rollup.blobs.content import MAX_BLOB_BYTES, BlobReader
from rollup.errors import BadEncoding, BadInput, NotFound, Unavailable

TIMEOUT_SECONDS = 30.0


class HttpSource:
    """Reads blobs from one endpoint. Raises BadInput for an endpoint that is not allowed.

    `allowed`: endpoints that may be asked, compared by scheme, host and port. `timeout_seconds` bounds a whole read.
    """

    def __init__(
        self,
        endpoint: str,
        allowed: Collection[str],
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if _origin(endpoint) not in {_origin(each) for each in allowed}:
            raise BadInput(f"endpoint {endpoint!r} is not among the {len(allowed)} that may be asked")
        self._endpoint = endpoint.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._client = httpx.Client(timeout=timeout_seconds, follow_redirects=False, transport=transport)

    def read(self, name: bytes, limit: int) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            with self._client.stream("GET", f"{self._endpoint}/blobs/0x{name.hex()}") as response:
                self._require_ok(response, name)
                return self._receive(response, name, limit, deadline)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._endpoint} does not serve blob 0x{name.hex()}: {error!r}") from error

    def close(self) -> None:
        self._client.close()

    def _require_ok(self, response: httpx.Response, name: bytes) -> None:
        if response.status_code == 404:
            raise NotFound(f"{self._endpoint} has no blob 0x{name.hex()}")
        if response.status_code != 200:
            raise Unavailable(f"{self._endpoint} answered {response.status_code} for blob 0x{name.hex()}")

    def _receive(self, response: httpx.Response, name: bytes, limit: int, deadline: float) -> bytes:
        # Compressed answers would make the size limit meaningless before they are unpacked: raw bytes only.
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > limit:
                raise BadEncoding(f"{self._endpoint} sent more than {limit} bytes for blob 0x{name.hex()}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._endpoint} took over {self._timeout_seconds} s for blob 0x{name.hex()}")
        return bytes(data)


class RemoteBlobs(BlobReader):
    """Blobs of one endpoint, verified."""

    def __init__(
        self,
        endpoint: str,
        allowed: Collection[str],
        timeout_seconds: float = TIMEOUT_SECONDS,
        max_bytes: int = MAX_BLOB_BYTES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = HttpSource(endpoint, allowed, timeout_seconds, transport)
        super().__init__(self._http, max_bytes)

    def close(self) -> None:
        self._http.close()


def _origin(endpoint: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises BadInput unless it is a plain http(s) address."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise BadInput(f"endpoint {endpoint!r} is not an http address") from None
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadInput(f"endpoint {endpoint!r} is not a plain http address")
    return parts.scheme, parts.hostname.lower(), port
