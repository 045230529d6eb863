"""The ASGI application of the archive page."""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from recall_pipeline.browse.day_page import day_page
from recall_pipeline.browse.overview import overview
from recall_pipeline.browse.pages import STATIC_FILES, Pages, static_content
from recall_pipeline.browse.protection import Protection
from recall_pipeline.browse.recording_page import recording_audio, recording_json, recording_page
from recall_pipeline.browse.search_page import find_recording, search_page
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

Handler = Callable[[Pages, Request], Response]
_log = logging.getLogger(__name__)
_ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", overview),
    ("/search", search_page),
    ("/days/{day}", day_page),
    ("/days/{day}/{recording_id}.json", recording_json),
    ("/days/{day}/{recording_id}", recording_page),
    ("/days/{day}/{recording_id}/{audio_id}/{kind}", recording_audio),
    ("/recordings/{recording_id}", find_recording),
)


class ArchivePage:
    """The page of an archive as an ASGI application; `start` lets it index, and `close` ends its threads.

    `page_url` is the address under which readers reach it, if that is not a loopback address. Behind a proxy, its path
    is the root of every link.
    """

    def __init__(self, archive: Archive, *, page_url: str | None = None, is_behind_proxy: bool = False) -> None:
        address = urlsplit(page_url or "")
        self.pages = Pages.of(archive, address.path.rstrip("/") if is_behind_proxy else "")
        names = frozenset({(address.hostname or "").rstrip(".")} - {""})
        routes = [Route(path, self._endpoint(handler), methods=["GET"]) for path, handler in _ROUTES]
        routes += [
            Route("/static/{name}", _static, methods=["GET"]),
            Route("/health", _page_health, methods=["GET"]),
        ]
        starlette = Starlette(
            routes=routes, exception_handlers={StorageError: self._unreadable, HTTPException: self._refused}
        )
        starlette.router.redirect_slashes = False  # the path behind a proxy is not that of the address
        # Outside of Starlette, so that its answers to errors are protected too.
        self._app = Protection(starlette, names, is_behind_proxy=is_behind_proxy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    def warm_up(self) -> None:
        """Import what the first answer would wait for."""
        import pyarrow.compute
        import pyarrow.parquet  # noqa: F401

        self.pages.templates.get_template("overview.html")

    def start(self) -> None:
        """Begin to index the archive."""
        self.pages.indexer.start()

    def close(self) -> None:
        """End the threads, and remove the search index."""
        self.pages.close()

    def _endpoint(self, handler: Handler) -> Callable[[Request], Response]:
        return lambda request: handler(self.pages, request)

    def _unreadable(self, _: Request, error: Exception) -> Response:
        _log.warning("%s", error)
        return self.pages.message(503, "The archive cannot be read", str(error))

    def _refused(self, _: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self.pages.message(status, "No such page", "There is nothing at this address.")


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC_FILES:
        raise HTTPException(404)
    headers = {"Cache-Control": "max-age=86400"}
    return Response(static_content(name), media_type=STATIC_FILES[name], headers=headers)


def _page_health(_: Request) -> Response:
    return PlainTextResponse("ok\n")
