"""The HTTP server of the archive page."""

import uvicorn
from starlette.types import ASGIApp

_MAX_CONNECTIONS = 200
_IDLE_SECONDS = 30
_SHUTDOWN_SECONDS = 2  # a player keeps its connection open
_MAX_HEADER_BYTES = 16 * 1024


def page_server(app: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn server for `app`; call its `run` with a listening socket."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
    )
    return uvicorn.Server(config)
