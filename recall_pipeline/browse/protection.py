"""Protection against other web sites: methods, the Host header, and the headers of every answer."""

import ipaddress
import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recall_pipeline.settings import is_loopback

_METHODS = ("GET", "HEAD")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/?#@\s]+)(?::\d{0,5})?", re.ASCII)
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Headers of every answer. Another Cache-Control of an answer stays."""


class Protection:
    """Middleware that answers GET and HEAD for this page's own host names only, and adds the headers to every answer.

    A name that an attacker resolves to this machine (DNS rebinding) is not among its own names. `names` are further
    host names in lower case; behind a proxy, addresses are accepted too, which nobody can rebind.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str], *, is_behind_proxy: bool) -> None:
        self._app = app
        self._names = names
        self._is_behind_proxy = is_behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(list(message.get("headers", ())))
            await send(message)

        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send_protected)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if scope["method"] not in _METHODS:
            return PlainTextResponse("This page is read-only: use GET or HEAD\n", 405, {"Allow": ", ".join(_METHODS)})
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return PlainTextResponse(
                "This page does not answer for that host name: use its loopback address, or set RECALL_PAGE_URL\n", 421
            )
        return None

    def _is_own(self, host: str) -> bool:
        found = _HOST.fullmatch(host.lower())
        name = found[1].removesuffix(".") if found else ""
        if name in self._names or name == "localhost":
            return True
        address = name[1:-1] if name.startswith("[") else name
        return _is_address(address) and (self._is_behind_proxy or is_loopback(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _with_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    return [*headers, *((name, value) for name, value in encoded if name not in present)]
