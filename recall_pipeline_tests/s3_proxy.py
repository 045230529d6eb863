"""A proxy in front of the S3 server, with faults on request, that records all requests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from recall_sandbox.connection import HttpProtocol
from recall_sandbox.effects import Call
from recall_sandbox.faults import FaultPlan, Faults

_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"]
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True)
class LoseReply:
    """Carry out the request, and reset the connection instead of answering."""

    async def apply(self, call: Call) -> None:
        """Serve the request, and drop its answer."""
        await call.normal_answer()
        call.connection.reset()


@dataclass(frozen=True)
class CutUpload:
    """Read the first part of the request, and reset the connection: the server does not receive it."""

    async def apply(self, call: Call) -> None:
        """Read one message, then reset the connection."""
        await call.receive()
        call.connection.reset()


@dataclass
class ProxiedRequest:
    """One request to the proxy."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


@dataclass
class S3Proxy:
    """A proxy at `url` for the server at `target`, with its fault plan and the requests `seen`."""

    target: str
    faults: FaultPlan = field(default_factory=FaultPlan)
    seen: list[ProxiedRequest] = field(default_factory=list)
    url: str = ""

    async def forward(self, request: Request) -> Response:
        """Forward a request unchanged, with its `Host`, since the signature covers it."""
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        url = f"{self.target}{request.scope['raw_path'].decode()}?{request.url.query}".rstrip("?")
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            answer = await http.request(request.method, url, headers=headers, content=await request.body())
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        return Response(answer.content, answer.status_code, kept)

    def uploads(self) -> list[ProxiedRequest]:
        """All PUT requests; each part of a multipart upload is one."""
        return [seen for seen in self.seen if seen.method == "PUT"]

    def _recorded(self, app: ASGIApp) -> ASGIApp:
        async def record(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            self.seen.append(ProxiedRequest(request.method, request.url.path, request.url.query, dict(request.headers)))
            await app(scope, receive, send)

        return record

    @contextmanager
    def running(self) -> Iterator["S3Proxy"]:
        """Serve until the block ends."""
        app = Starlette(routes=[Route("/{path:path}", self.forward, methods=_METHODS)])
        faulty = self._recorded(Faults(app, "media", self.faults))
        config = uvicorn.Config(faulty, port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="s3 proxy")
        thread.start()
        try:
            while not server.started:
                threading.Event().wait(0.01)
            self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            yield self
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
