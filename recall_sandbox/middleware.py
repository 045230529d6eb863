"""Checks before every endpoint: firewall and API key (docs/design/recall-api.md, section 1)."""

import re
from itertools import cycle

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from recall_sandbox.access_log import has_body
from recall_sandbox.refusal import Refusal, answer_refusal

_BODIES_OF_401 = (
    {"detail": "Invalid token."},
    {"code": "authentication_failed", "detail": "Invalid token."},
)


class RequestGuard:
    """ASGI middleware that answers 403 to a GET with a body, and 401 to a wrong API key."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._api_key = api_key
        self._bodies_of_401 = cycle(_BODIES_OF_401)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 or 401."""
        try:
            self._check(scope["method"], Headers(scope=scope))
        except Refusal as refused:
            response = await answer_refusal(Request(scope), refused)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, method: str, headers: Headers) -> None:
        if method == "GET" and has_body(headers):
            detail = "Request blocked: a GET request must not have a body."
            raise Refusal(403, {"code": "request_blocked", "detail": detail})
        sent = headers.get("authorization", "")
        if re.sub(r"^Token ", "", sent) != self._api_key:
            raise Refusal(401, next(self._bodies_of_401))
