"""One connection to the coordination server for a process, opened with the first request."""

import os
from functools import cache
from urllib.parse import urlsplit

from pydantic import SecretStr

from recall_pipeline.coordination.outages import Address
from recall_pipeline.coordination.server import CoordinationServer
from recall_pipeline.errors import SettingsError


def connect(url: SecretStr) -> CoordinationServer:
    """Return the server of a URL. No request is sent. Raises SettingsError if its package is not installed."""
    return _of_process(url, os.getpid())


@cache
def _of_process(url: SecretStr, _: int) -> CoordinationServer:
    """Return one server for each process: a connection must not be used by a forked process too."""
    return new_connection(url)


def new_connection(url: SecretStr) -> CoordinationServer:
    """Return a connection of its own, which is opened with the first request. Raises SettingsError as `connect`."""
    scheme = urlsplit(url.get_secret_value()).scheme
    extra = "postgres" if scheme == "postgresql" else "redis"
    try:
        if extra == "postgres":
            from recall_pipeline.coordination.postgres_server import PostgresServer

            return PostgresServer(Address(url))
        from recall_pipeline.coordination.redis_server import RedisServer

        return RedisServer(Address(url))
    except ImportError as missing:
        raise SettingsError(
            f"RECALL_COORDINATION_URL {scheme}:// needs a package ({missing}): pip install 'recall_pipeline[{extra}]'"
        ) from None
    except (ValueError, TypeError):  # its text could have the password
        raise SettingsError(
            "RECALL_COORDINATION_URL has options that are not valid: correct what follows the ?"
        ) from None
