"""What a value must be like: each function takes what the user wrote, and returns it or words its fault."""

import re
from base64 import b64decode
from datetime import date
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.settings.folders import absolute

_EARLIEST_START = date(2000, 1, 1)  # a slip in the year would make Dagster draw half a million partitions
_SHORTEST_SECRET_BYTES = 12
_QUOTES = tuple("\"'`\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb")
_STORAGE_SCHEMES = ("file", "s3", "gs", "gcs", "az", "abfs", "abfss")


def is_loopback(host: str | None) -> bool:
    """Say whether `host` is this machine, by name or by address."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_quotes(value: object) -> object:
    """Return a value without the spaces around it; quotes around it are a slip of whoever wrote the environment."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        raise ValueError("has quotes around it, which are taken as part of the value: write it without them")
    return text


def plain_key(key: SecretStr) -> SecretStr:
    """Return the key as headers take it: without spaces around, nor the word `Token` before it."""
    text = re.sub(r"^Token(\s+|$)", "", key.get_secret_value().strip())
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is not a key: paste it as Recall's dashboard shows it, without spaces")
    return SecretStr(text)


def _http_parts(url: str) -> SplitResult | None:
    """Split an http(s) URL; None when it is not one."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0  # reading the port checks it
    except ValueError:
        return None
    return parts if is_whole and parts.scheme in ("http", "https") and not re.search(r"\s", url) else None


def base_url(url: str) -> str:
    """Return the URL that paths are appended to; https, but on loopback."""
    parts = _http_parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("is not a base URL: write it like https://host/api/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send the key in the clear: use https (http is for loopback only)")
    return url.rstrip("/")


def storage_url(url: str) -> str:
    """Return a path, or an fsspec URL of a kind that is known and without credentials."""
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise ValueError("holds a line break or another control character: write it in one line")
    if slip := re.match(rf"({'|'.join(_STORAGE_SCHEMES)}|[A-Za-z]):(?!//)|\w[\w+.-]*:/(?!/)", url):
        raise ValueError(f"begins with {slip[0]} and is no URL: write scheme://... or a path that begins with /")
    if "?versionId=" in url:
        raise ValueError("holds ?versionId=, which S3 clients take for a version: choose another prefix")
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in _STORAGE_SCHEMES:
        raise ValueError(f"has an unknown scheme {scheme!r}: use a path or one of {', '.join(_STORAGE_SCHEMES)}")
    if scheme == "file" and separator and not rest.startswith("/"):
        raise ValueError("names a host or a relative path: write it like file:///path/to/archive, or as a plain path")
    if not separator or scheme == "file":
        absolute(rest if separator else url)
        return url
    bucket = rest.partition("/")[0]
    if not bucket:
        raise ValueError("names no bucket: write it like s3://bucket/prefix")
    if re.search(r":.*@", bucket):
        raise ValueError("holds credentials: set them as AWS variables, or as those of your cloud")
    return url


def s3_encryption(value: str) -> str:
    """Check RECALL_S3_ENCRYPTION."""
    if not re.fullmatch(r"AES256|aws:kms(:[!-~]+)?", value):
        raise ValueError("is none of AES256, aws:kms, and aws:kms:KEY with a key's id or ARN")
    return value


def workers(value: str) -> str:
    """Return `local`, a number of processes, or a Dask scheduler's address."""
    is_count = value.isdecimal() and int(value) > 0
    if value == "local" or is_count or re.match(r"(tcp|tls|ucx|ws|wss)://\S+$", value):
        return value
    raise ValueError("is neither `local`, a number of processes, nor a Dask scheduler such as tcp://host:8786")


def webhook_secret(secret: SecretStr) -> SecretStr:
    """Return one secret, or two separated by a comma (docs/design/recall-api.md, section 8)."""
    keys = webhook_secrets(secret)
    if not 1 <= len(keys) <= 2 or not all(map(_is_webhook_secret, keys)):
        raise ValueError("is not a webhook secret: paste whsec_... (two, separated by a comma, while rotating)")
    return secret


def webhook_secrets(secret: SecretStr) -> list[str]:
    """Return the secrets that commas separate."""
    return [key.strip() for key in secret.get_secret_value().split(",")]


def _is_webhook_secret(key: str) -> bool:
    encoded = key.removeprefix("whsec_").rstrip("=")
    try:
        decoded = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        return False
    return key.startswith("whsec_") and len(decoded) >= _SHORTEST_SECRET_BYTES


def alert_url(url: SecretStr) -> SecretStr:
    """Return a URL that can be posted to; https, but on loopback."""
    parts = _http_parts(url.get_secret_value())
    if parts is None:
        raise ValueError("is not a URL that can be posted to: write it like https://hooks.example.com/...")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https (http is for loopback only)")
    return url


def day(value: object) -> object:
    """Return a day written like 2025-01-01 as a date; anything else that is no text as it is."""
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("is not a day: write it like 2025-01-01") from None


def start_date(day: date) -> date:
    """Return a day that an archive can begin with."""
    if day > utc_now().date():
        raise ValueError("lies in the future: name the first day to archive")
    if day < _EARLIEST_START:
        raise ValueError("lies before 2000: name the first day to archive")
    return day


def off_is_none(value: object) -> object:
    """Return None for `off`."""
    return None if isinstance(value, str) and value.strip().lower() == "off" else value
