"""The API origin: the endpoints of docs/design/recall-api.md, sections 3 to 6, with DELETE for media."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from recall_sandbox.behaviour import Behaviour, Endpoint
from recall_sandbox.bot_creation import BotCreation
from recall_sandbox.clock import Clock
from recall_sandbox.json_views import JsonViews
from recall_sandbox.like_switches import Paging
from recall_sandbox.limits import Limits
from recall_sandbox.links import Links
from recall_sandbox.list_queries import ListQueries
from recall_sandbox.pagination import Ordered, Page, cursor_page, numbered_page, offset_page
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.refusal import Refusal, answer_refusal, not_found
from recall_sandbox.world import World

PREFIX = "/api/v1"
Row = TypeVar("Row", SandboxBot, SandboxRecording, Artifact)
Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """The endpoints. Between requests they keep only rate limits and the answers to Idempotency-Keys."""

    def __init__(self, world: World, behaviour: Behaviour, links: Links, clock: Clock) -> None:
        self._world = world
        self._behaviour = behaviour
        self._links = links
        self._clock = clock
        self._listings = ListQueries(world, behaviour)
        self._limits = Limits(behaviour, clock)
        self._creation = BotCreation(world, behaviour, clock)
        self._views = JsonViews(world, behaviour, self._mint)

    def app(self) -> Starlette:
        """The ASGI application; slash-less paths are redirected (docs/design/recall-api.md, section 1)."""
        routes = [
            self._route("/bot/", "list", "GET", self.list_bots),
            self._route("/bot/", "create", "POST", self.create_bot),
            self._route("/bot/{id}/", "object", "GET", self.read_bot),
            self._route("/recording/", "list", "GET", self.list_recordings),
            self._route("/recording/{id}/", "object", "GET", self.read_recording),
            self._route("/recording/{id}/", "object", "DELETE", self.delete_recording),
            self._route("/audio_mixed/", "list", "GET", self.list_artifacts),
            self._route("/audio_mixed/{id}/", "object", "GET", self.read_artifact),
            self._route("/audio_mixed/{id}/", "object", "DELETE", self.delete_artifact),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: answer_refusal})

    async def list_bots(self, request: Request) -> Response:
        """`{count, next, previous, results}`, by page number unless the behaviour says otherwise."""
        return self._listed("bot", request, self._listings.bots(request.query_params), self._views.bot)

    async def list_recordings(self, request: Request) -> Response:
        """`{next, previous, results}`, by cursor."""
        return self._listed(
            "recording", request, self._listings.recordings(request.query_params), self._views.recording
        )

    async def list_artifacts(self, request: Request) -> Response:
        """`{next, previous, results}`, by cursor."""
        return self._listed(
            "audio_mixed", request, self._listings.artifacts(request.query_params), self._views.artifact
        )

    async def create_bot(self, request: Request) -> Response:
        """201 with the new bot."""
        try:
            body = await request.json()
        except ValueError:
            raise Refusal(400, {"code": "parse_error", "detail": "JSON parse error"}) from None
        bot = await self._creation.create(body, request.headers.get("idempotency-key"))
        return JSONResponse(self._views.bot(bot), 201)

    async def read_bot(self, request: Request) -> Response:
        """One bot."""
        return JSONResponse(self._views.bot(_found(self._world.bots.get(_path_id(request)))))

    async def read_recording(self, request: Request) -> Response:
        """One recording; a deleted one with its status, or 404 if it is `gone`."""
        return JSONResponse(self._views.recording(self._recording(request)))

    async def read_artifact(self, request: Request) -> Response:
        """One artifact with a new link; a deleted one with its status, or 404 if it is `gone`."""
        return JSONResponse(self._views.artifact(self._artifact(request)))

    async def delete_recording(self, request: Request) -> Response:
        """204; deletes the recording and its artifacts permanently."""
        self._world.delete_recording(self._recording(request).id)
        return Response(status_code=204)

    async def delete_artifact(self, request: Request) -> Response:
        """204; deletes the artifact permanently."""
        self._world.delete_artifact(self._artifact(request).id)
        return Response(status_code=204)

    def _recording(self, request: Request) -> SandboxRecording:
        row = _found(self._world.recordings.get(_path_id(request)))
        is_hidden = self._behaviour.deleted_answers_404 and row.status == "deleted"
        return _found(None if row.gone or is_hidden else row)

    def _artifact(self, request: Request) -> Artifact:
        row = _found(self._world.artifacts.get(_path_id(request)))
        return _found(None if row.gone else row)

    def _listed(self, kind: str, request: Request, rows: Ordered[Any], render: Callable[[Any], Any]) -> Response:
        style = self._paging(kind, request)
        page = self._page(style, kind, request, rows)
        counted = {} if style == "cursor" else {"count": len(rows.rows)}
        fields = {**counted, "next": page.next, "previous": page.previous}
        return JSONResponse({**fields, "results": [render(row) for row in page.rows]})

    def _page(self, style: Paging, kind: str, request: Request, rows: Ordered[Any]) -> Page[Any]:
        query, behaviour = request.query_params, self._behaviour
        sizes = (behaviour.page_sizes.get(kind, behaviour.page_size), behaviour.repeat_rows)
        if style == "cursor":
            return cursor_page(rows, request.url, query.get("cursor"), *sizes)
        if style == "offset":
            return offset_page(rows, request.url, query.get("offset", "0"), *sizes)
        return numbered_page(rows, request.url, query.get("page", "1"), *sizes)

    def _paging(self, kind: str, request: Request) -> Paging:
        if kind == "bot" and self._behaviour.use_cursor and request.query_params.get("use_cursor") == "true":
            return "cursor"
        return self._behaviour.paging.get(kind, "page number" if kind == "bot" else "cursor")

    def _mint(self, artifact: Artifact) -> str:
        expires_at = self._clock() + timedelta(seconds=self._behaviour.link_life_seconds)
        return self._links.mint(artifact, int(expires_at.timestamp()), self._behaviour.link_path)

    def _route(self, path: str, kind: Endpoint, method: str, handler: Handler) -> Route:
        async def limited(request: Request) -> Response:
            self._limits.check(f"{method} {path}", kind)
            return await handler(request)

        return Route(PREFIX + path, limited, methods=[method])


def _path_id(request: Request) -> str:
    try:
        return str(UUID(request.path_params["id"]))
    except ValueError:
        raise not_found() from None


def _found(row: Row | None) -> Row:
    if row is None:
        raise not_found()
    return row
