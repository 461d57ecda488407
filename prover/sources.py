"""Where a watchtower finds blobs: its own store first, then whoever announced an endpoint on chain.

Announced endpoints are strangers'. They are asked for `GET /blobs/{hash}` only, without redirects, within a size and a
few seconds of each look. Every answer is checked against its name, and where it is wrong the next one is asked, so that
nobody can stand before an honest one. Addresses inside private networks are refused unless that is allowed; a resolver
that changes its answer between check and connection is not caught, so nothing that a GET could harm belongs nearby.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from queue import Empty, Queue
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from rollup.blobs import BlobReader, Blobs, BlobSource, HttpSource
from rollup.errors import BadInput, NotFound, RollupError, Unavailable
from rollup.graph import Numerics
from rollup.tensor import Bundle, Tensor, TensorSpec
from rollup.types import BundleRoot, NumericsRoot, TensorRoot

# What one endpoint, and all of them together, may take of one look, at most.
ENDPOINT_SECONDS = 4.0
LOOK_SHARES = 3.0
T = TypeVar("T")


class Endpoint:
    """One announced address; a BlobSource that gives up when its share of the look is spent.

    A thread of its own reads, because an answer that drips in byte by byte never runs into a socket's time limit.
    """

    def __init__(self, url: str, is_private_allowed: bool) -> None:
        self._url, self._is_private_allowed = url, is_private_allowed
        self._http: HttpSource | None = None
        self._left = ENDPOINT_SECONDS
        # Seconds spent on answers that were none; those who wasted least are asked first.
        self.wasted = 0.0

    def new_look(self, seconds: float) -> None:
        self._left = seconds

    def read(self, name: bytes, limit: int) -> bytes:
        if self._left <= 0:
            raise Unavailable(f"{self._url} has spent its share of this look")
        answers: Queue[bytes | RollupError] = Queue()
        start = time.monotonic()
        Thread(target=self._fetch, args=(name, limit, self._left, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=self._left)
        except Empty:
            answer = self._give_up()
        taken = time.monotonic() - start
        self._left -= taken
        if isinstance(answer, bytes):
            return answer
        self.wasted += taken
        raise answer

    def close(self) -> None:
        """Lets go of its connection."""
        if self._http is not None:
            self._http.close()
        self._http = None

    def _give_up(self) -> Unavailable:
        self._left = 0.0
        # Ends the thread that waits for it, at its next read.
        self.close()
        return Unavailable(f"{self._url} does not answer in its share of this look")

    def _fetch(self, name: bytes, limit: int, seconds: float, answers: Queue[bytes | RollupError]) -> None:
        try:
            if not self._is_private_allowed:
                require_public(self._url)
            # Allowed is what was announced: see the module's opening.
            self._http = http = self._http or HttpSource(self._url, [self._url], seconds)
            answers.put(http.read(name, limit))
        except RollupError as error:
            answers.put(error)
        except (OSError, RuntimeError) as error:
            # The client was closed while it read.
            answers.put(Unavailable(f"{self._url} cannot be read: {error}"))


def require_public(url: str) -> None:
    """Raises BadInput if the host of `url` is, or resolves to, an address that is not global; Unavailable if none."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(info[4][0]).split("%")[0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host!r} is not found: {error}") from error
    private = sorted(address for address in found if not ip_address(address).is_global)
    if private:
        raise BadInput(f"endpoint {url!r} is at {private[0]}, inside a private network")


class FirstOf(BlobReader):
    """Several sources as one reader: the first answer that is what it should be."""

    def __init__(self, sources: Callable[[], Iterable[BlobSource]]) -> None:
        self._sources = sources

    def get_tensor(self, root: TensorRoot, spec: TensorSpec | None = None) -> Tensor:
        return self._first(root, lambda blobs: blobs.get_tensor(root, spec))

    def _read_tensor(self, root: TensorRoot, spec: TensorSpec | None) -> Tensor:
        return self._first(root, lambda blobs: blobs._read_tensor(root, spec))

    def get_bundle(self, root: BundleRoot) -> Bundle:
        return self._first(root, lambda blobs: blobs.get_bundle(root))

    def get_numerics(self, root: NumericsRoot) -> Numerics:
        return self._first(root, lambda blobs: blobs.get_numerics(root))

    def get_named(self, name: bytes, check: Callable[[bytes], T], max_bytes: int | None = None) -> T:
        return self._first(name, lambda blobs: blobs.get_named(name, check, max_bytes))

    def read(self, name: bytes) -> bytes:
        return self._first(name, lambda blobs: blobs.read(name))

    def _first(self, name: bytes, ask: Callable[[BlobReader], T]) -> T:
        for source in self._sources():
            # Who serves nothing, or something else, is dealt with where it matters: by a demand.
            with suppress(RollupError):
                return ask(BlobReader(source))
        raise NotFound(f"nobody serves blob 0x{name.hex()}")


class Found:
    """Blobs in memory: what was supplied on chain. A BlobStore; whoever writes has verified."""

    def __init__(self) -> None:
        self._blobs: dict[bytes, bytes] = {}

    def read(self, name: bytes, limit: int) -> bytes:
        if name not in self._blobs:
            raise NotFound(f"blob 0x{name.hex()} was not supplied")
        return self._blobs[name]

    def write(self, name: bytes, data: bytes) -> None:
        self._blobs[name] = data

    def exists(self, name: bytes) -> bool:
        return name in self._blobs


class Sources:
    """The own store, what was supplied on chain, and all announced endpoints; what each has left of this look."""

    def __init__(self, own: BlobSource, urls: Callable[[], Sequence[str]], is_private_allowed: bool = False) -> None:
        self._own, self._urls, self._is_private_allowed = own, urls, is_private_allowed
        self._endpoints: dict[str, Endpoint] = {}
        self._seconds = ENDPOINT_SECONDS
        self._until = time.monotonic() + LOOK_SHARES * self._seconds
        self._found = Found()
        # What was supplied on chain is put here.
        self.found = Blobs(self._found)
        # Everything that anybody serves.
        self.all = FirstOf(self._everybody)

    def new_look(self, seconds: float) -> None:
        """From now on each endpoint has `seconds`, and all together a few times that."""
        self._seconds = min(seconds, ENDPOINT_SECONDS)
        self._until = time.monotonic() + LOOK_SHARES * self._seconds
        announced = set(self._urls())
        for url in self._endpoints.keys() - announced:
            self._endpoints.pop(url).close()
        for endpoint in self._endpoints.values():
            endpoint.new_look(self._seconds)

    def close(self) -> None:
        """Lets go of all connections."""
        for endpoint in self._endpoints.values():
            endpoint.close()

    def of(self, url: str | None) -> FirstOf:
        """What lies in the own store, or behind one endpoint."""
        return FirstOf(lambda: [self._own] if url is None else [self._own, self._endpoint(url)])

    def _everybody(self) -> Iterator[BlobSource]:
        yield self._own
        yield self._found
        endpoints = [self._endpoint(url) for url in dict.fromkeys(self._urls())]
        for endpoint in sorted(endpoints, key=lambda endpoint: endpoint.wasted):
            if time.monotonic() < self._until:
                yield endpoint

    def _endpoint(self, url: str) -> Endpoint:
        if url not in self._endpoints:
            self._endpoints[url] = Endpoint(url, self._is_private_allowed)
            self._endpoints[url].new_look(self._seconds)
        return self._endpoints[url]
