"""An API on stage: real routes, journal and blobs, over an Inbox in memory and a view that a story tells."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from api.app import build_app
from api.limits import CallCounter, Limits
from api.schemas import RequestJson, to_hex
from api.window import Health, Window
from rollup.blobs import open_blobs
from rollup.chain.signatures import KeySigner
from rollup.config import Deployment
from rollup.curves import Curves
from rollup.journal import SignedRequest, open_journal
from rollup.processes import free_port
from rollup.sequencer import Sequencer
from rollup.types import Address
from rollup.view import View
from tests.rollup.story import Story
from tests.toy_lane import DOMAIN, SEQUENCER, ToyLane

DEPLOYMENT = Deployment(
    DOMAIN.chain_id, 1, Address(b"v" * 20), Address(b"m" * 20), Address(b"j" * 20), DOMAIN.inbox, DOMAIN.claim_chain,
    Address(b"d" * 20), *(Address(bytes([place]) * 20) for place in b"psntg"),
)  # fmt: skip


class Memory:
    """What is kept of rollup/live.py, without a Redis."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    def publish(self, topic: str, status: str) -> bool:
        return True

    def keep(self, key: str, field: str, text: str, seconds: int) -> bool:
        self._kept.setdefault(key, {})[field] = text
        return True

    def kept(self, key: str) -> dict[str, str]:
        return dict(self._kept.get(key, {}))


class Stage:
    """The window and everything behind it; `fault` is raised by whoever reads the view."""

    def __init__(
        self, folder: Path, limits: Limits | None = None, story: Story | None = None, curves: Curves | None = None
    ) -> None:
        limits = limits or Limits()
        self.story, self.lane = story or Story(), ToyLane()
        self.curves = curves or Curves(Memory())
        self.journal = open_journal(folder / "journal.db")
        self.fault: Exception | None = None
        requests, blobs = self.journal.requests, open_blobs(folder / "blobs")
        self.window = Window(
            deployment=DEPLOYMENT,
            reading=self._reading,
            requests=requests,
            sequencer=Sequencer(requests, blobs, self.lane, KeySigner(SEQUENCER), DOMAIN),
            chain=self.lane,
            counter=CallCounter(limits, lambda _key, _seconds: None),
            curves=self.curves,
            health=lambda: Health("ok", "ok", "away"),
            limits=limits,
        )
        self.app: FastAPI = build_app(self.window)

    @contextmanager
    def _reading(self) -> Iterator[View]:
        if self.fault is not None:
            raise self.fault
        yield self.story.view


class InProcess(httpx.BaseTransport):
    """Calls an application without a network; an error that it did not foresee is answered, not raised."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        request = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        response = await self._transport.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


def body_of(signed: SignedRequest) -> dict[str, Any]:
    """What is posted for a signed request."""
    return {
        "request": RequestJson.of(signed.request).model_dump(),
        "inputs": to_hex(signed.inputs),
        "signature": to_hex(signed.signature),
    }


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """A real server on a free port; gives its URL."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server ended while it started"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
