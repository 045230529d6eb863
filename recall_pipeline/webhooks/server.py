"""The HTTP server of the webhook receiver, with limits against abuse."""

import uvicorn
from starlette.types import ASGIApp

from recall_pipeline.http import limited_server


def webhook_server(app: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn server for `app`; call its `run` with a listening socket."""
    # What is refused with 503 Recall sends again.
    return limited_server(app, most_connections=100, idle_seconds=5, shutdown_seconds=12)
