"""ASGI application that receives webhooks (docs/design/recall-api.md, section 8). TLS is up to its server or proxy.

An event is durable before the 2xx response, after which Recall stops its attempts. A refused request stores nothing.
Bodies and secrets are never logged.
"""

import asyncio
import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from recall_pipeline.days import utc_now
from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import check_identity, open_archive
from recall_pipeline.webhooks.event_store import EventStore
from recall_pipeline.webhooks.events import Event
from recall_pipeline.webhooks.signature import SignatureVerifier, Unsigned

MAX_BODY_BYTES = 1_000_000
_BODY_TIMEOUT_SECONDS = 10.0
_STORE_TIMEOUT_SECONDS = 10.0  # Recall closes the connection after 15, and sends the event again
_CLOSE = {"Connection": "close"}
_log = logging.getLogger(__name__)


def webhook_app(settings: Settings | None = None) -> Starlette:
    """Return the application: POST on any path receives a webhook, GET /health answers 200.

    Raises SettingsError without RECALL_WEBHOOK_SECRET, and ArchiveRefused for the archive of another API. Other ASGI
    servers can use it as a factory, for example
    `uvicorn --factory recall_pipeline.webhooks.receiver:webhook_app`.
    """
    settings = settings or load_settings()
    signatures, archive = SignatureVerifier(settings.required_webhook_secrets()), open_archive(settings)
    check_identity(archive, settings)
    receiver = _Receiver(signatures, EventStore(archive))
    routes = [
        Route("/health", _health, methods=["GET"]),
        Route("/{path:path}", receiver.receive, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refusal, ClientDisconnect: _client_gone})


class _Receiver:
    def __init__(self, signatures: SignatureVerifier, event_store: EventStore) -> None:
        self._signatures = signatures
        self._event_store = event_store

    async def receive(self, request: Request) -> Response:
        body = await _body(request)
        try:
            event_id = self._signatures.verified_id(request.headers, body)
        except Unsigned as refused:
            raise HTTPException(401, str(refused)) from None
        event = Event.from_webhook(event_id, body, utc_now())
        if event is None:
            raise HTTPException(400, "Not a Recall.ai event: send JSON with `event` and `data`")
        await self._store(event)
        return Response(status_code=204)

    async def _store(self, event: Event) -> None:
        try:
            async with asyncio.timeout(_STORE_TIMEOUT_SECONDS):
                is_new = await asyncio.to_thread(self._event_store.store, event)
        except (StorageError, TimeoutError) as error:
            _log.error("event %s not stored, Recall will send it again: %s", event.event_id, error or "storage timeout")
            raise HTTPException(503, "The event could not be stored: send it again") from None
        _log.info("event %s %s %s", event.event_id, event.type, "stored" if is_new else "already pending")


async def _body(request: Request) -> bytes:
    """Return the raw body; raise HTTPException if it is too large or too slow."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise HTTPException(413, f"A webhook has at most {MAX_BODY_BYTES} bytes", _CLOSE)
    except TimeoutError:
        raise HTTPException(408, "The body took too long", _CLOSE) from None
    return bytes(body)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _refusal(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)  # noqa: S101 -- starlette hands over what was asked for
    if refusal.status_code < 500:
        _log.warning("refused with %s: %s", refusal.status_code, refusal.detail)
    return JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)


async def _client_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # the client is gone, so this is not sent
