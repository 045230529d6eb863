"""The ASGI application that answers webhooks (docs/design/recall-api.md, section 8); TLS is its server's or proxy's.

An event is durable before the 2xx that ends Recall's tries. What is refused leaves nothing, and neither a body nor a
secret is ever logged.
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
from recall_pipeline.storage import open_archive
from recall_pipeline.webhooks.event_store import EventStore
from recall_pipeline.webhooks.events import Event
from recall_pipeline.webhooks.signature import SignatureVerifier, signed_headers

LARGEST_BODY_BYTES = 1_000_000
_BODY_SECONDS = 10.0
_STORING_SECONDS = 10.0  # Recall gives up after 15, and tries again
_CLOSE = {"Connection": "close"}
_log = logging.getLogger(__name__)


def webhook_app(settings: Settings | None = None) -> Starlette:
    """Return the application: POST takes a webhook on any path, GET /health tells that it serves.

    Raises SettingsError without RECALL_WEBHOOK_SECRET. Another server than ours takes it as a factory, for instance
    `uvicorn --factory recall_pipeline.webhooks.receiver:webhook_app`.
    """
    settings = settings or load_settings()
    receiver = _Receiver(SignatureVerifier(settings.required_webhook_secrets()), EventStore(open_archive(settings)))
    routes = [
        Route("/health", _health, methods=["GET"]),
        Route("/{path:path}", receiver.take, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused, ClientDisconnect: _client_gone})


class _Receiver:
    def __init__(self, signatures: SignatureVerifier, inbox: EventStore) -> None:
        self._signatures = signatures
        self._inbox = inbox

    async def take(self, request: Request) -> Response:
        body = await _body(request)
        if fault := self._signatures.fault(request.headers, body):
            raise HTTPException(401, fault)
        signed = signed_headers(request.headers) or {}
        event = Event.told(signed["webhook-id"], body, utc_now())
        if event is None:
            raise HTTPException(400, "This is no event of Recall.ai's: JSON with `event` and `data` is expected")
        await self._keep(event)
        return Response(status_code=204)

    async def _keep(self, event: Event) -> None:
        try:
            async with asyncio.timeout(_STORING_SECONDS):
                is_new = await asyncio.to_thread(self._inbox.keep, event)
        except (StorageError, TimeoutError) as fault:
            _log.error("event %s is left to Recall's next try: %s", event.event_id, fault or "the storage is too slow")
            raise HTTPException(503, "The event could not be stored: send it again") from None
        _log.info("event %s %s %s", event.event_id, event.type, "kept" if is_new else "waits already")


async def _body(request: Request) -> bytes:
    """Return the body as it came, or refuse one that is too large or comes too slowly."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY_BYTES:
                    raise HTTPException(413, f"A webhook has at most {LARGEST_BODY_BYTES} bytes", _CLOSE)
    except TimeoutError:
        raise HTTPException(408, "The body came too slowly", _CLOSE) from None
    return bytes(body)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)  # noqa: S101 -- starlette hands over what was asked for
    if refusal.status_code < 500:
        _log.warning("refused with %s: %s", refusal.status_code, refusal.detail)
    return JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)


async def _client_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it any more
