"""Redact secrets in texts and stored values.

There are three kinds: the API key (only ever in a `SecretStr`), pre-signed URLs (the query is the secret) and meeting
passwords (in `meeting_url`, as a field or in the query). See docs/design/recall-api.md, sections 4 and 6.

Of fields that this project does not know only machine values are stored, because a text in them may name people.
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
_FIELD_NAME = re.compile(r"[a-z][A-Za-z0-9_]{0,40}")
_NAME_OF_PERSONAL_FIELD = re.compile(
    r"participant|attendee|speaker|invite|guest|member|person|people|user|host|organi[sz]er|owner|author|creator|contact"
    r"|customer|client|employee|name|title|topic|subject|summary|description|notes?\b|mail|phone|address|calendar|login"
    r"|avatar|photo|metadata|transcript|message|chat",
    re.IGNORECASE,
)
_MACHINE_TEXT = re.compile(
    r"(?P<word>[a-z][a-z0-9_]{0,40})|(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?)"
)
_PASSWORD_PARAMETER = re.compile(
    r"(?P<name>[?&;#](?:pwd|pw|passw\w*|passcode|tk|zak)=|\bteams\.\w+\.com/[^\s\"'<>]*?[?&]p=)[^&;#\s\"'<>]*",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return `text` without the query, fragment and user of each URL in it."""
    return _URL_USER.sub(r"\g<scheme>", _URL_TAIL.sub(r"\g<kept>?…", text))


def remove_secrets(value: Any) -> Any:
    """Return a copy of a JSON value without the fields named like secrets, and with redacted URLs."""
    if isinstance(value, Mapping):
        kept = ((str(k), v) for k, v in value.items() if not _SECRET_NAME.search(str(k)))
        return {name: remove_secrets(item) for name, item in kept}
    if isinstance(value, list):
        return [remove_secrets(item) for item in value]
    return redact(value) if isinstance(value, str) else value


def redact_passwords(value: Any) -> Any:
    """Return a copy of a JSON value from users without meeting passwords; everything else is unchanged."""
    if isinstance(value, Mapping):
        kept = ((str(k), v) for k, v in value.items() if not _PASSWORD_NAME.search(str(k)))
        return {name: redact_passwords(item) for name, item in kept}
    if isinstance(value, list):
        return [redact_passwords(item) for item in value]
    return _PASSWORD_PARAMETER.sub(r"\g<name>…", value) if isinstance(value, str) else value


def keep_machine_values(value: Any) -> Any:
    """Return a copy of a JSON value of unknown meaning without text that a person may have written.

    Kept are numbers, true, false, null, and of texts UUIDs, times and single words in lower case, such as codes; each
    other text is `…`. Fields that are named after people or after their words are left out, at any depth.
    """
    if isinstance(value, Mapping):
        kept = ((str(k), v) for k, v in value.items() if _FIELD_NAME.fullmatch(str(k)))
        return {name: keep_machine_values(v) for name, v in kept if not _NAME_OF_PERSONAL_FIELD.search(name)}
    if isinstance(value, list):
        return [keep_machine_values(item) for item in value]
    return "…" if isinstance(value, str) and not _MACHINE_TEXT.fullmatch(value) else value


class _RedactingFilter(logging.Filter):
    """Redacts a log record before any handler gets it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True


def redact_http_logs() -> None:
    """Redact the log messages of the HTTP libraries at every level; httpx logs complete URLs at INFO."""
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logger = logging.getLogger(name)  # a filter does not apply to child loggers
        if not any(isinstance(present, _RedactingFilter) for present in logger.filters):
            logger.addFilter(_RedactingFilter())
