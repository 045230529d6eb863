"""The log of all requests to the sandbox; tests check the client's requests with it."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recall_sandbox.clock import Clock, system_now
from recall_sandbox.connection import Connection

Origin = Literal["api", "media"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Access:
    """One request and its result; `status` is None if no answer was started.

    `query` is the raw query string, with signatures: only this log stores them.
    """

    at: datetime
    origin: Origin
    method: str
    path: str
    query: str
    status: int | None
    had_body: bool
    had_authorization: bool
    range: str | None
    user_agent: str | None
    bytes_sent: int


class AccessLog:
    """All requests so far, oldest first, by `clock`; each is logged before the last byte of its answer is sent."""

    def __init__(self, clock: Clock = system_now) -> None:
        self.clock = clock
        self._lock = Lock()
        self._accesses: list[Access] = []

    def __iter__(self) -> Iterator[Access]:
        with self._lock:
            return iter(list(self._accesses))

    def __len__(self) -> int:
        return len(self._accesses)

    def only(self, *, origin: Origin | None = None, method: str | None = None, path: str = "") -> list[Access]:
        """The requests to an origin, with a method, and with a path that matches this regular expression anywhere."""
        return [
            access
            for access in self
            if origin in (None, access.origin) and method in (None, access.method) and re.search(path, access.path)
        ]

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._accesses.clear()

    def append(self, access: Access) -> None:
        """Add an entry."""
        with self._lock:
            self._accesses.append(access)


class LogAccess:
    """ASGI middleware that logs the requests to one origin; outermost, so that it sees what is really sent."""

    def __init__(self, app: ASGIApp, origin: Origin, log: AccessLog) -> None:
        self._app = app
        self._origin: Origin = origin
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log it."""
        entry = _Entry(scope, self._origin, self._log)
        connection: Connection = scope["state"]["connection"]
        connection.before_end = entry.write
        try:
            await self._app(scope, receive, entry.counting(send))
        except Exception:
            _log.exception("the sandbox could not answer %s %s", scope["method"], scope["path"])
            raise
        finally:
            entry.write()


class _Entry:
    def __init__(self, scope: Scope, origin: Origin, log: AccessLog) -> None:
        self._scope = scope
        self._origin: Origin = origin
        self._log = log
        self._at = log.clock()
        self._status: int | None = None
        self._bytes_sent = 0
        self._announced_bytes: int | None = None
        self._written = False

    def counting(self, send: Send) -> Send:
        async def counted(message: Message) -> None:
            self._status = message.get("status", self._status)
            self._bytes_sent += len(message.get("body", b""))
            if message["type"] == "http.response.start":
                announced = Headers(raw=message.get("headers", [])).get("content-length")
                self._announced_bytes = int(announced) if announced else None
            elif not message.get("more_body", False):
                self.write()
            if self._bytes_sent == self._announced_bytes:
                self.write()  # with this message the client has the whole answer, and a test may read the log
            await send(message)

        return counted

    def write(self) -> None:
        if self._written:
            return
        self._written = True
        headers = Headers(scope=self._scope)
        self._log.append(
            Access(
                at=self._at,
                origin=self._origin,
                method=self._scope["method"],
                path=self._scope["path"],
                query=self._scope["query_string"].decode("latin-1"),
                status=self._status,
                had_body=has_body(headers),
                had_authorization="authorization" in headers,
                range=headers.get("range"),
                user_agent=headers.get("user-agent"),
                bytes_sent=self._bytes_sent,
            )
        )


def has_body(headers: Headers) -> bool:
    """Whether a request's headers announce a body that is not empty."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
