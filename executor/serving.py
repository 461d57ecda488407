"""GET /blobs/{hash}: whatever this executor has, to whoever asks. The asker verifies; nothing here is secret.

The name is 32 bytes of hex and nothing else, so no path leaves the store. Runs beside the daemon in a thread.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from rollup.blobs import BlobReader
from rollup.errors import BadEncoding, BadInput, NotFound, RollupError, Unavailable

START_SECONDS = 10.0
# More askers at once than this wait in line at the door.
MAX_CONCURRENT = 64
_PATH = re.compile(r"/blobs/0x([0-9a-f]{64})")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BlobServer:
    """An ASGI application over blobs."""

    def __init__(self, blobs: BlobReader) -> None:
        self._blobs = blobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, body = await self._answer(scope["method"], scope["path"])
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"public, max-age=31536000, immutable" if status == 200 else b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, method: str, path: str) -> tuple[int, bytes]:
        if method != "GET":
            return 405, b""
        match = _PATH.fullmatch(path)
        if match is None:
            return 404, b""
        try:
            return 200, await asyncio.to_thread(self._blobs.read, bytes.fromhex(match.group(1)))
        except (NotFound, BadEncoding):
            return 404, b""
        except RollupError:
            return 503, b""


@contextmanager
def serving(blobs: BlobReader, url: str) -> Iterator[None]:
    """Serves at `url` (http://host:port) while the block runs. Raises BadInput for another kind of address, Unavailable
    if the port is taken.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.port is None:
        raise BadInput(f"blobs are served at http://host:port, not at {url!r}")
    options: dict[str, Any] = {"log_level": "warning", "limit_concurrency": MAX_CONCURRENT, "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(BlobServer(blobs), parts.hostname, parts.port, **options))
    thread = threading.Thread(target=_run, args=(server,), name="serving", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread, url)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _run(server: uvicorn.Server) -> None:
    try:
        server.run()
    except SystemExit:
        # uvicorn exits the process if its port is taken; the one who waits for it says so.
        return


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread, url: str) -> None:
    waited = threading.Event()
    for _ in range(int(START_SECONDS / 0.02)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.02)
    raise Unavailable(f"blobs cannot be served at {url}")
