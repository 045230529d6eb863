"""The storage origin: serves an artifact's bytes for a valid link, without an API key."""

import re
from asyncio import to_thread
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Scope

from recall_sandbox.clock import Clock
from recall_sandbox.content import Content, body_of, digest_of
from recall_sandbox.links import Links
from recall_sandbox.world import World

_CHUNK_BYTES = 64 * 1024
_MESSAGES = {
    "AccessDenied": "Request has expired",
    "SignatureDoesNotMatch": "The request signature we calculated does not match the signature you "
    "provided. Check your key and signing method.",
    "NoSuchKey": "The specified key does not exist.",
}


class Media:
    """Answers like S3: XML errors, ranges, ETags; HEAD is refused, since the signature is for GET."""

    def __init__(self, world: World, links: Links, clock: Clock) -> None:
        self._world = world
        self._links = links
        self._clock = clock

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/{path:path}", self.serve, methods=["GET", "HEAD", "PUT", "POST"])])

    async def serve(self, request: Request) -> Response:
        """Serve an artifact, or the requested range of it."""
        now_seconds = self._clock().timestamp()
        if request.method != "GET" or "authorization" in request.headers:
            return error("SignatureDoesNotMatch")
        if code := self._links.error_code(raw_path(request.scope), request.query_params, now_seconds):
            return error(code)
        artifact = self._world.artifacts.get(request.url.path.rpartition("/")[2].partition(".")[0])
        if artifact is None or artifact.content is None:
            return error("NoSuchKey")
        return await _answer(request, artifact.content)


def raw_path(scope: Scope) -> str:
    """Return the path of a request as it was sent, escapes included."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1").partition("?")[0]


def error(code: str) -> Response:
    """An S3 error document: 404 for NoSuchKey, else 403."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{_MESSAGES[code]}</Message></Error>"
    )
    return Response(text, 404 if code == "NoSuchKey" else 403, media_type="application/xml")


async def _answer(request: Request, content: Content) -> Response:
    body = await to_thread(body_of, content)
    etag = f'"{digest_of(content).md5}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": content.media_type}
    if request.headers.get("if-range", etag) != etag or "range" not in request.headers:
        return _stream(body, 200, headers)
    if (span := _span(request.headers["range"], len(body))) is None:
        return _stream(body, 200, headers)
    if span.start >= span.stop:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{len(body)}"
    return _stream(body[span.start : span.stop], 206, headers)


def _span(header: str, size_bytes: int) -> range | None:
    """The byte range of a Range header (RFC 9110 section 14.1.2); empty if unsatisfiable, None if ignored."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        return range(max(0, size_bytes - int(last)), size_bytes)
    return range(int(first), min(size_bytes, int(last) + 1) if last else size_bytes)


def _stream(body: bytes, status: int, headers: dict[str, str]) -> Response:
    return StreamingResponse(_chunks(body), status, headers | {"Content-Length": str(len(body))})


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK_BYTES):
        yield body[start : start + _CHUNK_BYTES]
