"""The check of hosts in `doctor`: take a request and a lock on the server of RECALL_COORDINATION_URL."""

from uuid import uuid4

from recall_pipeline.coordination import RequestLimits, connect
from recall_pipeline.errors import CoordinationError
from recall_pipeline.settings import Settings

_ONE = RequestLimits(1, 1)


def check_coordination(settings: Settings) -> str:
    """Return one line about the server. Raises SettingsError or CoordinationError for the first request that fails."""
    if settings.coordination_url is None:
        return "no server is set: the processes of this host share budget and locks"
    server, name = connect(settings.coordination_url), f"doctor {uuid4().hex[:8]}"
    described = server.describe()
    if server.acquire(name, name, "doctor") or server.take_request(name, _ONE, is_short=True):
        return f"{described}; it has started just now, and grants nothing in its first minute"
    try:
        if server.acquire(name, "another", "another") != "doctor" or not server.take_request(name, _ONE, is_short=True):
            raise CoordinationError("RECALL_COORDINATION_URL: the server granted a lock twice: do not use this server")
    finally:
        server.release(name, name)
    return f"{described}; budget and locks work"
