"""Attempts until the server answers, and the one error if it does not, without the password of the URL."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import stamina
from pydantic import SecretStr
from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

from recall_pipeline.errors import CoordinationError, SettingsError

PATIENCE_SECONDS = 20.0
_LONGEST_WAIT_SECONDS = 2.0
_MAX_REASON_LENGTH = 200  # characters
_REPORTED_ATTEMPT = 3
_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
# stamina prefers structlog, which would print to standard output and break `--json`.
set_on_retry_hooks([LoggingOnRetryHook])
T = TypeVar("T")


class ServerLost(Exception):
    """The server cannot be reached at present; another attempt may succeed."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is. Its text has no user and no password."""

    url: SecretStr

    def __str__(self) -> str:
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.scheme}://{parts.hostname or 'local socket'}{f':{parts.port}' if parts.port else ''}"

    def unreachable(self, error: Exception) -> CoordinationError:
        """Return the error for a server that does not answer."""
        return CoordinationError(
            f"RECALL_COORDINATION_URL: {self} does not answer ({self._reason(error)}): start the server, or check the "
            "network; the next run continues"
        )

    def refused(self, error: Exception) -> SettingsError:
        """Return the error for a server that does not accept the user, the password or the database."""
        return SettingsError(
            f"RECALL_COORDINATION_URL: {self} refuses ({self._reason(error)}): correct the user, the password or the "
            "database of the URL, or the rights of the user"
        )

    def insecure(self, error: Exception) -> SettingsError:
        """Return the error for a server whose TLS does not fit the URL, such as a certificate that is not trusted."""
        return SettingsError(
            f"RECALL_COORDINATION_URL: {self} cannot be reached with these options for TLS ({self._reason(error)}): "
            "correct the certificate of the server, or what follows the ? of the URL"
        )

    def failed(self, error: Exception) -> CoordinationError:
        """Return the error for a request that the server could not execute."""
        return CoordinationError(
            f"RECALL_COORDINATION_URL: {self} failed ({self._reason(error)}): check the log of the server"
        )

    def _reason(self, error: Exception) -> str:
        """Return the first line of an error, without the secrets of the URL."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = " ".join((lines[0] if lines else type(error).__name__).split())
        url = self.url.get_secret_value()
        password = urlsplit(url).password
        for secret in filter(None, (url, password, unquote(password or ""))):
            text = text.replace(secret, "…")
        return text[:_MAX_REASON_LENGTH].rstrip(".")


def with_patience(attempt: Callable[[], T], address: Address, patience_seconds: float | None = None) -> T:
    """Call `attempt` until it raises no ServerLost, for up to `patience_seconds`; then raise CoordinationError.

    With 0 it is called once.
    """
    seconds = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    attempts = stamina.retry_context(
        on=ServerLost,
        attempts=None if seconds else 1,
        timeout=seconds or None,
        wait_initial=0.1,
        wait_max=_LONGEST_WAIT_SECONDS,
    )
    try:
        for again in attempts:
            if again.num == _REPORTED_ATTEMPT:
                _log.warning("waiting for the server of RECALL_COORDINATION_URL, %s: it does not answer", address)
            with again:
                return attempt()
    except ServerLost as lost:
        raise address.unreachable(lost) from None
    raise AssertionError("stamina returns a result or raises an error")
