"""ASGI middleware that changes regular answers to what a report describes: `ReportedAnswers`."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recall_sandbox.behaviour import Behaviour
from recall_sandbox.effects import Answer, Call, Reply, redirect
from recall_sandbox.like_fields import shaped
from recall_sandbox.media import raw_path

_PATH = re.compile(r"/api/v1/(?P<kind>bot|recording|audio_mixed)/(?P<id>[0-9a-f-]*)/?$")
_PAGE = "<html><body><h1>Access denied</h1></body></html>"
_BODIES: Mapping[str, bytes] = {
    "HTML or XML": _PAGE.encode(),
    "not JSON": b"OK",
    "empty": b"",
    "list": b"[]",
    "other JSON": b"7",
    "object": b'{"data": []}',
}


class ApiAsReported:
    """Delays, refusals, other bodies, `next` elsewhere and other shapes of fields, on the API's origin."""

    def __init__(self, app: ASGIApp, behaviour: Behaviour) -> None:
        self._app = app
        self._behaviour = behaviour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = _PATH.search(scope["path"]) if self._behaviour.changes_json else None
        call = Call(self._app, scope, receive, send)
        if found is None or scope["method"] != "GET":
            await call.serve()
        elif found["id"]:
            await self._object(call, found["kind"])
        else:
            await self._list(call, found["kind"])

    async def _object(self, call: Call, kind: str) -> None:
        answer = await call.normal_answer()
        await call.reply(_edited(answer, lambda body: shaped(self._behaviour, kind, self._row(body, kind))))

    async def _list(self, call: Call, kind: str) -> None:
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.seconds.get(kind, 0))
        if status := behaviour.refusals.get(kind):
            await _refusal_with(status).apply(call)
            return
        answer = await call.normal_answer()
        if answer.status == 200 and (body := behaviour.bodies.get(kind)):
            is_json = body not in ("HTML or XML", "not JSON", "empty")
            content_type = "application/json" if is_json else "text/html"
            answer = Answer(200, _BODIES.get(body, b"{}"), {"Content-Type": content_type})
        await call.reply(_edited(answer, lambda page: self._page(page, kind, call)))

    def _page(self, page: Any, kind: str, call: Call) -> Any:
        if not isinstance(page, dict) or "results" not in page:
            return page
        if self._behaviour.all_media_expired and kind != "bot":
            return {**page, "next": None, "results": []}
        following = page["next"] and self._next(page["next"], call)
        rows = [self._row(row, kind) for row in page["results"]]
        return {**page, "next": following, "results": shaped(self._behaviour, kind, rows)}

    def _row(self, row: Any, kind: str) -> Any:
        if not self._behaviour.all_media_expired or kind != "bot":
            return row
        expired = {**row["status_changes"][-1], "code": "media_expired"}
        return {**row, "recordings": [], "status_changes": [*row["status_changes"], expired]}

    def _next(self, url: str, call: Call) -> Any:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}"
        query = call.scope["query_string"].decode()
        places: Mapping[str, Any] = {
            "same host": url,
            "same host, other scheme": f"https://{parts.netloc}{path}",
            "relative": path,
            "another host of Recall.ai": f"https://other.recall.ai{path}",
            "another host": f"https://other.invalid{path}",
            "another path": f"{parts.scheme}://{parts.netloc}/elsewhere{path}",
            "not a URL": 7,
            "unreadable": "http://[",
            "the same page": f"{parts.scheme}://{parts.netloc}{parts.path}?{query}",
        }
        return places[self._behaviour.next_page]


def _refusal_with(status: int) -> Reply:
    """Return the answer for a status; 403 is the firewall's page (docs/design/recall-api.md, section 1)."""
    if status == 403:
        return Reply(status, _PAGE.encode(), {"Content-Type": "text/html"})
    headers = {"Retry-After": "1"} if status == 429 else {}
    return Reply(status, {"code": "refused", "detail": "Refused, as the report says."}, headers)


def _edited(answer: Answer, edit: Any) -> Answer:
    """Return an answer with its JSON changed; everything else is left as it is."""
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("application/json"):
        return answer
    return Answer(200, json.dumps(edit(json.loads(answer.body))).encode(), answer.headers)


class MediaAsReported:
    """Redirects, refusals, and headers of the storage origin."""

    def __init__(self, app: ASGIApp, behaviour: Behaviour) -> None:
        self._app = app
        self._behaviour = behaviour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        behaviour = self._behaviour
        call = Call(self._app, scope, receive, send)
        query = scope["query_string"].decode()
        if behaviour.redirects and "redirected=1" not in query:
            await redirect(f"{raw_path(scope)}?{query}&redirected=1").apply(call)
        elif behaviour.media_error:
            status, code = behaviour.media_error
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
            await Reply(status, text.encode(), {"Content-Type": "application/xml"}).apply(call)
        else:
            await self._app(self._without_range(scope), receive, self._with_headers(send))

    def _without_range(self, scope: Scope) -> Scope:
        if self._behaviour.ranges:
            return scope
        return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}

    def _with_headers(self, send: Send) -> Send:
        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                self._change(headers, message["status"])
                message = {**message, "headers": headers.raw}
            await send(message)

        return changed

    def _change(self, headers: MutableHeaders, status: int) -> None:
        behaviour = self._behaviour
        if behaviour.etag != "strong" and "etag" in headers:
            headers["etag"] = f"W/{headers['etag']}"
            if behaviour.etag == "none":
                del headers["etag"]
        if behaviour.media_type and status < 300:
            headers["content-type"] = behaviour.media_type
        if not behaviour.has_length:
            del headers["content-length"]
            if "content-range" in headers:
                headers["content-range"] = re.sub(r"/\d+$", "/*", headers["content-range"])
