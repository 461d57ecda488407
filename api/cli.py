"""The command `anh api`."""

from __future__ import annotations

from urllib.parse import urlsplit

import uvicorn

from api.app import create_app
from rollup.config import Settings
from rollup.daemon import SettingsFile, configure_logs
from rollup.errors import BadInput

# Connections that are open when the server is told to stop have so long to end, seconds.
GRACE_SECONDS = 5
# Calls that are served at once, those that follow events among them; each may hold a body in memory.
MAX_CONCURRENT = 1000


def api(settings: SettingsFile = None) -> None:
    """Serves REST, live updates and the OpenAPI page at the host and port of the setting `api_url`."""
    configure_logs()
    loaded = Settings.load(settings)
    place = urlsplit(loaded.api_url)
    if place.hostname is None or place.port is None:
        raise BadInput(f"api_url {loaded.api_url!r} names no host and port")
    uvicorn.run(
        create_app(loaded),
        host=place.hostname,
        port=place.port,
        log_level="warning",
        limit_concurrency=MAX_CONCURRENT,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
