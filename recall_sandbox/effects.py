"""The faults of a single request; a new effect is a frozen dataclass with the method `apply`."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recall_sandbox.connection import Connection
from recall_sandbox.media import error


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One ASGI request, before it is served."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    async def serve(self) -> None:
        """Serve the request normally."""
        await self.app(self.scope, self.receive, self.send)

    async def normal_answer(self) -> Answer:
        """Serve the request, and return the answer without sending it."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, collect)
        start, *rest = messages
        body = b"".join(message.get("body", b"") for message in rest)
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], body, headers)

    async def reply(self, answer: Answer) -> None:
        """Send an answer with the right Content-Length."""
        await self.begin(answer, len(answer.body))
        await self.send({"type": "http.response.body", "body": answer.body})

    async def begin(self, answer: Answer, content_length: int, first_bytes: bytes = b"") -> None:
        """Send the headers, with this Content-Length, and the first bytes of the body."""
        headers = MutableHeaders(dict(answer.headers))
        headers["content-length"] = str(content_length)
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers.raw})
        if first_bytes:
            await self.send({"type": "http.response.body", "body": first_bytes, "more_body": True})

    @property
    def connection(self) -> Connection:
        """The client's connection."""
        connection: Connection = self.scope["state"]["connection"]
        return connection


class Effect(Protocol):
    """A fault that replaces or changes the answer of a request."""

    async def apply(self, call: Call) -> None:
        """Answer the request, or end its connection."""
        ...


@dataclass(frozen=True)
class Reply:
    """A fixed answer; the request does not reach the app."""

    status: int
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def apply(self, call: Call) -> None:
        """Send the fixed answer; a mapping is sent as JSON."""
        if isinstance(self.body, bytes):
            await call.reply(Answer(self.status, self.body, self.headers))
        else:
            headers = {"Content-Type": "application/json", **self.headers}
            await call.reply(Answer(self.status, json.dumps(self.body).encode(), headers))


def throttling(retry_after: str) -> Reply:
    """429 with this Retry-After header: seconds, a date, or an invalid value."""
    body = {"code": "throttled", "detail": "Request was throttled."}
    return Reply(429, body, {"Retry-After": retry_after})


def unavailable(status: int = 503) -> Reply:
    """A gateway's HTML error page with this status."""
    page = f"<html><body><h1>{status} Service Temporarily Unavailable</h1></body></html>"
    return Reply(status, page.encode(), {"Content-Type": "text/html"})


def error_page() -> Reply:
    """A web page with status 200 instead of JSON or audio."""
    return Reply(200, b"<html><body>Please sign in</body></html>", {"Content-Type": "text/html"})


def garbage_json() -> Reply:
    """Status 200 and application/json, truncated within a value."""
    return Reply(200, b'{"next": null, "results": [{"id": "7b0c', {"Content-Type": "application/json"})


def redirect(to: str, status: int = 302) -> Reply:
    """A redirect to the URL `to`."""
    return Reply(status, b"", {"Location": to})


def expired_link() -> Reply:
    """The storage's answer to an expired link: 403."""
    denied = error("AccessDenied")
    return Reply(403, bytes(denied.body), {"Content-Type": "application/xml"})


@dataclass(frozen=True)
class Delay:
    """Serve the request after `seconds`."""

    seconds: float

    async def apply(self, call: Call) -> None:
        """Wait, then serve the request."""
        await asyncio.sleep(self.seconds)
        await call.serve()


@dataclass(frozen=True)
class Cut:
    """Close the connection after exactly `after_bytes` bytes of the body; Content-Length states more."""

    after_bytes: int

    async def apply(self, call: Call) -> None:
        """Send the first bytes, then close the connection."""
        answer = await call.normal_answer()
        await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        call.connection.close()


@dataclass(frozen=True)
class Reset:
    """Reset the connection after about `after_bytes` bytes of the body; None: before the answer starts."""

    after_bytes: int | None = None

    async def apply(self, call: Call) -> None:
        """Send the first bytes, then reset the connection."""
        if self.after_bytes is not None:
            answer = await call.normal_answer()
            await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        call.connection.reset()


@dataclass(frozen=True)
class Stall:
    """Send nothing for `seconds` after `after_bytes` bytes of the body, then close the connection."""

    after_bytes: int
    seconds: float

    async def apply(self, call: Call) -> None:
        """Send the first bytes, wait, then close the connection."""
        answer = await call.normal_answer()
        await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        await asyncio.sleep(self.seconds)
        call.connection.close()


@dataclass(frozen=True)
class Trickle:
    """Send the body in chunks, with a pause after each, as a slow or stalled network does."""

    chunk_bytes: int
    pause_seconds: float

    async def apply(self, call: Call) -> None:
        """Send the answer chunk by chunk."""
        answer = await call.normal_answer()
        await call.begin(answer, len(answer.body))
        for start in range(0, len(answer.body), self.chunk_bytes):
            chunk = answer.body[start : start + self.chunk_bytes]
            is_last = start + len(chunk) == len(answer.body)
            await call.send({"type": "http.response.body", "body": chunk, "more_body": not is_last})
            await asyncio.sleep(self.pause_seconds)


@dataclass(frozen=True)
class IgnoreRange:
    """Answer a range request with the whole body."""

    async def apply(self, call: Call) -> None:
        """Serve the request without its Range header."""
        headers = [(name, value) for name, value in call.scope["headers"] if name != b"range"]
        await call.app({**call.scope, "headers": headers}, call.receive, call.send)


@dataclass(frozen=True)
class Truncate:
    """Serve only the first bytes, with a Content-Length that fits them: HTTP shows no error."""

    kept_bytes: int

    async def apply(self, call: Call) -> None:
        """Send the shortened answer."""
        answer = await call.normal_answer()
        await call.reply(Answer(answer.status, answer.body[: self.kept_bytes], answer.headers))


@dataclass(frozen=True)
class EditJson:
    """Change the JSON of an answer with the function `edit`."""

    edit: Callable[[Any], Any]

    async def apply(self, call: Call) -> None:
        """Send the edited JSON."""
        answer = await call.normal_answer()
        edited = json.dumps(self.edit(json.loads(answer.body))).encode()
        await call.reply(Answer(answer.status, edited, answer.headers))


@dataclass(frozen=True)
class LoopingNext:
    """A list page whose `next` is the URL of that page."""

    async def apply(self, call: Call) -> None:
        """Send the page with its own URL as `next`."""
        query = call.scope["query_string"].decode()
        host = dict(call.scope["headers"])[b"host"].decode()
        url = f"http://{host}{call.scope['path']}?{query}"
        await EditJson(lambda page: {**page, "next": url}).apply(call)


@dataclass(frozen=True)
class ForeignNext:
    """A list page whose `next` is `url`, on another host."""

    url: str

    async def apply(self, call: Call) -> None:
        """Send the page with the foreign URL as `next`."""
        await EditJson(lambda page: {**page, "next": self.url}).apply(call)
