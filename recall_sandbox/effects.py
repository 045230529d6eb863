"""What can go wrong with one request; a new effect is one more frozen dataclass with `happen`."""

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
    """A whole answer, true or invented."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request at the moment when something may happen to it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    async def go_on(self) -> None:
        """Let it be served as ever."""
        await self.app(self.scope, self.receive, self.send)

    async def true_answer(self) -> Answer:
        """Serve it, but hold the answer back."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, hold)
        start, *rest = messages
        body = b"".join(message.get("body", b"") for message in rest)
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], body, headers)

    async def reply(self, answer: Answer) -> None:
        """Answer it, with the Content-Length that fits the body."""
        await self.begin(answer, len(answer.body))
        await self.send({"type": "http.response.body", "body": answer.body})

    async def begin(self, answer: Answer, content_length: int, first_bytes: bytes = b"") -> None:
        """Send the head and the first bytes of an answer that announces `content_length` bytes."""
        headers = MutableHeaders(dict(answer.headers))
        headers["content-length"] = str(content_length)
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers.raw})
        if first_bytes:
            await self.send({"type": "http.response.body", "body": first_bytes, "more_body": True})

    @property
    def connection(self) -> Connection:
        """The connection it came on."""
        connection: Connection = self.scope["state"]["connection"]
        return connection


class Effect(Protocol):
    """Something that happens to a request instead of, or besides, its answer."""

    async def happen(self, call: Call) -> None:
        """Take the request's answer into one's own hands."""
        ...


@dataclass(frozen=True)
class Reply:
    """Answer with this instead; the app never sees the request."""

    status: int
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def happen(self, call: Call) -> None:
        """Answer."""
        if isinstance(self.body, bytes):
            await call.reply(Answer(self.status, self.body, self.headers))
        else:
            headers = {"Content-Type": "application/json", **self.headers}
            await call.reply(Answer(self.status, json.dumps(self.body).encode(), headers))


def throttling(retry_after: str) -> Reply:
    """429 with this Retry-After: seconds, a date, or nonsense."""
    body = {"code": "throttled", "detail": "Request was throttled."}
    return Reply(429, body, {"Retry-After": retry_after})


def unavailable(status: int = 503) -> Reply:
    """A gateway's error page."""
    page = f"<html><body><h1>{status} Service Temporarily Unavailable</h1></body></html>"
    return Reply(status, page.encode(), {"Content-Type": "text/html"})


def error_page() -> Reply:
    """A web page with 200, where JSON or audio should be."""
    return Reply(200, b"<html><body>Please sign in</body></html>", {"Content-Type": "text/html"})


def garbage_json() -> Reply:
    """200 and application/json, cut in the middle of a value."""
    return Reply(200, b'{"next": null, "results": [{"id": "7b0c', {"Content-Type": "application/json"})


def redirect(to: str, status: int = 302) -> Reply:
    """Elsewhere."""
    return Reply(status, b"", {"Location": to})


def expired_link() -> Reply:
    """What storage says of a link whose time is over."""
    denied = error("AccessDenied")
    return Reply(403, bytes(denied.body), {"Content-Type": "application/xml"})


@dataclass(frozen=True)
class Delay:
    """Wait before serving it."""

    seconds: float

    async def happen(self, call: Call) -> None:
        """Wait, then go on."""
        await asyncio.sleep(self.seconds)
        await call.go_on()


@dataclass(frozen=True)
class Cut:
    """Close the connection after exactly so many bytes of the body, short of its Content-Length."""

    after_bytes: int

    async def happen(self, call: Call) -> None:
        """Begin well, then hang up."""
        answer = await call.true_answer()
        await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        call.connection.close()


@dataclass(frozen=True)
class Reset:
    """Reset the connection after about so many bytes of the body; None: before the answer begins."""

    after_bytes: int | None = None

    async def happen(self, call: Call) -> None:
        """Begin well, then break."""
        if self.after_bytes is not None:
            answer = await call.true_answer()
            await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        call.connection.reset()


@dataclass(frozen=True)
class Stall:
    """Fall silent for `seconds` after so many bytes of the body, then hang up."""

    after_bytes: int
    seconds: float

    async def happen(self, call: Call) -> None:
        """Begin well, then say nothing."""
        answer = await call.true_answer()
        await call.begin(answer, len(answer.body), answer.body[: self.after_bytes])
        await asyncio.sleep(self.seconds)
        call.connection.close()


@dataclass(frozen=True)
class Trickle:
    """Send the body in small pieces, with a pause after each; a slow line, or one that is as good as dead."""

    chunk_bytes: int
    pause_seconds: float

    async def happen(self, call: Call) -> None:
        """Answer bit by bit."""
        answer = await call.true_answer()
        await call.begin(answer, len(answer.body))
        for start in range(0, len(answer.body), self.chunk_bytes):
            chunk = answer.body[start : start + self.chunk_bytes]
            is_last = start + len(chunk) == len(answer.body)
            await call.send({"type": "http.response.body", "body": chunk, "more_body": not is_last})
            await asyncio.sleep(self.pause_seconds)


@dataclass(frozen=True)
class ForgetRange:
    """Answer a request for a range with the whole."""

    async def happen(self, call: Call) -> None:
        """Serve it as if no range had been asked for."""
        headers = [(name, value) for name, value in call.scope["headers"] if name != b"range"]
        await call.app({**call.scope, "headers": headers}, call.receive, call.send)


@dataclass(frozen=True)
class Truncate:
    """Serve only the first bytes, and announce no more than these: nothing on the wire looks wrong."""

    kept_bytes: int

    async def happen(self, call: Call) -> None:
        """Answer with less."""
        answer = await call.true_answer()
        await call.reply(Answer(answer.status, answer.body[: self.kept_bytes], answer.headers))


@dataclass(frozen=True)
class EditJson:
    """Change an answer's JSON on its way out."""

    edit: Callable[[Any], Any]

    async def happen(self, call: Call) -> None:
        """Answer with what `edit` makes of the truth."""
        answer = await call.true_answer()
        edited = json.dumps(self.edit(json.loads(answer.body))).encode()
        await call.reply(Answer(answer.status, edited, answer.headers))


@dataclass(frozen=True)
class LoopingNext:
    """A list page whose `next` is the page itself."""

    async def happen(self, call: Call) -> None:
        """Point back."""
        query = call.scope["query_string"].decode()
        host = dict(call.scope["headers"])[b"host"].decode()
        url = f"http://{host}{call.scope['path']}?{query}"
        await EditJson(lambda page: {**page, "next": url}).happen(call)


@dataclass(frozen=True)
class ForeignNext:
    """A list page whose `next` is at another host."""

    url: str

    async def happen(self, call: Call) -> None:
        """Point elsewhere."""
        await EditJson(lambda page: {**page, "next": self.url}).happen(call)
