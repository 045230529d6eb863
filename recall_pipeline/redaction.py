"""Keep secrets out of every text and every stored value.

Three kinds are known: the API key (only ever inside `SecretStr`), pre-signed URLs (their query is the secret)
and meeting passwords (in `meeting_url`, as a field or in a query). See docs/design/recall-api.md, sections 4 and 6.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

_URL_TAIL = re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]*://[^\s\"'<>?#]*)[?#][^\s\"'<>]*", re.IGNORECASE)
_URL_USER = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s\"'<>/@]+@", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"passw|passcode|passphrase|\bpwd|secret|token|signature|credential|authorization|api_?key|download_url",
    re.IGNORECASE,
)
_PASSWORD_NAME = re.compile(r"passw(?!ay)|passcode|passphrase|(?<![a-z])pwd", re.IGNORECASE)
_PASSWORD_PARAMETER = re.compile(
    r"(?P<name>[?&;#](?:pwd|pw|passw\w*|passcode|tk|zak)=|\bteams\.\w+\.com/[^\s\"'<>]*?[?&]p=)[^&;#\s\"'<>]*",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return `text` with the query, fragment and user of every URL in it cut away."""
    return _URL_USER.sub(r"\g<scheme>", _URL_TAIL.sub(r"\g<kept>?…", text))


def without_secrets(value: Any) -> Any:
    """Return a copy of a JSON value without fields named like secrets, and with its URLs redacted."""
    if isinstance(value, Mapping):
        kept = ((str(k), v) for k, v in value.items() if not _SECRET_NAME.search(str(k)))
        return {name: without_secrets(item) for name, item in kept}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return redact(value) if isinstance(value, str) else value


def without_passwords(value: Any) -> Any:
    """Return a copy of a JSON value that users wrote, without meeting passwords, and else as it is."""
    if isinstance(value, Mapping):
        kept = ((str(k), v) for k, v in value.items() if not _PASSWORD_NAME.search(str(k)))
        return {name: without_passwords(item) for name, item in kept}
    if isinstance(value, list):
        return [without_passwords(item) for item in value]
    return _PASSWORD_PARAMETER.sub(r"\g<name>…", value) if isinstance(value, str) else value


class _RedactingFilter(logging.Filter):
    """Rewrite a record before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True


def silence_http_loggers() -> None:
    """Make the HTTP libraries' own log lines safe at every level; httpx logs whole URLs at INFO."""
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logger = logging.getLogger(name)  # a filter sees only what is logged under this very name
        if not any(isinstance(known, _RedactingFilter) for known in logger.filters):
            logger.addFilter(_RedactingFilter())
