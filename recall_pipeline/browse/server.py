"""The HTTP server of the archive page."""

import uvicorn
from starlette.types import ASGIApp

from recall_pipeline.http import limited_server


def page_server(app: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn server for `app`; call its `run` with a listening socket."""
    # A player keeps its connection open, so its end is not waited for.
    return limited_server(app, most_connections=200, idle_seconds=30, shutdown_seconds=2)
