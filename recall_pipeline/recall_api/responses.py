"""Convert an HTTP response to JSON, or to a typed error with its next action (docs/design/recall-api.md, section 2)."""

import contextlib
import json
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from recall_pipeline.days import utc_now
from recall_pipeline.errors import (
    RecallError,
    RecallNotFound,
    RecallProtocolError,
    RecallRefused,
    RecallThrottled,
    RecallUnauthorized,
    RecallUnreachable,
)
from recall_pipeline.http import is_web_page
from recall_pipeline.redaction import redact

_MAX_DETAIL_CHARACTERS = 300
_SIGN_IN = ", and whether your network has a proxy or a sign-in page in between"
_NOT_OF_A_FIREWALL = frozenset({401, 404, 409, 429})
"""Refusals with a meaning of their own for the caller, whatever their body is."""
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NEXT_ACTIONS = {
    400: "the request is wrong; if a command made it, correct its arguments",
    402: "the workspace is out of credit: add some in Recall's dashboard",
    403: "the firewall or the workspace's rules forbid the request: check the key's permissions",
    405: "the API does not allow this method: check RECALL_API_URL",
    409: "the request conflicts with another one: try again in a minute",
    507: "the pool of ad-hoc bots is empty: try again in 30 s, or schedule the bot 10 minutes ahead",
}


class RetryableError(Exception):
    """Wraps an error that a retry may resolve; `after_seconds` is the server's `Retry-After`, if any."""

    def __init__(self, error: RecallError, after_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after_seconds = after_seconds


def json_from_response(response: httpx.Response, what: str) -> Any:
    """Return the JSON of a 2xx response (None for 204); raise RecallError, or RetryableError if a retry may help."""
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    if not response.is_success:
        raise _error_from(response, what)
    try:
        return _parsed(response.content)
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "no content type")
        # An error page of a proxy or a truncated body: the next response may be complete.
        action = f"check RECALL_API_URL{_SIGN_IN if _is_page(response) else ''}"
        raise RetryableError(RecallProtocolError(f"{what}: the response is not JSON ({kind}): {action}")) from None


def _parsed(content: bytes) -> Any:
    """Parse JSON; NaN becomes null and a lone surrogate becomes `?`, because no table could store them."""
    value = json.loads(content.decode("utf-8-sig"), parse_constant=lambda _: None)  # RFC 8259 section 8.1: UTF-8 only
    if not _LONE_SURROGATE.search(content):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _error_from(response: httpx.Response, what: str) -> Exception:
    status = response.status_code
    message = f"{what}: HTTP {status}{_detail(response)}"
    if status == httpx.codes.UNAUTHORIZED:
        cause = f"{response.url.host} does not accept the key: it is wrong or revoked, or it belongs to another region"
        action = "check RECALL_API_KEY and RECALL_REGION (`recall-pipeline doctor` finds which one)"
        return RecallUnauthorized(f"{message}: {cause}; {action}", status)
    if status == httpx.codes.FORBIDDEN and not _is_of_api(response):
        form = "a web page" if _is_page(response) else "a body that is not the API's"
        return RecallRefused(
            f"{message}, with {form}: a firewall refuses the IP address that this machine sends from (its cloud "
            "network, NAT, VPN or proxy), whatever the key: send from another network, or ask Recall.ai to allow it",
            status,
        )
    if response.is_client_error and status not in _NOT_OF_A_FIREWALL and _is_page(response):
        return RecallRefused(
            f"{message}, with a web page: it is not from the API: check RECALL_API_URL{_SIGN_IN}", status
        )
    if status == httpx.codes.NETWORK_AUTHENTICATION_REQUIRED:
        action = "your network requires a login: open its sign-in page, or check the proxy"
        return RetryableError(RecallUnreachable(f"{message}: {action}", status))
    if status == httpx.codes.NOT_FOUND:
        return RecallNotFound(
            f"{message}: the object was deleted or never existed; if all objects are missing, check RECALL_API_URL",
            status,
        )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        action = "the workspace's request limit is reached: lower RECALL_LIST_RPM and RECALL_OBJECT_RPM, or try later"
        return RetryableError(RecallThrottled(f"{message}: {action}", status), retry_after_seconds(response))
    if status == httpx.codes.CONFLICT:
        return RetryableError(RecallRefused(f"{message}: {_NEXT_ACTIONS[status]}", status))
    if response.is_server_error and status != httpx.codes.INSUFFICIENT_STORAGE:
        action = "Recall.ai is overloaded or down: try again later"
        return RetryableError(RecallUnreachable(f"{message}: {action}", status), retry_after_seconds(response))
    if response.is_redirect:
        return RecallProtocolError(
            f"{message}: a redirect{_to_host(response)}, which is not followed because it could leak the key: "
            f"check RECALL_API_URL{_SIGN_IN}",
            status,
        )
    action = _NEXT_ACTIONS.get(status, "the request is refused: check its arguments")
    return RecallRefused(f"{message}: {action}", status)


def _is_page(response: httpx.Response) -> bool:
    return is_web_page(response.headers.get("content-type", ""), response.content)


def _is_of_api(response: httpx.Response) -> bool:
    """Whether an error has the form of the API's errors: a JSON object with `detail` or `code`."""
    with contextlib.suppress(ValueError, RecursionError):
        body = response.json()
        return isinstance(body, dict) and not body.keys().isdisjoint(("detail", "code"))
    return False


def _to_host(response: httpx.Response) -> str:
    """Return ` to HOST` for a redirect to another host; its path and query may have secrets."""
    with contextlib.suppress(ValueError):
        host = urlsplit(response.headers.get("location", "")).hostname
        return f" to {host}" if host and host != response.url.host else ""
    return ""


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Return `Retry-After` in seconds, from a number or a date; None if it is missing or invalid."""
    value = response.headers.get("retry-after", "").strip()
    with contextlib.suppress(ValueError, OverflowError):
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    with contextlib.suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - utc_now()).total_seconds())
    return None


def _detail(response: httpx.Response) -> str:
    """Return the error message in the response body: `detail`, or the messages by field; redacted and shortened."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict) or not body:
        return ""
    message = body.get("detail") or "; ".join(f"{field}: {_joined(words)}" for field, words in body.items())
    text = redact(str(message))
    if key := response.request.headers.get("authorization", "").removeprefix("Token "):
        text = text.replace(key, "…")
    return f" ({text[:_MAX_DETAIL_CHARACTERS]})"


def _joined(words: object) -> str:
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)
