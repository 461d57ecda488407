"""The application: routes, limits and errors around one window; and the window over real chain, journal and Redis.

Settings are read once. Runs no model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api import errors
from api.backstage import Backstage
from api.limits import BodyLimit, Limits
from api.routes import accounts, claims, events, generations, models, requests, system, trainings
from api.window import Window
from rollup.config import Settings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(settings: Settings, limits: Limits | None = None) -> FastAPI:
    """The application over what the settings name.

    Threads that follow the chain and Redis run while it serves. Raises WrongChain, and BadInput without the
    sequencer's key; a chain that does not answer yet is waited for.
    """
    backstage = Backstage(settings, limits or Limits())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        backstage.start()
        try:
            yield
        finally:
            await run_in_threadpool(backstage.stop)

    return build_app(backstage.window, lifespan)


def build_app(window: Window, lifespan: Lifespan | None = None) -> FastAPI:
    """The application over a window."""
    app = FastAPI(
        title="ANH",
        summary="Ask neural networks; answers are claimed, disputed and final on Ethereum.",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.window = window
    app.add_middleware(BodyLimit, limits=window.limits)
    errors.install(app)
    for route in (requests, trainings, generations, events, accounts, models, claims, system):
        app.include_router(route.router)
    return app
