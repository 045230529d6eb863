"""HTTP servers with limits against abuse, which trust no header of a proxy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

_MAX_HEADER_BYTES = 16 * 1024


def limited_server(
    app: "ASGIApp", *, most_connections: int, idle_seconds: int, shutdown_seconds: int
) -> "uvicorn.Server":
    """Return a uvicorn server for `app`; call its `run` with a listening socket. Further connections get 503."""
    import uvicorn  # on first use: most processes serve nothing

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
        limit_concurrency=most_connections,
        timeout_keep_alive=idle_seconds,
        timeout_graceful_shutdown=shutdown_seconds,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
    )
    return uvicorn.Server(config)
