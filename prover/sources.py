"""Where a watchtower finds blobs: its own store first, then whoever announced an endpoint on chain.

Announced endpoints are strangers'. They are asked for `GET /blobs/{hash}` only, without redirects, within a size and a
few seconds, and every answer is checked against its name and otherwise thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollup.blobs import BlobReader, HttpSource
from rollup.blobs.content import BlobSource
from rollup.errors import BadInput, NotFound, RollupError

FETCH_SECONDS = 4.0


class Sources:
    """Several sources as one, in order; a BlobSource."""

    def __init__(self, own: BlobSource, endpoints: Callable[[], Sequence[str]]) -> None:
        self._own, self._endpoints = own, endpoints

    def read(self, name: bytes, limit: int) -> bytes:
        try:
            return self._own.read(name, limit)
        except NotFound:
            return self._ask_others(name, limit)

    def _ask_others(self, name: bytes, limit: int) -> bytes:
        for endpoint in self._endpoints():
            try:
                return endpoint_source(endpoint).read(name, limit)
            except RollupError:
                # The next one may serve it; who serves nothing is dealt with where it matters, by a demand.
                continue
        raise NotFound(f"nobody serves blob 0x{name.hex()}")


def endpoint_source(endpoint: str) -> HttpSource:
    """Raises BadInput for what is no http address. Allowed is what was announced: see the module's opening."""
    return HttpSource(endpoint, [endpoint], FETCH_SECONDS)


def endpoint_blobs(endpoint: str | None) -> BlobReader | None:
    """Blobs of an announced endpoint; None if there is none, or it is no http address."""
    if endpoint is None:
        return None
    try:
        return BlobReader(endpoint_source(endpoint))
    except BadInput:
        return None
