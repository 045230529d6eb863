"""The HTTP server before the receiver, with limits for what strangers may ask of it."""

import uvicorn
from starlette.types import ASGIApp

_CONNECTIONS = 100  # at once; more are answered 503, and Recall tries again
_IDLE_SECONDS = 5
_LAST_ANSWERS_SECONDS = 12
_LARGEST_HEAD_BYTES = 16 * 1024


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Return a server of `app`; `run` it on a listening socket."""
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
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        h11_max_incomplete_event_size=_LARGEST_HEAD_BYTES,
    )
    return uvicorn.Server(config)
