"""Turn an HTTP answer into its JSON, or into one error with cause and cure (docs/design/recall-api.md, section 2)."""

import contextlib
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from recall_pipeline.errors import (
    RecallError,
    RecallNotFound,
    RecallProtocolError,
    RecallRefused,
    RecallThrottled,
    RecallUnauthorized,
    RecallUnreachable,
)
from recall_pipeline.redaction import redact

_LONGEST_DETAIL = 300
_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_CURES = {
    400: "the request is wrong; if a command made it, correct its arguments",
    402: "the workspace is out of credit: add some in Recall's dashboard",
    403: "the firewall or the workspace's rules forbid it: check the key's permissions",
    405: "the API does not allow this here: check RECALL_API_URL",
    409: "it conflicts with another request: try again in a minute",
    507: "the pool of ad-hoc bots is empty: try again in 30 s, or schedule the bot 10 minutes ahead",
}


class RetryableError(Exception):
    """Carries an error that a retry may cure, and how long the server asked to wait, if it did."""

    def __init__(self, error: RecallError, after_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after_seconds = after_seconds


def json_from_response(answer: httpx.Response, what: str) -> Any:
    """Return the JSON of a 2xx answer (None for 204); raise RecallError, or Retry where a retry may help."""
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None
    if not answer.is_success:
        raise _error_of(answer, what)
    try:
        return _parsed(answer.content)
    except (ValueError, RecursionError):
        kind = answer.headers.get("content-type", "no content type")
        # A proxy's error page or a torn body: the next answer may be whole.
        raise RetryableError(
            RecallProtocolError(f"{what}: the answer is not JSON ({kind}): check RECALL_API_URL")
        ) from None


def _parsed(content: bytes) -> Any:
    """Read JSON; what no file could hold afterwards is read as null (NaN) or `?` (half of an escaped pair)."""
    value = json.loads(content.decode("utf-8-sig"), parse_constant=lambda _: None)  # RFC 8259 section 8.1: nothing else
    if not _HALF_A_PAIR.search(content):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _error_of(answer: httpx.Response, what: str) -> Exception:
    status = answer.status_code
    said = f"{what}: HTTP {status}{_detail(answer)}"
    if status == httpx.codes.UNAUTHORIZED:
        cause = f"{answer.url.host} does not accept the key: it is wrong or revoked, or it belongs to another region"
        cure = "check RECALL_API_KEY and RECALL_REGION (`recall-pipeline doctor` tells which it is)"
        return RecallUnauthorized(f"{said}: {cause}; {cure}", status)
    if status == httpx.codes.NOT_FOUND:
        return RecallNotFound(
            f"{said}: deleted, or it never existed there; if all is missing, check RECALL_API_URL",
            status,
        )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        cure = "the workspace's request limit is used up: lower RECALL_LIST_RPM and RECALL_OBJECT_RPM, or try later"
        return RetryableError(RecallThrottled(f"{said}: {cure}", status), retry_after_seconds(answer))
    if status == httpx.codes.CONFLICT:
        return RetryableError(RecallRefused(f"{said}: {_CURES[status]}", status))
    if answer.is_server_error and status != httpx.codes.INSUFFICIENT_STORAGE:
        cure = "Recall.ai is overloaded or down: try again later"
        return RetryableError(RecallUnreachable(f"{said}: {cure}", status), retry_after_seconds(answer))
    if answer.is_redirect:
        return RecallProtocolError(
            f"{said}: a redirect, which is never followed with the key: check RECALL_API_URL",
            status,
        )
    return RecallRefused(f"{said}: {_CURES.get(status, 'the request is refused as it is')}", status)


def retry_after_seconds(answer: httpx.Response) -> float | None:
    """Return the seconds of `Retry-After`, given as a number or as a date; None without a usable one."""
    value = answer.headers.get("retry-after", "").strip()
    with contextlib.suppress(ValueError, OverflowError):
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    with contextlib.suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - datetime.now(UTC)).total_seconds())
    return None


def _detail(answer: httpx.Response) -> str:
    """Quote what the API says of the fault: `detail`, or the fields it complains of."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict) or not body:
        return ""
    said = body.get("detail") or "; ".join(f"{field}: {_joined(words)}" for field, words in body.items())
    text = redact(str(said))
    if key := answer.request.headers.get("authorization", "").removeprefix("Token "):
        text = text.replace(key, "…")
    return f" ({text[:_LONGEST_DETAIL]})"


def _joined(words: object) -> str:
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)
